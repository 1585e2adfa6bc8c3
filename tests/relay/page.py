"""Pair, thread, turn, approval, a cut, back, revoke: what a person with a phone does, step by step."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading

from browser import Browser

NARROW = (320, 640)


class Cable:
    """Leads to a port, and can be cut."""

    def __init__(self, port):
        self.to = port
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
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(one, other), daemon=True).start()

    def carry(self, one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
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
        with open(f"{self.home}/config.toml", "w") as file:
            file.write('model_provider = "echo"\napproval_policy = "untrusted"\n')
        token = self.at(self.relay_home, "relay", "token", "add", "home")
        with open(f"{self.home}/token", "w") as file:
            file.write(token)
        self.relay = self.start(self.relay_home, "relay", "--listen", "http://127.0.0.1:0", err=True)
        banner = ""
        while not (found := re.search(r"page for phones: http://127\.0\.0\.1:(\d+)/", banner)):
            banner = self.relay.stderr.readline()
        self.port = int(found[1])
        threading.Thread(target=self.relay.stderr.read, daemon=True).start()
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
        return json.loads(self.at(self.home, "remote-control", "pair", "--no-wait", "--json"))

    def pair(self):
        words = [self.binary, "remote-control", "pair", "--wait", "--json"]
        return Pairing(subprocess.Popen(words, env=self.environment(self.home), cwd=self.work, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE))

    def clients(self):
        return re.findall(r"^(cl_\S+)", self.at(self.home, "remote-control", "clients"), re.M)

    def end(self):
        for process in (self.machine, self.relay):
            process.terminate()
            process.wait()
        for home in self.homes:
            home.cleanup()


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

    browser.open(f"http://127.0.0.1:{cable.port}/")
    loaded = browser.wait("the page is loaded", lambda: "Pair with a machine" in browser.text())
    assert loaded
    sizes = browser.run("return performance.getEntries().map(it => it.transferSize || 0).reduce((a, b) => a + b, 0)")
    assert sizes <= 150_000, f"{sizes} bytes at the first load"
    others = browser.run("return performance.getEntriesByType('resource').filter(it => !it.name.startsWith(location.origin)).length")
    assert others == 0, "a request elsewhere"
    step(1, "pair")
    here = os.path.dirname(os.path.abspath(__file__))
    with open(f"{here}/vectors.js") as script, open(f"{here}/vectors.json") as vectors:
        outcome = browser.run_until_done(script.read(), json.load(vectors))
    assert outcome.endswith("vectors agree"), outcome
    print(outcome, flush=True)
    browser.type("input[name=code]", "bcdf ghjk")
    browser.click("form button")
    browser.see("this code is wrong")
    step(2, "wrong-code")
    browser.clear("input[name=code]")
    pairing = scene.pair()
    browser.type("input[name=code]", pairing.code["manualPairingCode"].lower())
    browser.click("form button")
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
    browser.call("POST", "/alert/text", {"text": scene.work})
    browser.call("POST", "/alert/accept", {})
    browser.wait("the thread is open", lambda: browser.find("textarea:enabled"))
    say("hello phone")
    browser.see("You said: hello phone")
    step(4, "turn")
    say("think: I weigh it\nrun: touch approved.txt && ls -la")
    browser.see("Run this command?")
    assert "touch approved.txt" in browser.text() and scene.work in browser.text(), browser.text()
    step(5, "approval")
    browser.click(".question button.primary")
    browser.see("done")
    browser.wait("the turn has ended", lambda: "working" not in browser.text())
    assert os.path.exists(f"{scene.work}/approved.txt"), "the command ran"
    step(6, "approved")
    say("run: rm approved.txt")
    browser.see("Run this command?")
    browser.click(".question button.danger")
    browser.see("declined")
    browser.wait("the turn has ended", lambda: "working" not in browser.text())
    assert os.path.exists(f"{scene.work}/approved.txt"), "the command did not run"
    step(7, "declined")

    cable.cut()
    browser.see("connecting")
    say("said in a tunnel")
    browser.see("waiting to be sent")
    step(8, "cut")
    cable.mend()
    browser.see("You said: said in a tunnel")
    said = browser.run("return [...document.querySelectorAll('.message.user')].filter(it => it.innerText.includes('tunnel')).length")
    assert said == 1, f"sent {said} times"
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
    browser.see("This device")
    step(13, "devices")
    browser.click("a.back")
    browser.see("hello phone")
    [client] = scene.clients()
    scene.at(scene.home, "remote-control", "revoke", client)
    browser.see("This device was removed")
    step(14, "revoked")
    # A code that is scanned comes in the address, and leaves it at once.
    browser.open("about:blank")
    pairing = scene.pair()
    browser.open(f"http://127.0.0.1:{cable.port}/#{pairing.link()}")
    browser.see("Pair with a machine")
    assert pairing.code["endToEnd"]["secret"] not in browser.run("return location.href")
    browser.click("form button")
    browser.see("hello phone")
    browser.see("End to end encrypted")
    assert pairing.process.wait(30) == 0, "nobody needs to be asked"
    step(15, "scanned")
    # A person who sees other words says so, at either end.
    pairing = scene.pair()
    browser.open("about:blank")
    browser.open(f"http://127.0.0.1:{cable.port}/#/pair")
    browser.type("input[name=code]", pairing.code["manualPairingCode"])
    browser.click("form button")
    browser.see("Compare the words")
    pairing.device()
    assert pairing.answer("n") != 0, "nothing is paired"
    browser.see("refused at the machine")
    step(16, "refused")
    wrong = [it for it in browser.complaints() if "Failed to load resource" not in it and "WebSocket" not in it]
    assert not wrong, wrong
    print("everything was as it should be")


main(*sys.argv[1:])
