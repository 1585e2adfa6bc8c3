"""A client on the Unix socket of a server: WebSocket text frames with JSON-RPC, by the standard library alone."""

import base64
import json
import os
import socket
import struct


class Gone(Exception):
    """The server has closed the connection, or there is none."""


class Client:
    """One connection, used by one thread. `answers` counts the answers to each id, `asked` the requests."""

    def __init__(self, path, name="soak", timeout=60):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.buffer = b""
        self.last = 0
        self.answers = {}
        self.notifications = []
        self.requests = []
        self.name = name
        self.closed = False
        self.waits_for = None
        try:
            self.socket.connect(path)
            key = base64.b64encode(os.urandom(16)).decode()
            self.socket.sendall(
                (
                    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
                ).encode()
            )
            while b"\r\n\r\n" not in self.buffer:
                self.more()
        except OSError as error:
            raise Gone(str(error)) from error
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0] + b" ":
            raise Gone(head.split(b"\r\n")[0].decode())
        info = {"name": name, "title": None, "version": "1.0"}
        self.call("initialize", {"clientInfo": info, "capabilities": {"experimentalApi": True}})
        self.send({"method": "initialized"})

    def more(self):
        chunk = self.socket.recv(65536)
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
            self.socket.sendall(head + mask + masked)
        except OSError as error:
            raise Gone(str(error)) from error

    def take(self, length):
        while len(self.buffer) < length:
            self.more()
        taken, self.buffer = self.buffer[:length], self.buffer[length:]
        return taken

    def receive(self):
        """The next message."""
        try:
            while True:
                first, second = self.take(2)
                length = second & 0x7F
                if length == 126:
                    (length,) = struct.unpack("!H", self.take(2))
                elif length == 127:
                    (length,) = struct.unpack("!Q", self.take(8))
                payload = self.take(length)
                if first & 0xF == 1:
                    message = json.loads(payload)
                    if "id" in message and "method" not in message:
                        self.answers[message["id"]] = self.answers.get(message["id"], 0) + 1
                    return message
                if first & 0xF == 8:
                    raise Gone("closed in good order")
                if first & 0xF == 9:
                    self.socket.sendall(struct.pack("!BB", 0x8A, 0x80) + b"\0\0\0\0")
        except OSError as error:
            raise Gone(str(error)) from error

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
