"""Pair, thread, turn, approval, a cut, back, revoke: what a person with a phone does, step by step."""

import json
import os
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import zlib

from browser import Browser

NARROW = (320, 640)


class Cable:
    """Leads to a port, and can be cut. What comes back through it can be changed, as by a relay with another page."""

    def __init__(self, port):
        self.to = port
        self.changes = []
        self.ends = []
        self.whole = True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            if not self.whole:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.to))
            self.ends += [near, far]
            for one, other, back in ((near, far, False), (far, near, True)):
                threading.Thread(target=self.carry, args=(one, other, back), daemon=True).start()

    def change(self, data, back):
        """Keeps the length. A relay with other files has other tags for them."""
        if not self.changes:
            return data
        for old, new in self.changes if back else [(b"If-None-Match", b"X-None-Matchx")]:
            data = data.replace(old, new)
        return data

    def carry(self, one, other, back):
        try:
            while data := one.recv(65536):
                other.sendall(self.change(data, back))
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        self.whole = False
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.ends = []

    def mend(self):
        self.whole = True


class Pairing:
    """`remote-control pair --wait`, and the person who answers it."""

    def __init__(self, process):
        self.process = process
        self.code = json.loads(process.stdout.readline())

    def link(self):
        return f"{self.code['pairingCode']}.{self.code['endToEnd']['key']}.{self.code['endToEnd']['secret']}"

    def device(self):
        return json.loads(self.process.stdout.readline())

    def answer(self, word):
        self.process.communicate(f"{word}\n")
        return self.process.returncode


class Scene:
    """A relay, a machine that is connected to it, and what a person does at the machine."""

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.homes = [tempfile.TemporaryDirectory() for _ in range(3)]
        self.relay_home, self.home, self.work = (it.name for it in self.homes)
        token = self.at(self.relay_home, "relay", "token", "add", "home").strip()
        self.server = []
        self.relay = self.start(self.relay_home, "relay", "--listen", "http://127.0.0.1:0", err=True)
        banner = ""
        while not (found := re.search(r"page for phones: http://127\.0\.0\.1:(\d+)/", banner)):
            banner = self.relay.stderr.readline()
        self.port = int(found[1])
        threading.Thread(target=self.relay.stderr.read, daemon=True).start()
        self.connect(token)

    def connect(self, token):
        with open(f"{self.home}/config.toml", "w") as file:
            file.write('model_provider = "echo"\napproval_policy = "untrusted"\n')
        with open(f"{self.home}/token", "w") as file:
            file.write(token)
        self.machine = self.start(self.home, "remote-control", "--relay", f"http://127.0.0.1:{self.port}",
                                  "--token-file", f"{self.home}/token", out=True)
        while "is available" not in self.machine.stdout.readline():
            pass

    def environment(self, home):
        return {**os.environ, "CODEX_HOME": home}

    def at(self, home, *words):
        return subprocess.check_output([self.binary, *words], env=self.environment(home), text=True)

    def start(self, home, *words, out=False, err=False):
        streams = {"stdout": subprocess.PIPE if out else None, "stderr": subprocess.PIPE if err else None}
        return subprocess.Popen([self.binary, *words], env=self.environment(home), cwd=self.work, text=True, **streams)

    def code(self):
        return json.loads(self.at(self.home, "remote-control", "pair", "--no-wait", "--json", *self.server))

    def pair(self):
        words = [self.binary, "remote-control", "pair", "--wait", "--json", *self.server]
        return Pairing(subprocess.Popen(words, env=self.environment(self.home), cwd=self.work, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE))

    def clients(self):
        return re.findall(r"^(cl_\S+)", self.at(self.home, "remote-control", "clients", *self.server), re.M)

    def end(self):
        for process in (self.machine, self.relay):
            process.terminate()
            process.wait()
        for home in self.homes:
            home.cleanup()


def picture(path, width=3000, height=2000):
    """A picture that no camera has taken, with enough in it to be large."""
    rows = b"".join(b"\0" + random.Random(row // 8).randbytes(width // 8 * 3) * 8 for row in range(height))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))
    return path


# What a headless browser lacks: a reader of codes, a camera, an icon with a number, and a way to hear.
PHONE = """
window.tones = 0; window.badge = 0;
const begin = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.tones += 1; return begin.apply(this, when); };
navigator.setAppBadge = async (count) => { window.badge = count; };
navigator.clearAppBadge = async () => { window.badge = 0; };
window.BarcodeDetector = class { async detect() { return window.seen ? [{ rawValue: window.seen }] : []; } };
if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  setInterval(() => context.fillRect(Math.random() * 99, 0, 9, 9), 50);
  return canvas.captureStream(20);
};
"""

# The links of the machine, in the page's own reader.
LINKS = """
const [links] = arguments;
return import("/link.js").then(({ parts, fragment }) => {
  for (const { link, ...expected } of links) {
    const all = link.split("#")[1];
    for (const front of [all, `${all}&other=1`]) {
      const found = parts(fragment(`${location.origin}/#${front}`));
      for (const name in expected) if (found[name] !== expected[name]) return `${name} of ${link} is ${found[name]}`;
    }
  }
  return "every link is read as it was written";
});
"""


def main(binary, pictures):
    os.makedirs(pictures, exist_ok=True)
    scene = Scene(binary)
    cable = Cable(scene.port)
    browser = Browser(*NARROW)
    try:
        walk(scene, cable, browser, pictures)
    finally:
        browser.close()
        scene.end()


def walk(scene, cable, browser, pictures):
    def step(number, name):
        browser.picture(f"{pictures}/{number}-{name}.png")
        too_wide = browser.run("return document.documentElement.scrollWidth > innerWidth")
        assert not too_wide, f"{name} is wider than the screen"
        print(f"{number} {name}", flush=True)

    def say(text):
        browser.type("textarea", text)
        browser.click("button[aria-label=Send]")

    browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=PHONE)
    browser.open(f"http://127.0.0.1:{cable.port}/")
    loaded = browser.wait("the page is loaded", lambda: "Pair with a machine" in browser.text())
    assert loaded
    sizes = browser.run("return performance.getEntries().map(it => it.transferSize || 0).reduce((a, b) => a + b, 0)")
    assert 0 < sizes <= 150_000, f"{sizes} bytes at the first load"
    print(f"{sizes} bytes at the first load", flush=True)
    others = browser.run("return performance.getEntriesByType('resource').filter(it => !it.name.startsWith(location.origin)).length")
    assert others == 0, "a request elsewhere"
    step(1, "pair")
    here = os.path.dirname(os.path.abspath(__file__))
    with open(f"{here}/vectors.js") as script, open(f"{here}/vectors.json") as vectors:
        outcome = browser.run_until_done(script.read(), json.load(vectors))
    assert outcome.endswith("vectors agree"), outcome
    print(outcome, flush=True)
    with open(f"{here}/links.json") as links:
        outcome = browser.run(LINKS, json.load(links))
    assert outcome == "every link is read as it was written", outcome
    browser.type("input[name=code]", "bcdf ghjk")
    browser.click("form button.primary")
    browser.see("this code is wrong")
    step(2, "wrong-code")
    browser.clear("input[name=code]")
    # A code of this relay is read from the camera with whatever it carries; typed instead, people compare the words.
    browser.click(".scan button")
    browser.run("window.seen = 'https://relay.example.com/#code'")
    browser.see("This code belongs to another relay")
    browser.run("window.seen = arguments[0]", f"http://127.0.0.1:{cable.port}/#0123.K.S&cert=q80HBwcHBwcHBwcHBwcHBw&more=1")
    browser.see("ABCD 0707")
    value = browser.run("return document.querySelector('input[name=code]').value")
    assert value == "0123", value
    browser.clear("input[name=code]")
    pairing = scene.pair()
    browser.type("input[name=code]", pairing.code["manualPairingCode"].lower())
    browser.click("form button.primary")
    browser.see("Compare the words")
    at_the_machine = pairing.device()["words"]
    browser.wait("the same words on both screens", lambda: at_the_machine in browser.text())
    step("2b", "words")
    browser.click(".card button.primary")
    browser.see("Waiting for the same answer at the machine")
    assert pairing.answer("y") == 0, "it is paired"
    browser.see("connected")
    browser.see("End to end encrypted")
    browser.see("No threads")
    step(3, "threads")
    browser.click("button[aria-label='New thread']")
    browser.answer(scene.work)
    browser.wait("the thread is open", lambda: browser.find("textarea:enabled"))
    say("hello phone")
    browser.see("You said: hello phone")
    step(4, "turn")
    say("think: I weigh it\nrun: touch approved.txt && ls -la")
    browser.see("Run this command?")
    assert "touch approved.txt" in browser.text() and scene.work in browser.text(), browser.text()
    step(5, "approval")
    browser.wait("it is heard", lambda: browser.run("return window.tones") == 1)
    assert browser.run("return [window.badge, document.title]") == [1, "(1) The agent asks"]
    browser.click(".question button.primary")
    browser.see("done")
    browser.wait("the turn has ended", lambda: "working" not in browser.text())
    assert os.path.exists(f"{scene.work}/approved.txt"), "the command ran"
    step(6, "approved")
    assert browser.run("return window.badge") == 0
    say("run: rm approved.txt")
    browser.see("Run this command?")
    browser.click(".question button.danger")
    browser.see("declined")
    browser.wait("the turn has ended", lambda: "working" not in browser.text())
    assert os.path.exists(f"{scene.work}/approved.txt"), "the command did not run"
    step(7, "declined")

    cable.cut()
    browser.see("connecting")
    browser.click("button[aria-label='Add a picture']")
    browser.wait("the album is there", lambda: browser.find("input[name=camera][capture]"))
    browser.choose("input[name=album]", picture(f"{scene.work}/picture.png"))
    browser.wait("it is shown", lambda: browser.find(".pictures img"))
    say("said in a tunnel")
    browser.see("waiting to be sent")
    kept = browser.run("return JSON.parse(sessionStorage.unsent)[0].images[0]")
    assert kept.startswith("data:image/jpeg") and len(kept) <= 450_000, len(kept)
    step(8, "cut")
    # The page is there without a network, with what was not sent.
    browser.call("POST", "/refresh", {})
    browser.see("waiting to be sent")
    assert browser.run("return JSON.parse(sessionStorage.unsent)[0].images[0]") == kept
    cable.mend()
    browser.see("You said: said in a tunnel")
    said = browser.run("return [...document.querySelectorAll('.message.user')].filter(it => it.innerText.includes('tunnel')).length")
    assert said == 1, f"sent {said} times"
    sent = browser.run("const it = document.querySelector('.message.user:not(.pending) img'); return [it.src, it.naturalWidth]")
    assert sent[0] == kept and sent[1] <= 1600, (len(sent[0]), sent[1])
    step(9, "back")
    browser.call("POST", "/refresh", {})
    browser.see("You said: said in a tunnel")
    browser.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    say("slow: 200\none two three four five six seven eight nine ten")
    browser.see("working")
    step(10, "dark")
    browser.click("button[aria-label=Interrupt]")
    browser.see("Interrupted")
    browser.open(f"http://127.0.0.1:{cable.port}/#/")
    browser.see("connected")
    step(11, "machines-dark")
    browser.click(".list a")
    browser.see("hello phone")
    step(12, "threads-dark")
    browser.click("a[aria-label=Devices]")
    browser.see("this device")
    step(13, "devices")
    browser.click("button[aria-label^=Rename]")
    browser.answer("Kitchen phone")
    browser.wait("it has another name", lambda: "Kitchen phone" in scene.at(scene.home, "remote-control", "clients"))
    # A relay with another page: this one stays as it is until a person says otherwise.
    [own] = re.findall(r"digest of the page: (\w{16})", scene.at(scene.relay_home, "relay", "status"))
    other = own[::-1]
    cable.changes = [(own.encode(), other.encode()), (b"No threads. Begin", b"No threads! Begin")]
    browser.open("about:blank")
    browser.open(f"http://127.0.0.1:{cable.port}/#/")
    browser.see("Another version of this page")
    assert own in browser.text() and other in browser.text(), browser.text()
    for _ in range(2):
        browser.open("about:blank")
        browser.open(f"http://127.0.0.1:{cable.port}/#/")
        browser.see("Another version of this page")
        assert browser.run("return document.querySelector('meta[name=digest]').content") == own
    step(14, "another-version")
    browser.click(".update button")
    browser.wait("it was updated", lambda: browser.run("return document.querySelector('meta[name=digest]').content") == other)
    browser.wait("nothing is to be done", lambda: "connected" in browser.text() and "Another version" not in browser.text())
    source = browser.run("return fetch('/threads.js').then((it) => it.text())")
    assert "No threads! Begin" in source
    cable.changes = [(b"nothing is changed any more", b"nothing is changed any more")]
    browser.open("about:blank")
    browser.open(f"http://127.0.0.1:{cable.port}/#/")
    browser.see("Another version of this page")
    browser.click(".update button")
    browser.wait("it is as before", lambda: browser.run("return document.querySelector('meta[name=digest]').content") == own)
    browser.click(".list a")
    browser.see("hello phone")
    browser.click("a[aria-label=Devices]")
    browser.see("Kitchen phone")
    browser.click("a.back")
    browser.see("hello phone")
    [client] = scene.clients()
    scene.at(scene.home, "remote-control", "revoke", client)
    browser.see("This device was removed")
    step(15, "revoked")
    # A code that is scanned comes in the address, and leaves it at once.
    browser.open("about:blank")
    pairing = scene.pair()
    browser.open(f"http://127.0.0.1:{cable.port}/#{pairing.link()}")
    browser.see("Pair with a machine")
    assert pairing.code["endToEnd"]["secret"] not in browser.run("return location.href")
    browser.click("form button.primary")
    browser.see("hello phone")
    browser.see("End to end encrypted")
    assert pairing.process.wait(30) == 0, "nobody needs to be asked"
    step(16, "scanned")
    # A person who sees other words says so, at either end.
    pairing = scene.pair()
    browser.open("about:blank")
    browser.open(f"http://127.0.0.1:{cable.port}/#/pair")
    browser.type("input[name=code]", pairing.code["manualPairingCode"])
    browser.click("form button.primary")
    browser.see("Compare the words")
    pairing.device()
    assert pairing.answer("n") != 0, "nothing is paired"
    browser.see("refused at the machine")
    step(17, "refused")
    wrong = [it for it in browser.complaints() if "Failed to load resource" not in it and "WebSocket" not in it]
    assert not wrong, wrong
    print("everything was as it should be")


if __name__ == "__main__":
    main(*sys.argv[1:])
