"""A browser over the WebDriver protocol, with nothing but the standard library."""

import base64
import json
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

PATIENCE = 30
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Browser:
    def __init__(self, width, height):
        port = free_port()
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{port}"
        self.data = tempfile.TemporaryDirectory()
        self.wait("the driver listens", lambda: self.listens(port))
        phone = {"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2, "touch": True, "mobile": True}}
        options = {"args": FLAGS + [f"--user-data-dir={self.data.name}"], "mobileEmulation": phone}
        capabilities = {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}
        session = self.call("POST", "/session", {"capabilities": capabilities})
        self.base += f"/session/{session['sessionId']}"

    def listens(self, port):
        with socket.socket() as it:
            return it.connect_ex(("127.0.0.1", port)) == 0

    def call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise LookupError(json.load(error)["value"]["message"]) from None

    def wait(self, what, ready):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                found = ready()
            except LookupError:
                found = None
            if found:
                return found
            time.sleep(0.05)
        raise SystemExit(f"not within {PATIENCE} s: {what}\n{self.text() if hasattr(self, 'data') else ''}")

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_until_done(self, script, *arguments):
        """The script gets a function besides, which it calls with its result."""
        return self.call("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def cdp(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.wait(f"{selector} can be clicked", lambda: self.press(selector))

    def press(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click", {})
        return True

    def type(self, selector, text):
        element = self.wait(f"{selector} is there", lambda: self.find(selector))
        self.call("POST", f"/element/{element}/value", {"text": text})

    def choose(self, selector, path):
        """Gives a file to an element that people do not see."""
        element = self.wait(f"{selector} is there", lambda: self.find(selector))
        self.call("POST", f"/element/{element}/value", {"text": path})
        return True

    def answer(self, text):
        """What the page asks for in a window of the browser."""
        self.wait("the page asks", lambda: self.call("POST", "/alert/text", {"text": text}) is None)
        self.call("POST", "/alert/accept", {})

    def clear(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/clear", {})

    def text(self):
        try:
            return self.run("return document.body.innerText")
        except LookupError:
            return ""

    def see(self, words):
        return self.wait(f"the page says {words!r}", lambda: words in self.text())

    def picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))

    def complaints(self):
        logged = self.call("POST", "/se/log", {"type": "browser"})
        return [it["message"] for it in logged if it["level"] == "SEVERE"]

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.data.cleanup()
