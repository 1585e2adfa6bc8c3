"""See `run`. One server; several kinds of clients at once, each in a thread of its own; disturbances one after another."""

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "clients"))
from chart import draw
from model import Model
from wire import Client, Gone

SECONDS = int(os.environ["SECONDS_TO_RUN"])
FAULTS = []
STOP = threading.Event()
COUNTS = {}
LOCK = threading.Lock()


def count(what, number=1):
    with LOCK:
        COUNTS[what] = COUNTS.get(what, 0) + number


def fault(text):
    with LOCK:
        FAULTS.append(text)


class Server:
    """The process that serves now; an upgrade puts another one in its place."""

    def __init__(self, home, model):
        self.home = home
        self.clients = []
        self.socket = f"{home}/app-server-control/app-server-control.sock"
        with open(f"{home}/config.toml", "w") as file:
            file.write(
                f'model = "loopback"\nmodel_provider = "loopback"\napproval_policy = "on-request"\n'
                f'[model_providers.loopback]\nname = "loopback"\nbase_url = "{model.url}"\nwire_api = "responses"\n'
            )
        self.log = open(f"{home}/log", "wb")
        environment = dict(os.environ, CODEX_HOME=home)
        self.process = subprocess.Popen(
            [os.environ["SERVER"], "--listen", "unix://"], env=environment, stderr=self.log, stdout=subprocess.DEVNULL
        )
        self.connect().close()

    def connect(self, name="soak", patience=90):
        until = time.monotonic() + patience
        while True:
            try:
                client = Client(self.socket, name)
                with LOCK:
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


def again_and_again(work):
    """Runs `work` until the end. A connection that the server closes is no fault while it is disturbed."""

    def run(server):
        while not STOP.is_set():
            try:
                work(server)
            except Gone:
                count("connections that ended early")
                time.sleep(0.2)
            except Exception as error:  # pylint: disable=broad-except
                fault(f"{work.__name__}: {error}")
                time.sleep(1)

    run.__name__ = work.__name__
    return run


def refused_for_a_reason(method, error):
    """A full disk, or a server that ends: nothing is promised."""
    count(f"refused: {method}")
    if not any(reason in str(error) for reason in ("disk", "ending", "shutting down", "drain")):
        fault(f"{method}: {error}")
    time.sleep(0.5)


def answered_once(client, who):
    for number, answers in client.answers.items():
        if answers != 1:
            fault(f"{who}: request {number} was answered {answers} times")
    count("requests answered", len(client.answers))


@again_and_again
def churn(server):
    """Clients come, ask a little, and go, some of them rudely."""
    client = server.connect("churn")
    for _ in range(random.randrange(5)):
        client.call("thread/list", {"limit": 5})
    answered_once(client, "churn")
    client.close()
    count("clients that came and went")


NAMES = {}


@again_and_again
def rename(server):
    """What was acknowledged is remembered, and asked for at the end."""
    client = server.connect("rename")
    try:
        thread = client.call("thread/start", {})["thread"]["id"]
    except RuntimeError as error:
        refused_for_a_reason("thread/start", error)
        return
    for number in range(200):
        if STOP.is_set():
            break
        name = f"{thread} {number}"
        try:
            client.call("thread/name/set", {"threadId": thread, "name": name})
        except RuntimeError as error:
            refused_for_a_reason("thread/name/set", error)
            continue
        with LOCK:
            NAMES[thread] = name
        count("changes acknowledged")
        time.sleep(0.005)
    answered_once(client, "rename")
    client.close()


@again_and_again
def turns(server):
    """Turns with tools and approvals. Every turn that began ends."""
    client = server.connect("turns")
    try:
        thread = client.call("thread/start", {"cwd": server.home})["thread"]["id"]
    except RuntimeError as error:
        refused_for_a_reason("thread/start", error)
        return
    for _ in range(20):
        if STOP.is_set():
            break
        text = random.choice(["hello", "run: echo one", "ask: echo two", "think: deeply", "slow: 0.3", "fail: 400"])
        try:
            turn = client.call("turn/start", {"threadId": thread, "input": [{"type": "text", "text": text}]})["turn"]["id"]
        except RuntimeError as error:
            refused_for_a_reason("turn/start", error)
            continue
        client.waits_for = f"the end of turn {turn} of thread {thread}"
        while True:
            message = client.notifications.pop(0) if client.notifications else client.receive()
            client.keep(message) if "id" in message else None
            while client.requests:
                asked = client.requests.pop(0)
                client.send({"id": asked["id"], "result": {"decision": random.choice(["accept", "decline"])}})
                count("approvals answered")
            if message.get("method") == "turn/completed" and message["params"]["turn"]["id"] == turn:
                break
        count("turns that ended")
    answered_once(client, "turns")
    client.close()


@again_and_again
def flood(server):
    """As many requests as fit, read late; none is refused."""
    client = server.connect("flood")
    numbers = [client.begin("thread/list", {"limit": 1}) for _ in range(2000)]
    time.sleep(0.5)
    refused = 0
    for number in numbers:
        refused += "error" in client.answer_to(number)
    count("requests of the flooder refused", refused)
    answered_once(client, "flood")
    client.close()
    time.sleep(1)


@again_and_again
def stall(server):
    """Never reads what it is told, until it is cut or leaves."""
    client = server.connect("stall")
    for _ in range(100):
        client.begin("thread/list", {"limit": 20})
        if STOP.wait(0.1):
            break
    client.close()


def sample(process):
    """Memory in MiB, descriptors and threads of a process; `None` for one that is gone."""
    try:
        with open(f"/proc/{process}/status") as file:
            lines = dict(line.split(":", 1) for line in file)
        memory = int(lines["VmRSS"].split()[0]) / 1024
        return {"memory, MiB": memory, "threads": int(lines["Threads"]), "descriptors": len(os.listdir(f"/proc/{process}/fd"))}
    except OSError:
        return {"memory, MiB": None, "threads": None, "descriptors": None}


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


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    home = tempfile.mkdtemp(prefix="soak-")
    is_own_disk = os.geteuid() == 0 and subprocess.call(["mount", "-t", "tmpfs", "-o", "size=256m,mode=700", "soak", home]) == 0
    if not is_own_disk:
        print("left out: the full disk (needs root)")
    model = Model()
    server = Server(home, model)
    process, began = server.process.pid, time.monotonic()
    marks, samples = [], []
    workers = [churn, churn, rename, rename, turns, turns, flood, stall]
    threads = [threading.Thread(target=work, args=[server], daemon=True, name=work.__name__) for work in workers]
    for thread in threads:
        thread.start()

    def at():
        return time.monotonic() - began

    def upgrade():
        os.kill(process, signal.SIGUSR2)

    plan = [(0.25, "SIGHUP", lambda: os.kill(process, signal.SIGHUP)), (0.5, "upgrade", upgrade)]
    if is_own_disk:
        plan.append((0.75, "disk full", lambda: threading.Thread(target=disk_full, args=[home], daemon=True).start()))
    plan.append((0.9, "SIGHUP", lambda: os.kill(process, signal.SIGHUP)))
    while at() < SECONDS:
        if plan and at() >= plan[0][0] * SECONDS:
            _, words, disturb = plan.pop(0)
            marks.append((at(), words))
            disturb()
            if words == "upgrade":
                if server.process.wait(120) != 0:
                    fault(f"the server that handed over ended with {server.process.returncode}")
                process = server.id()
        samples.append({"at": at(), **sample(process)})
        time.sleep(1)
    STOP.set()
    for thread in threads:
        thread.join(120)
        if thread.is_alive():
            waiting = [client.waits_for for client in server.clients if client.name == thread.name and client.waits_for]
            fault(f"{thread.name} still waits: {waiting}")
    judge(server, samples, marks, process)
    os.kill(process, signal.SIGTERM)
    while os.path.exists(f"/proc/{process}"):
        time.sleep(0.1)
    draw(f"{os.environ['OUT']}/soak.svg", samples, marks)
    if is_own_disk:
        subprocess.call(["cp", f"{home}/log", f"{os.environ['OUT']}/soak.log"])
        server.log.close()
        subprocess.call(["umount", home])
    model.stop()
    for what in sorted(COUNTS):
        print(f"{COUNTS[what]:>9}  {what}")
    print(f"chart: {os.environ['OUT']}/soak.svg")
    for text in FAULTS[:20]:
        print(f"FAULT: {text}")
    print("failed" if FAULTS else "passed")
    sys.exit(1 if FAULTS else 0)


def judge(server, samples, marks, process):
    """What is left when everybody has gone."""
    client = server.connect("soak-judge")
    for thread, name in list(NAMES.items()):
        kept = client.call("thread/read", {"threadId": thread})["thread"]["name"]
        # A change that was on its way when the connection ended may have been made.
        if kept is None or int(kept.rsplit(" ", 1)[1]) < int(name.rsplit(" ", 1)[1]):
            fault(f"lost: {name!r} was acknowledged, and {kept!r} is there")
    client.close()
    time.sleep(3)
    last = sample(process)
    print("at the end: " + ", ".join(f"{name} {value:g}" for name, value in last.items()))
    if last["descriptors"] > 64:
        fault(f"{last['descriptors']} descriptors are left open")
    if last["threads"] > 40:
        fault(f"{last['threads']} threads are left")
    # Of the last server, behind its first minute.
    since = max([at for at, words in marks if words == "upgrade"], default=0) + min(60, SECONDS / 10)
    known = [(s["at"], s["memory, MiB"]) for s in samples if s["at"] > since and s["memory, MiB"] is not None]
    half = len(known) // 2
    if half > 10:
        first, second = (sorted(value for _, value in part)[len(part) // 2] for part in (known[:half], known[half:]))
        minutes = (known[-1][0] - known[0][0]) / 2 / 60
        slope = (second - first) / minutes
        print(f"memory: {first:.1f} MiB, then {second:.1f} MiB: {slope:+.2f} MiB a minute")
        # In a short run caches are still filling.
        if SECONDS >= 300 and slope > 2:
            fault(f"memory grows by {slope:.2f} MiB a minute")


main()
