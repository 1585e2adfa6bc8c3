"""The server that is soaked, as a process."""

import os
import re
import socket
import subprocess
import threading
import time

from clock import Clock
from wire import Client, Gone

# Shorter than its default, so that the number of threads in memory settles within minutes.
THREAD_IDLE_SECONDS = 60

# Memory of one loaded thread that does nothing: measured with 733 of them.
KIB_OF_A_LOADED_THREAD = 5.4


class Server:
    """The process that serves now; an upgrade puts another one in its place."""

    def __init__(self, home, model, relay):
        self.home = home
        self.clients = []
        self.lock = threading.Lock()
        self.clock = Clock(home)
        self.socket = f"{home}/app-server-control/app-server-control.sock"
        with open(f"{home}/config.toml", "w") as file:
            file.write(
                f'model = "loopback"\nmodel_provider = "loopback"\napproval_policy = "on-request"\n'
                f'[model_providers.loopback]\nname = "loopback"\nbase_url = "{model.url}"\nwire_api = "responses"\n'
                # Commands have the clock of the machine.
                '[shell_environment_policy]\nexclude = ["LD_PRELOAD", "SOAK_CLOCK"]\n'
            )
        with open(f"{home}/app-server.toml", "w") as file:
            file.write(f"[limits]\nthread_idle_seconds = {THREAD_IDLE_SECONDS}\n{relay.settings(home)}")
        self.log = open(f"{home}/log", "wb")
        environment = dict(os.environ, CODEX_HOME=home, **self.clock.environment)
        self.process = subprocess.Popen(
            [os.environ["SERVER"], "--listen", "unix://", "--remote-control"],
            env=environment, stderr=self.log, stdout=subprocess.DEVNULL,
        )
        self.connect().close()

    def connect(self, name="soak", patience=90):
        until = time.monotonic() + patience
        while True:
            try:
                client = Client(self.socket, name)
                with self.lock:
                    self.clients = [it for it in self.clients if not it.closed] + [client]
                return client
            except Gone as gone:
                if time.monotonic() > until:
                    raise RuntimeError(f"no server: {gone}") from gone
                time.sleep(0.1)

    def id(self):
        client = self.connect("soak-judge")
        number = client.call("server/diagnostics", {})["process"]["id"]
        client.close()
        return number

    def loaded_threads(self):
        """How many threads are in memory, as its metrics say; `None` if it does not answer."""
        try:
            with socket.socket(socket.AF_UNIX) as stream:
                stream.settimeout(5)
                stream.connect(self.socket)
                stream.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                text = b""
                while chunk := stream.recv(65536):
                    text += chunk
        except OSError:
            return None
        found = re.search(rb"^codex_app_server_threads_loaded (\d+)", text, re.MULTILINE)
        return int(found[1]) if found else None

    def sample(self, process):
        """Memory in MiB, descriptors and threads of a process; `None` for one that is gone."""
        names = ("memory, MiB", "loaded threads", "memory without them, MiB", "OS threads", "descriptors")
        try:
            with open(f"/proc/{process}/status") as file:
                lines = dict(line.split(":", 1) for line in file)
            memory = int(lines["VmRSS"].split()[0]) / 1024
            loaded = self.loaded_threads()
            rest = memory - loaded * KIB_OF_A_LOADED_THREAD / 1024 if loaded is not None else None
            values = (memory, loaded, rest, int(lines["Threads"]), len(os.listdir(f"/proc/{process}/fd")))
        except (OSError, KeyError):
            values = (None,) * len(names)
        return dict(zip(names, values))
