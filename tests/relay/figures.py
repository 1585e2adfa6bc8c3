"""Figures of the relay: the way from a phone to its machine, what an idle phone costs, and a crowd on one thread.

    BINARY=… python3 tests/relay/figures.py [trip] [idle] [crowd]

Everything is on loopback, ends by itself, and is printed with its goal. Use a release build.
"""

import json
import os
import re
import resource
import selectors
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

TRIPS = 2000
IDLE = 10_000
CROWD = 1_000
PATIENCE = 120
DELTA = re.compile(rb'"item/agentMessage/delta".*?"delta":"((?:[^"\\\\]|\\\\.)*)"')
SEQ = re.compile(rb'"seq_id":(\d+)')
SO_TIMESTAMPNS = 35
BLANK = "\r\n\r\n"
SETTINGS = {"relay.connections": 24_000, "relay.connections_per_address": 24_000, "relay.phone_streams": 24_000,
            "relay.server_streams": 24_000, "remote_link.streams": 4_000, "remote_link.controller_streams": 4_000,
            "remote_link.retained_envelopes": 1_000_000,
            # The way is measured, not the encryption.
            "remote_control.end_to_end": '"off"'}


class Ws:
    """A WebSocket client of the simplest kind: text frames, no fragments."""

    def __init__(self, connect, path, headers=()):
        self.socket = connect()
        if self.socket.family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        self.read = b""
        while b"\r\n\r\n" not in self.read:
            data = self.socket.recv(65536)
            if not data:
                raise SystemExit("no upgrade")
            self.read += data
        head, self.read = self.read.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise SystemExit(head.decode() + "\n" + (self.read or self.socket.recv(65536)).decode())

    def send(self, value):
        data = json.dumps(value).encode()
        size = struct.pack(">BB", 0x81, 0x80 | len(data)) if len(data) < 126 else struct.pack(">BBH", 0x81, 0xFE, len(data))
        self.socket.sendall(size + b"\0\0\0\0" + data)

    def frames(self):
        """The texts that are whole."""
        while len(self.read) >= 2:
            kind, size, start = self.read[0] & 15, self.read[1], 2
            if size == 126:
                size, start = struct.unpack_from(">H", self.read, 2)[0] if len(self.read) >= 4 else 1 << 30, 4
            elif size == 127:
                size, start = struct.unpack_from(">Q", self.read, 2)[0] if len(self.read) >= 10 else 1 << 30, 10
            if len(self.read) < start + size:
                return
            text, self.read = self.read[start:start + size], self.read[start + size:]
            if kind == 1:
                yield text
            elif kind == 8:
                raise SystemExit(f"closed: {text[2:].decode()}")

    def next(self):
        while True:
            for text in self.frames():
                return json.loads(text)
            self.read += self.socket.recv(65536)


class Direct(Ws):
    def say(self, message):
        self.send(message)

    def hear(self):
        return self.next()


class Phone(Ws):
    """A stream through the relay."""

    seq = 0

    def say(self, message):
        self.seq += 1
        self.send({"type": "client_message", "client_id": "", "seq_id": self.seq, "message": message})

    def take(self, envelope):
        """What an envelope says, which is acknowledged."""
        if "seq_id" in envelope and envelope["type"] != "welcome":
            self.send({"type": "ack", "client_id": "", "seq_id": envelope["seq_id"], "segment_id": envelope.get("segment_id")})
        return envelope.get("message") if envelope["type"] == "server_message" else None

    def hear(self):
        while True:
            message = self.take(self.next())
            if message is not None:
                return message


def call(client, number, method, params):
    client.say({"id": number, "method": method, "params": params})
    while (heard := client.hear()).get("id") != number or "method" in heard:
        pass
    if "error" in heard:
        raise SystemExit(heard["error"])
    return heard["result"]


def hello(client):
    call(client, 1, "initialize", {"clientInfo": {"name": "figures", "version": "1"}, "capabilities": {"experimentalApi": True}})
    client.say({"method": "initialized"})


class Scene:
    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.homes = [tempfile.TemporaryDirectory() for _ in range(2)]
        self.relay_home, self.home = (it.name for it in self.homes)
        with open(f"{self.home}/config.toml", "w") as file:
            file.write('model_provider = "echo"\n')
        with open(f"{self.home}/token", "w") as file:
            file.write(self.run(self.relay_home, "relay", "token", "add", "home").strip())
        words = [word for name, value in SETTINGS.items() for word in ("-c", f"app_server.{name}={value}")]
        self.relay = self.start(self.relay_home, *words, "relay", "--listen", "http://127.0.0.1:0", stderr=subprocess.PIPE)
        said = ""
        while not (found := re.search(r"page for phones: http://127\.0\.0\.1:(\d+)/", said)):
            said = self.relay.stderr.readline()
        self.port = int(found[1])
        threading.Thread(target=self.relay.stderr.read, daemon=True).start()
        self.machine = self.start(self.home, *words, "-c", f"app_server.remote_control.relay=\"http://127.0.0.1:{self.port}\"",
                                  "-c", f"app_server.remote_control.relay_token_file=\"{self.home}/token\"",
                                  "--listen", "unix://", "--listen", "ws://127.0.0.1:0", "--remote-control", stderr=subprocess.PIPE)
        said = ""
        while not (found := re.search(r"ws://127\.0\.0\.1:(\d+)", said)):
            said = self.machine.stderr.readline()
        self.direct_port = int(found[1])
        threading.Thread(target=self.machine.stderr.read, daemon=True).start()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            ended = subprocess.run([self.binary, "remote-control", "status"], env=self.environment(self.home),
                                   capture_output=True, text=True)
            if re.search("Remote control: +connected", ended.stdout):
                break
            time.sleep(0.1)
        pairing = json.loads(self.run(self.home, "remote-control", "pair", "--no-wait", "--json"))
        body = json.dumps({"code": pairing["manualPairingCode"], "name": "figures"}).encode()
        with socket.create_connection(("127.0.0.1", self.port)) as link:
            link.sendall(b"POST /api/claim HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                         b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            answer = b"".join(iter(lambda: link.recv(65536), b"")).decode()
        self.token = re.search(r"relay-device=([^;]+)", answer)[1]
        self.path = f"/api/machines/{json.loads(answer.partition(BLANK)[2])['environmentId']}/socket"

    def environment(self, home):
        return {**os.environ, "CODEX_HOME": home}

    def run(self, home, *words):
        return subprocess.check_output([self.binary, *words], env=self.environment(home), text=True)

    def start(self, home, *words, **streams):
        return subprocess.Popen([self.binary, *words], env=self.environment(home), cwd=home, text=True,
                                stdin=subprocess.DEVNULL, **streams)

    def phone(self):
        # Each address of the loopback network has ports of its own.
        return Phone(lambda: socket.create_connection(("127.0.0.1", self.port)), self.path,
                     [f"Authorization: Bearer {self.token}"])

    def direct(self):
        return Direct(lambda: socket.create_connection(("127.0.0.1", self.direct_port)), "/")

    def resident(self):
        with open(f"/proc/{self.relay.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) * 1024

    def end(self):
        for process in (self.machine, self.relay):
            process.terminate()
            process.wait()
        for home in self.homes:
            home.cleanup()


def trip(scene):
    """Both ways in turn, so that both have the same share of what else the machine does."""
    ways = {"direct": scene.direct(), "relay": scene.phone()}
    times = {name: [] for name in ways}
    for client in ways.values():
        hello(client)
    for number in range(2, TRIPS + 2):
        for name, client in ways.items():
            begun = time.perf_counter()
            call(client, number, "thread/loaded/list", {})
            times[name].append(time.perf_counter() - begun)
    middle = {name: statistics.median(all_times) * 1e6 for name, all_times in times.items()}
    late = {name: sorted(all_times)[int(len(all_times) * 0.99)] * 1e6 for name, all_times in times.items()}
    print(f"round trip: direct {middle['direct']:.0f} µs (99 %: {late['direct']:.0f}), through the relay {middle['relay']:.0f} µs "
          f"(99 %: {late['relay']:.0f}): {middle['relay'] / middle['direct']:.2f} × (goal: 2 ×)", flush=True)


def idle(scene):
    before = scene.resident()
    phones = []
    # A connection takes two descriptors in the relay, which keeps a quarter of them for other things.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(IDLE, most * 3 // 8 - 200)
    for _ in range(count):
        phones.append(scene.phone())
        phones[-1].next()
    time.sleep(2)
    each = (scene.resident() - before) / count / 1024
    print(f"{count} idle phones: {each:.1f} KiB each in the relay (goal: 40)", flush=True)
    begun = time.perf_counter()
    client = scene.phone()
    hello(client)
    print(f"one more says hello within {(time.perf_counter() - begun) * 1e3:.1f} ms", flush=True)
    for phone in phones:
        phone.socket.close()


def crowd(scene):
    own = scene.direct()
    hello(own)
    thread = call(own, 2, "thread/start", {})["thread"]["id"]
    call(own, 3, "turn/start", {"threadId": thread, "input": [{"type": "text", "text": "begin"}]})
    while own.hear().get("method") != "turn/completed":
        pass
    phones = []
    for _ in range(CROWD):
        phone = scene.phone()
        hello(phone)
        call(phone, 2, "thread/resume", {"threadId": thread})
        phones.append(phone)
    watch = selectors.DefaultSelector()
    for client in [own, *phones]:
        client.socket.setblocking(False)
        client.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        watch.register(client.socket, selectors.EVENT_READ, client)
    own.send({"id": 4, "method": "turn/start", "params": {
        "threadId": thread, "input": [{"type": "text", "text": "slow: 300\none two three four five six seven eight"}]}})
    heard, ended, deadline = {}, 0, time.monotonic() + PATIENCE
    while ended < CROWD + 1 and time.monotonic() < deadline:
        for key, _ in watch.select(1):
            client = key.data
            # The kernel says when it came, so that this client's own work does not count.
            data, notes, _, _ = client.socket.recvmsg(1 << 18, 64)
            client.read += data
            at = next((struct.unpack("qq", note[:16]) for _, kind, note in notes if kind == SO_TIMESTAMPNS), None)
            at = at[0] + at[1] / 1e9 if at else time.time()
            for text in client.frames():
                if found := DELTA.search(text):
                    heard.setdefault(found[1], {})[id(client)] = at
                ended += b'"turn/completed"' in text
                if client is not own and (seq := SEQ.search(text)):
                    client.send({"type": "ack", "client_id": "", "seq_id": int(seq[1])})
    complete = {word: times for word, times in heard.items() if len(times) == CROWD + 1}
    spans = sorted(max(times.values()) - min(times.values()) for times in complete.values())
    if not spans:
        raise SystemExit(f"no delta reached all: {[len(it) for it in heard.values()]}")
    print(f"a delta to {CROWD} phones on one thread: all have it within {statistics.median(spans) * 1e3:.0f} ms, at worst "
          f"{spans[-1] * 1e3:.0f} ms, of {len(spans)} deltas (goal: 50)", flush=True)


def main(binary, names):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for name in names or ["trip", "idle", "crowd"]:
        scene = Scene(binary)
        try:
            {"trip": trip, "idle": idle, "crowd": crowd}[name](scene)
        finally:
            scene.end()


if __name__ == "__main__":
    main(os.environ.get("BINARY", "target/release/codex-app-server"), sys.argv[1:])
