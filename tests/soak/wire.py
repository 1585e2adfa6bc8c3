"""A client of a server: WebSocket text frames with JSON-RPC, by the standard library alone."""

import base64
import json
import os
import socket
import struct


class Gone(Exception):
    """The other side has closed the connection, or there is none. `code` is that of its close frame."""

    def __init__(self, text, code=None):
        super().__init__(text)
        self.code = code


class WebSocket:
    """The client's end of a WebSocket on `stream`, which is connected."""

    def __init__(self, stream, path="/", headers=""):
        self.stream = stream
        self.buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        try:
            self.stream.sendall(
                (
                    f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{headers}\r\n"
                ).encode()
            )
            while b"\r\n\r\n" not in self.buffer:
                self.more()
        except OSError as error:
            raise Gone(str(error)) from error
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0] + b" ":
            raise Gone(head.split(b"\r\n")[0].decode())

    def more(self):
        chunk = self.stream.recv(65536)
        if not chunk:
            raise Gone("closed")
        self.buffer += chunk

    def send(self, message):
        payload = json.dumps(message).encode()
        mask = os.urandom(4)
        length = len(payload)
        if length < 126:
            head = struct.pack("!BB", 0x81, 0x80 | length)
        elif length < 65536:
            head = struct.pack("!BBH", 0x81, 0xFE, length)
        else:
            head = struct.pack("!BBQ", 0x81, 0xFF, length)
        repeated = (mask * (length // 4 + 1))[:length]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")
        try:
            self.stream.sendall(head + mask + masked)
        except OSError as error:
            raise Gone(str(error)) from error

    def frame(self):
        """The first byte and the payload of the next frame. One that came in part before a time-out is read again."""
        at = 2
        self.need(at)
        length = self.buffer[1] & 0x7F
        if length > 125:
            at, form = (4, "!H") if length == 126 else (10, "!Q")
            self.need(at)
            (length,) = struct.unpack(form, self.buffer[2:at])
        self.need(at + length)
        first, payload = self.buffer[0], self.buffer[at : at + length]
        self.buffer = self.buffer[at + length :]
        return first, payload

    def need(self, length):
        while len(self.buffer) < length:
            self.more()

    def receive(self):
        """The next text message. `TimeoutError` if the time limit of the stream is over before; nothing is lost then."""
        try:
            while True:
                first, payload = self.frame()
                if first & 0xF == 1:
                    return json.loads(payload)
                if first & 0xF == 8:
                    code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else None
                    raise Gone("closed in good order", code)
                if first & 0xF == 9:
                    self.stream.sendall(struct.pack("!BB", 0x8A, 0x80) + b"\0\0\0\0")
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone(str(error)) from error

    def close(self):
        self.stream.close()


class Client:
    """One connection on the Unix socket at `path`, used by one thread. `answers` counts the answers to each id."""

    def __init__(self, path, name="soak", timeout=60):
        self.name = name
        self.last = 0
        self.answers = {}
        self.notifications = []
        self.requests = []
        self.closed = False
        self.waits_for = None
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(timeout)
        try:
            stream.connect(path)
        except OSError as error:
            raise Gone(str(error)) from error
        self.socket = WebSocket(stream)
        info = {"name": name, "title": None, "version": "1.0"}
        self.call("initialize", {"clientInfo": info, "capabilities": {"experimentalApi": True}})
        self.send({"method": "initialized"})

    def send(self, message):
        self.socket.send(message)

    def receive(self):
        """The next message."""
        try:
            message = self.socket.receive()
        except TimeoutError as error:
            raise Gone("nothing came in time") from error
        if "id" in message and "method" not in message:
            self.answers[message["id"]] = self.answers.get(message["id"], 0) + 1
        return message

    def begin(self, method, params):
        self.last += 1
        self.send({"id": self.last, "method": method, "params": params})
        return self.last

    def answer_to(self, number):
        while True:
            message = self.receive()
            if message.get("id") == number and "method" not in message:
                return message
            self.keep(message)

    def keep(self, message):
        if "method" in message:
            (self.requests if "id" in message else self.notifications).append(message)

    def call(self, method, params):
        """The result, or an exception with the error."""
        self.waits_for = f"{method} {params}"
        answer = self.answer_to(self.begin(method, params))
        self.waits_for = None
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def close(self):
        self.closed = True
        self.socket.close()
