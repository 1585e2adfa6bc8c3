"""A relay of the same binary beside the server, and the cables that lead to it, which can be cut."""

import http.client
import json
import os
import socket
import subprocess
import threading
import time


class Cable:
    """Passes on what comes to a port of its own."""

    def __init__(self, port):
        self.to = port
        self.ends = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                near.close()
                continue
            with self.lock:
                self.ends = [(a, b) for a, b in self.ends if a.fileno() >= 0] + [(near, far)]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=pair, daemon=True).start()

    def carry(self, source, sink):
        try:
            while chunk := source.recv(65536):
                sink.sendall(chunk)
        except OSError:
            pass
        hang_up((source, sink))

    def cut(self):
        """Ends everything that goes through; new connections are passed on."""
        with self.lock:
            ends, self.ends = self.ends, []
        for pair in ends:
            hang_up(pair)


def hang_up(pair):
    for end in pair:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # The other direction has done it.


class Relay:
    """Stands for another machine: it has a home of its own, and the right time."""

    def __init__(self, home):
        self.home = home
        self.environment = dict(os.environ, CODEX_HOME=home)
        self.log = f"{home}/log"
        with open(self.log, "wb") as log:
            command = [os.environ["SERVER"], "relay", "--listen", "http://127.0.0.1:0"]
            self.process = subprocess.Popen(command, env=self.environment, stderr=log, stdout=subprocess.DEVNULL)
        self.port = self.wait_for_port()
        token = subprocess.check_output([os.environ["SERVER"], "relay", "token", "add", "soak"], env=self.environment)
        self.token_file = f"{home}/token"
        with open(os.open(self.token_file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(token)
        self.to_machine, self.to_phone = Cable(self.port), Cable(self.port)

    def wait_for_port(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with open(self.log) as log:
                _, found, rest = log.read().partition("page for phones: http://127.0.0.1:")
            if found and "/" in rest:
                return int(rest.split("/")[0])
            time.sleep(0.05)
        raise RuntimeError("the relay does not start")

    def settings(self, _home):
        """What a server needs in its app-server.toml."""
        return (
            f'[remote_control]\nrelay = "http://127.0.0.1:{self.to_machine.port}"\n'
            f'relay_token_file = "{self.token_file}"\nbackoff_first_milliseconds = 100\nbackoff_most_milliseconds = 2000\n'
        )

    def pair(self, client):
        """A new device: its token, and the machine that it may reach. `client` is connected to the machine."""
        until = time.monotonic() + 60
        while client.call("remoteControl/status/read", None)["status"] != "connected":
            if time.monotonic() > until:
                raise RuntimeError("the server does not reach the relay")
            time.sleep(0.1)
        code = client.call("remoteControl/pairing/start", {"manualCode": True})["manualPairingCode"]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = json.dumps({"code": code, "name": "soak"})
        connection.request("POST", "/api/claim", body, {"Content-Type": "application/json", "Host": "localhost"})
        answer = connection.getresponse()
        view = json.loads(answer.read())
        token = answer.getheader("set-cookie").split("=", 1)[1].split(";")[0]
        connection.close()
        return token, view["environmentId"]

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)
