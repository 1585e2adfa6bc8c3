"""See `run`. One server; several kinds of clients at once, each in a thread of its own; disturbances one after another."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "clients"))
import work
from chart import draw
from judge import judge
from model import Model
from record import COUNTS, FAULTS, STOP, fault
from relay import Relay
from server import Server

# When the clock is set, by how much, and how far it is off then, in seconds.
CLOCK = [(0.1, "+1 h", 3600), (0.3, "-2 h", -3600), (0.62, "+1 day", 23 * 3600), (0.82, "right", 0)]

SECONDS = int(os.environ["SECONDS_TO_RUN"])


def disk_full(home):
    """Fills the disk, and makes room again."""
    path = f"{home}/filling"
    try:
        with open(path, "wb") as file:
            while True:
                file.write(b"\0" * 65536)
                file.flush()
    except OSError:
        pass
    time.sleep(min(10, SECONDS / 20))
    os.remove(path)


class Soak:
    """The server, what is around it, and what was measured of it."""

    def __init__(self, home):
        self.home = home
        self.relay = Relay(tempfile.mkdtemp(prefix="soak-relay-"))
        self.model = Model()
        self.server = Server(home, self.model, self.relay)
        self.process, self.began = self.server.process.pid, time.monotonic()
        self.marks, self.samples = [], []
        self.aside = []

    def at(self):
        return time.monotonic() - self.began

    def hang_up(self):
        os.kill(self.process, signal.SIGHUP)

    def upgrade(self):
        os.kill(self.process, signal.SIGUSR2)
        if self.server.process.wait(120) != 0:
            fault(f"the server that handed over ended with {self.server.process.returncode}")
        self.process = self.server.id()

    def beside(self, work):
        """Runs `work` while everything is measured."""
        self.aside.append(threading.Thread(target=work))
        self.aside[-1].start()

    def step(self, seconds):
        """Sets the clock of the server that far off, and looks whether it goes by it."""
        self.server.clock.step(seconds)
        client = self.server.connect("soak-clock")
        made = client.call("thread/start", {"ephemeral": True})["thread"]["createdAt"]
        client.close()
        if abs(made - time.time() - seconds) > 5:
            fault(f"the clock of the server is {made - time.time():+.0f} s off, and not {seconds:+d} s")

    def plan(self, is_own_disk):
        """What happens when, in parts of the time."""
        plan = [(0.2, "SIGHUP", self.hang_up), (0.5, "upgrade", lambda: self.beside(self.upgrade)), (0.9, "SIGHUP", self.hang_up)]
        if is_own_disk:
            plan.append((0.72, "disk full", lambda: self.beside(lambda: disk_full(self.home))))
        if self.server.clock.environment:
            for part, words, seconds in CLOCK:
                plan.append((part, f"clock {words}", lambda seconds=seconds: self.beside(lambda: self.step(seconds))))
        return sorted(plan, key=lambda it: it[0])

    def run(self, is_own_disk):
        client = self.server.connect("soak-pairing")
        device = self.relay.pair(client)
        client.close()
        workers = [work.churn, work.churn, work.rename, work.rename, work.turns, work.turns, work.flood, work.stall]
        workers += [work.talk(self.relay, device), work.cut(self.relay)]
        threads = [threading.Thread(target=it, args=[self.server], daemon=True, name=it.__name__) for it in workers]
        for thread in threads:
            thread.start()
        plan = self.plan(is_own_disk)
        while self.at() < SECONDS:
            if plan and self.at() >= plan[0][0] * SECONDS:
                _, words, disturb = plan.pop(0)
                self.marks.append((self.at(), words))
                disturb()
            self.samples.append({"at": self.at(), **self.server.sample(self.process)})
            time.sleep(1)
        for thread in self.aside:
            thread.join()
        STOP.set()
        for thread in threads:
            thread.join(120)
            if thread.is_alive():
                clients = [it for it in self.server.clients if it.name == thread.name and it.waits_for]
                fault(f"{thread.name} still waits: {[it.waits_for for it in clients]}")

    def end(self):
        os.kill(self.process, signal.SIGTERM)
        while os.path.exists(f"/proc/{self.process}"):
            time.sleep(0.1)
        if self.relay.stop() != 0:
            fault(f"the relay ended with {self.relay.process.returncode}")
        self.server.log.close()
        self.model.stop()


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    out = os.environ["OUT"]
    home = tempfile.mkdtemp(prefix="soak-")
    is_own_disk = os.geteuid() == 0 and subprocess.call(["mount", "-t", "tmpfs", "-o", "size=256m,mode=700", "soak", home]) == 0
    if not is_own_disk:
        print("left out: the full disk (needs root)")
    soak = Soak(home)
    if not soak.server.clock.environment:
        print("left out: steps of the clock (need a C compiler)")
    soak.run(is_own_disk)
    judge(soak.server, soak.samples, soak.marks, soak.process, SECONDS)
    soak.end()
    draw(f"{out}/soak.svg", soak.samples, soak.marks)
    subprocess.call(["cp", f"{home}/log", f"{out}/soak.log"])
    subprocess.call(["cp", soak.relay.log, f"{out}/relay.log"])
    if is_own_disk:
        subprocess.call(["umount", home])
    for what in sorted(COUNTS):
        print(f"{COUNTS[what]:>9}  {what}")
    print(f"chart: {out}/soak.svg")
    for text in FAULTS[:20]:
        print(f"FAULT: {text}")
    print("failed" if FAULTS else "passed")
    sys.exit(1 if FAULTS else 0)


main()
