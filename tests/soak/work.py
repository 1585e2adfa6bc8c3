"""What clients do, each kind in threads of its own, until the end."""

import random
import time

from phone import Lost, Phone
from record import LOCK, NAMES, SAID, STOP, answered_once, count, fault, refused_for_a_reason
from wire import Gone


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


def new_thread(client, params):
    """The id of a new thread, or `None` if it was refused for a reason."""
    try:
        return client.call("thread/start", params)["thread"]["id"]
    except RuntimeError as error:
        refused_for_a_reason("thread/start", error)
        time.sleep(0.5)
        return None


def leave(client, thread, who):
    """Every other thread is archived, which unloads it; the others are unloaded when they have been idle."""
    if random.randrange(2):
        try:
            client.call("thread/archive", {"threadId": thread})
            count("threads archived")
        except RuntimeError as error:
            refused_for_a_reason("thread/archive", error)
    answered_once(client.answers, who)
    client.close()


@again_and_again
def churn(server):
    """Clients come, ask a little, and go, some of them rudely."""
    client = server.connect("churn")
    for _ in range(random.randrange(5)):
        client.call("thread/list", {"limit": 5})
    answered_once(client.answers, "churn")
    client.close()
    count("clients that came and went")


@again_and_again
def rename(server):
    """What was acknowledged is remembered, and asked for at the end."""
    client = server.connect("rename")
    thread = new_thread(client, {})
    if thread is None:
        return
    for number in range(200):
        if STOP.is_set():
            break
        name = f"{thread} {number}"
        try:
            client.call("thread/name/set", {"threadId": thread, "name": name})
        except RuntimeError as error:
            refused_for_a_reason("thread/name/set", error)
            time.sleep(0.5)
            continue
        with LOCK:
            NAMES[thread] = name
        count("changes acknowledged")
        time.sleep(0.005)
    leave(client, thread, "rename")


@again_and_again
def turns(server):
    """Turns with tools and approvals. Every turn that began ends."""
    client = server.connect("turns")
    thread = new_thread(client, {"cwd": server.home})
    if thread is None:
        return
    for _ in range(20):
        if STOP.is_set():
            break
        text = random.choice(["hello", "run: echo one", "ask: echo two", "think: deeply", "slow: 0.3", "fail: 400"])
        try:
            turn = client.call("turn/start", {"threadId": thread, "input": [{"type": "text", "text": text}]})["turn"]["id"]
        except RuntimeError as error:
            refused_for_a_reason("turn/start", error)
            time.sleep(0.5)
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
    leave(client, thread, "turns")


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
    answered_once(client.answers, "flood")
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


def talk(relay, device):
    """A phone talks to the model; its cables are cut now and then. Each text is said once, whatever happens to the cables."""

    @again_and_again
    def phone(server):
        it = None
        try:
            it = Phone(relay.to_phone.port, *device)
            thread = new_thread(it, {"cwd": server.home})
            while thread is not None and not STOP.is_set():
                say_once(it, thread)
                time.sleep(0.05)
        except Lost:
            count("streams of the phone that ended")
        finally:
            if it is not None:
                answered_once(it.answers, "phone")
                it.close()

    return phone


def say_once(phone, thread):
    text = f"phone {len(SAID)}"
    with LOCK:
        SAID[text] = (thread, False)
    try:
        turn = phone.call("turn/start", {"threadId": thread, "input": [{"type": "text", "text": text}]})["turn"]["id"]
    except RuntimeError as error:
        refused_for_a_reason("turn/start", error)
        time.sleep(0.5)
        return
    with LOCK:
        SAID[text] = (thread, True)
    ended = lambda it: it.get("method") == "turn/completed" and it["params"]["turn"]["id"] == turn
    phone.wait_for("the end of a turn", ended)
    count("turns of the phone that ended")


def cut(relay):
    """Cuts the cable of the phone or of the machine."""

    def run(_server):
        while not STOP.wait(random.uniform(2, 8)):
            random.choice([relay.to_machine, relay.to_phone]).cut()
            count("cables cut")

    run.__name__ = "cut"
    return run
