"""Turns with a real model, over both wires. A model this small talks nonsense: what counts is that its words stream, are
counted, are kept, and can be cut."""

import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

CONTEXT = 4096
PATIENCE = 300


class Client:
    """One client of our server, over stdio; the server is its own."""

    def __init__(self, home, work):
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "CODEX_HOME": str(home), "NO_PROXY": "127.0.0.1"}
        self.process = subprocess.Popen(os.environ["SERVER"].split(), cwd=work, env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self.heard, self.last_id = queue.Queue(), 0
        threading.Thread(target=self.listen, daemon=True).start()
        capabilities = {"experimentalApi": True}
        self.call("initialize", clientInfo={"name": "models", "version": "1"}, capabilities=capabilities)
        self.send({"method": "initialized"})

    def listen(self):
        for line in self.process.stdout:
            self.heard.put(json.loads(line))

    def send(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")

    def call(self, method, **params):
        self.last_id += 1
        self.send({"id": self.last_id, "method": method, "params": params})
        while True:
            message = self.heard.get(timeout=PATIENCE)
            if message.get("id") == self.last_id and "method" not in message:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return message["result"]

    def say(self, thread, text):
        return self.call("turn/start", threadId=thread, input=[{"type": "text", "text": text}])["turn"]["id"]

    def until(self, method, told):
        """Collects what is told until `method` comes, which is the last."""
        while True:
            message = self.heard.get(timeout=PATIENCE)
            told.append(message)
            if message.get("method") == method:
                return message["params"]

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def need(condition, what):
    if not condition:
        raise AssertionError(what)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def words(told):
    return "".join(m["params"]["delta"] for m in told if m.get("method") == "item/agentMessage/delta")


def message(told):
    items = [m["params"]["item"] for m in told if m.get("method") == "item/completed"]
    return next(item["text"] for item in items if item["type"] == "agentMessage")


def converse(step, url, wire, folder):
    home, work = folder / f"home-{wire}", folder / f"work-{wire}"
    home.mkdir()
    work.mkdir()
    (home / "config.toml").write_text(f"""
model_provider = "real"
[model_providers.real]
name = "llama.cpp"
base_url = "{url}/v1"
wire_api = "{wire}"
""")
    client = Client(home, work)
    listed = [model["model"] for model in client.call("model/list")["data"]]
    with step(f"{wire}: the model list names its model"):
        need(listed, "the list is empty")
    thread = client.call("thread/start", cwd=str(work), model=listed[0])["thread"]["id"]
    said = None
    with step(f"{wire}: an answer streams, is counted, and ends"):
        told = []
        client.say(thread, "Say hello.")
        turn = client.until("turn/completed", told)["turn"]
        need(turn["status"] == "completed", turn)
        said = message(told)
        need(words(told) == said, "the pieces are not the whole")
        used = [m["params"]["tokenUsage"]["total"] for m in told if m.get("method") == "thread/tokenUsage/updated"]
        need(used and used[-1]["inputTokens"] > 0 and used[-1]["outputTokens"] > 0, used)
    with step(f"{wire}: an interruption ends it at once, and keeps what was said"):
        told = []
        turn = client.say(thread, "Count from one to five hundred in words, one number a line.")
        client.until("item/agentMessage/delta", told)
        asked = time.monotonic()
        client.call("turn/interrupt", threadId=thread, turnId=turn)
        # What was told while the answer was awaited is not in `told`.
        ended = client.until("turn/completed", [])["turn"]
        need(ended["status"] == "interrupted" and time.monotonic() - asked < 10, ended)
    with step(f"{wire}: after a restart everything is there, and the conversation goes on"):
        client.end()
        client = Client(home, work)
        turns = client.call("thread/resume", threadId=thread)["thread"]["turns"]
        kept = [[item["text"] for item in turn["items"] if item["type"] == "agentMessage"] for turn in turns]
        need(kept[0] == [said] and kept[1] and kept[1][0], kept)
        told = []
        client.say(thread, "Thank you.")
        need(client.until("turn/completed", told)["turn"]["status"] == "completed", told[-1])
    with step(f"{wire}: what is too long for its context is called that"):
        long = client.call("thread/start", cwd=str(work), model=listed[0])["thread"]["id"]
        client.say(long, "word " * CONTEXT * 2)
        error = client.until("turn/completed", [])["turn"]["error"]
        need(error and error["codexErrorInfo"] == "contextWindowExceeded", error)
    client.end()


def main():
    failed = []

    class Step:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            pass

        def __exit__(self, _, fault, __):
            if fault is not None and not isinstance(fault, Exception):
                return False
            print(f"{'FAILED ' if fault else 'ok     '} {self.name}{f': {fault}' if fault else ''}", flush=True)
            if fault:
                failed.append(self.name)
            return True

    with tempfile.TemporaryDirectory(prefix="models-") as kept:
        folder, port = Path(kept), free_port()
        log = open(folder / "llama.log", "w")
        server = subprocess.Popen(
            [os.environ["LLAMA_SERVER"], "-m", os.environ["GGUF"], "--host", "127.0.0.1", "--port", str(port), "--jinja",
             "-c", str(CONTEXT), "-np", "1"], stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"{url}/health", timeout=1)
                    break
                except OSError:
                    need(server.poll() is None, (folder / "llama.log").read_text()[-2000:])
                    time.sleep(0.2)
            for wire in ("responses", "chat"):
                converse(Step, url, wire, folder)
        finally:
            server.terminate()
            server.wait()
    sys.exit(1 if failed else 0)


main()
