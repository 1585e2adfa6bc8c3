"""A phone on a stream of the relay. It comes back when its socket is cut, says again what the relay has not taken, and hears
everything once, as the relay's own page does (src/relay/page/wire.js)."""

import base64
import json
import socket
import time

from record import count
from wire import Gone, WebSocket

# Close code: the machine has lost the stream.
STREAM_LOST = 4000

# Seconds after which a phone that waits looks whether it has to say something again.
LOOK_AGAIN = 0.5

PATIENCE = 120


class Lost(Exception):
    """The stream has ended, as it does when another server takes over. What was on its way may have arrived or not."""


class Phone:
    """One stream, used by one thread. `answers` counts the answers to each id."""

    def __init__(self, port, token, environment):
        self.port, self.token, self.environment = port, token, environment
        self.socket = self.stream = None
        self.seq, self.heard = 0, (0, -1)
        self.unsaid = {}
        self.part = b""
        self.last = 0
        self.answers = {}
        self.waits_for, self.until = None, 0
        self.call("initialize", {"clientInfo": {"name": "phone", "version": "1"}, "capabilities": {"experimentalApi": True}})
        self.say({"method": "initialized"})

    def open(self):
        """Connects, and says what the relay has not taken."""
        until = time.monotonic() + PATIENCE
        query = f"?stream={self.stream}" if self.stream else ""
        while True:
            try:
                stream = socket.create_connection(("127.0.0.1", self.port), timeout=10)
                path = f"/api/machines/{self.environment}/socket{query}"
                opened = WebSocket(stream, path, f"Authorization: Bearer {self.token}\r\n")
                welcome = opened.receive()
                break
            except (Gone, OSError) as error:
                if time.monotonic() > until:
                    raise RuntimeError(f"the phone is not let in: {error}") from error
                time.sleep(0.1)
        stream.settimeout(LOOK_AGAIN)
        if self.stream and not welcome["resumed"]:
            opened.close()
            raise Lost
        self.socket, self.stream = opened, welcome["stream_id"]
        self.unsaid = {seq: message for seq, message in self.unsaid.items() if seq > welcome["seq_id"]}
        self.say_again()

    def say(self, message):
        self.seq += 1
        self.unsaid[self.seq] = message
        self.transmit(self.seq, message)

    def say_again(self):
        for seq, message in list(self.unsaid.items()):
            self.transmit(seq, message)

    def transmit(self, seq, message):
        if self.socket:
            self.envelope({"type": "client_message", "client_id": "", "seq_id": seq, "message": message})

    def envelope(self, envelope):
        try:
            self.socket.send(envelope)
        except Gone:
            pass  # The next reading sees it.

    def receive(self):
        """The next message of the machine."""
        while True:
            if time.monotonic() > self.until:
                raise RuntimeError(f"the phone still waits for {self.waits_for}")
            try:
                if self.socket is None:
                    self.open()
                message = self.take(self.socket.receive())
                if message is not None:
                    return message
            except TimeoutError:
                self.say_again()
            except Gone as gone:
                self.socket.close()
                self.socket = None
                if gone.code == STREAM_LOST:
                    raise Lost from gone
                count("sockets of the phone that were cut")

    def take(self, envelope):
        """The message that `envelope` completes, if it is new."""
        if envelope["type"] not in ("server_message", "server_message_chunk"):
            return None
        place = (envelope["seq_id"], envelope.get("segment_id", float("inf")))
        ack = {key: envelope[key] for key in ("seq_id", "segment_id") if key in envelope}
        self.envelope({"type": "ack", "client_id": "", **ack})
        if place <= self.heard:
            count("messages that the phone was sent again")
            return None
        self.heard = place
        if "message" in envelope:
            message = envelope["message"]
        else:
            self.part += base64.b64decode(envelope["message_chunk_base64"])
            if envelope["segment_id"] + 1 < envelope["segment_count"]:
                return None
            message, self.part = json.loads(self.part), b""
        if "id" in message and "method" not in message:
            self.answers[message["id"]] = self.answers.get(message["id"], 0) + 1
        return message

    def wait_for(self, what, found):
        """The first message for which `found` is true. Notifications before it are dropped."""
        self.waits_for, self.until = what, time.monotonic() + PATIENCE
        while True:
            message = self.receive()
            if found(message):
                return message

    def call(self, method, params):
        """The result, or an exception with the error."""
        self.last += 1
        number, seq = self.last, self.seq + 1
        self.say({"id": number, "method": method, "params": params})
        answer = self.wait_for(f"the answer to {method}", lambda it: it.get("id") == number and "method" not in it)
        self.unsaid.pop(seq, None)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def close(self):
        if self.socket:
            self.envelope({"type": "client_closed", "client_id": ""})
            self.socket.close()
