"""See `run`."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

from browser import Browser

SERVER = os.environ["SERVER"]
TOKEN = "the-token-with-which-the-page-is-looked-at"
CONFIG = 'model_provider = "echo"\nmodel = "echo"\n'


class Client:
    """A client on the control socket."""

    def __init__(self, home, name):
        self.process = subprocess.Popen([SERVER, "proxy", "--framing", "jsonl"], env={**os.environ, "CODEX_HOME": home},
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.last = 0
        self.call("initialize", clientInfo={"name": name, "version": "1.2.3"}, capabilities={"experimentalApi": True})

    def call(self, method, **params):
        self.last += 1
        self.process.stdin.write(json.dumps({"id": self.last, "method": method, "params": params}) + "\n")
        self.process.stdin.flush()
        while True:
            message = json.loads(self.process.stdout.readline())
            if message.get("id") == self.last and "method" not in message:
                return message.get("result")

    def turn(self, name, text, **params):
        """A thread with this name, and a turn in it."""
        thread = self.call("thread/start", **params)["thread"]["id"]
        self.call("thread/name/set", threadId=thread, name=name)
        self.call("turn/start", threadId=thread, input=[{"type": "text", "text": text}])
        return thread

    def end(self):
        self.process.terminate()
        self.process.wait()


def start(home):
    """The server, and where its page is."""
    token = pathlib.Path(home, "token")
    token.write_text(TOKEN)
    token.chmod(0o600)
    pathlib.Path(home, "config.toml").write_text(CONFIG)
    flags = ["--listen", "unix://", "--admin", "http://127.0.0.1:0", "--admin-token-file", token]
    server = subprocess.Popen([SERVER, *flags], env={**os.environ, "CODEX_HOME": home, "RUST_LOG": "info"}, cwd=home,
                              stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if found := re.search(r"admin: (http://\S+)", line):
            threading.Thread(target=server.stderr.read, daemon=True).start()
            return server, found[1]
    raise AssertionError("the server did not say where its page is")


def traffic(home, over):
    """A client that asks until `over`."""
    client = Client(home, "ci-runner")
    while not over.is_set():
        for _ in range(10):
            client.call("model/list")
        client.call("thread/read", threadId="nonsense")
        time.sleep(0.2)
    client.end()


def check(browser, url, what):
    wide = browser.run("return document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{what}: the page is {wide} pixels wider than its window"
    loaded = browser.run("return performance.getEntriesByType('resource').map(it => it.name)")
    assert all(name.startswith(url) or name.startswith("data:") for name in loaded), f"{what}: {loaded}"
    small = browser.run("return [...document.querySelectorAll('button')].filter(it => it.offsetHeight && "
                        "it.offsetHeight < 24).length")
    assert small == 0, f"{what}: a button is too small to be pressed"
    said = browser.complaints()
    assert not said, f"{what}: the console says {said}"


def press(browser, label):
    """Presses the first button with this label, and confirms it."""
    browser.run(f"[...document.querySelectorAll('button')].find(it => it.textContent === '{label}').click()")
    browser.until("it is asked", "document.getElementById('confirm').open")
    browser.run("document.getElementById('confirm-yes').click()")


def main(pictures):
    pictures.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as ends:
        home = ends.enter_context(tempfile.TemporaryDirectory())
        profile = ends.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        server, url = start(home)
        ends.callback(lambda: (server.terminate(), server.wait()))
        clients = [Client(home, name) for name in ("editor", "terminal", "a-client-with-a-rather-long-name-of-its-own")]
        ends.callback(lambda: [client.end() for client in clients])
        over = threading.Event()
        asking = threading.Thread(target=traffic, args=(home, over))
        asking.start()
        ends.callback(lambda: (over.set(), asking.join()))
        clients[0].turn("Rename the module of retries", "slow: 600000", approvalPolicy="never")
        clients[1].turn("Why does the build fail on Tuesdays, and only there?", "run: touch x", approvalPolicy="untrusted")
        clients[1].turn("Release notes", "hello")
        browser = Browser(profile)
        ends.callback(browser.end)

        browser.look_like(390, 844, True, False)
        browser.open(url)
        browser.until("a token is asked for", "!document.getElementById('sign-in').hidden")
        browser.picture(pictures / "sign-in.png")
        browser.run(f"document.getElementById('token').value = '{TOKEN}'; "
                    "document.querySelector('#sign-in button').click()")
        browser.until("the approval is shown", "document.getElementById('threads').textContent.includes('approval')")
        # So that there is something in the charts.
        time.sleep(20)
        for dark in (False, True):
            for name, size, phone in (("phone", (390, 844), True), ("narrow", (320, 640), True), ("desk", (1280, 900), False)):
                browser.look_like(*size, phone, dark)
                time.sleep(2.5)
                what = f"{name}-{'dark' if dark else 'light'}"
                check(browser, url, what)
                browser.picture(pictures / f"{what}.png")
        press(browser, "Interrupt")
        browser.until("one turn less runs", "document.querySelectorAll('#threads button').length === 1")
        press(browser, "Cut")
        browser.until("one client less is there", "document.querySelectorAll('#connections button').length === 3")
        check(browser, url, "after the changes")
    print(f"the page does what it should; look at the pictures in {pictures}")


main(pathlib.Path(sys.argv[1]).resolve())
