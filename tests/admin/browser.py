"""Chromium without a window, driven through chromedriver with nothing but the standard library."""

import base64
import json
import subprocess
import time
import urllib.request

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]


class Browser:
    """One window."""

    def __init__(self, profile):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        for line in self.driver.stdout:
            if "on port" in line and "started" in line:
                port = line.rstrip(". \n").rsplit(" ", 1)[1]
                break
        self.url = f"http://127.0.0.1:{port}"
        options = {"args": FLAGS + [f"--user-data-dir={profile}"]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self.post("/session", {"capabilities": {"alwaysMatch": wanted}})
        self.url += f"/session/{session['sessionId']}"

    def post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def cdp(self, command, **params):
        return self.post("/goog/cdp/execute", {"cmd": command, "params": params})

    def open(self, url):
        self.post("/url", {"url": url})

    def run(self, script):
        """What the script returns."""
        return self.post("/execute/sync", {"script": script, "args": []})

    def until(self, what, script, seconds=30):
        """Waits until the script returns something true."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := self.run(f"return {script}"):
                return found
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {what}\n{self.complaints()}")

    def look_like(self, width, height, phone, dark):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1,
                 mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path):
        """The whole page, however long."""
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self):
        """What the console says."""
        return [line["message"] for line in self.post("/se/log", {"type": "browser"})]

    def end(self):
        # Without that the browser would live on.
        urllib.request.urlopen(urllib.request.Request(self.url, method="DELETE"), timeout=60).close()
        self.driver.terminate()
        self.driver.wait()
