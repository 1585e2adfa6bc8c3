"""What is left when everybody has gone."""

import time

from record import NAMES, SAID, count, fault

MOST_DESCRIPTORS = 64
MOST_OS_THREADS = 40
MOST_MIB_A_MINUTE = 2

# In a shorter run caches are still filling.
SHORTEST_FOR_A_SLOPE = 300


def judge(server, samples, marks, process, seconds):
    client = server.connect("soak-judge")
    names(client)
    texts(client)
    client.close()
    time.sleep(3)
    last = server.sample(process)
    print("at the end: " + ", ".join(f"{name} {value:.4g}" for name, value in last.items()))
    if last["descriptors"] > MOST_DESCRIPTORS:
        fault(f"{last['descriptors']} descriptors are left open")
    if last["OS threads"] > MOST_OS_THREADS:
        fault(f"{last['OS threads']} threads are left")
    memory(samples, marks, seconds)


def names(client):
    """Nothing is lost that was acknowledged."""
    for thread, name in list(NAMES.items()):
        kept = client.call("thread/read", {"threadId": thread})["thread"]["name"]
        # A change that was on its way when the connection ended may have been made.
        if kept is None or int(kept.rsplit(" ", 1)[1]) < int(name.rsplit(" ", 1)[1]):
            fault(f"lost: {name!r} was acknowledged, and {kept!r} is there")


def texts(client):
    """What the phone said is in its thread once."""
    threads = {}
    for text, (thread, acknowledged) in SAID.items():
        threads.setdefault(thread, []).append((text, acknowledged))
    for thread, said in threads.items():
        turns = client.call("thread/read", {"threadId": thread, "includeTurns": True})["thread"]["turns"]
        items = [item for turn in turns for item in turn["items"] if item["type"] == "userMessage"]
        heard = [part["text"] for item in items for part in item["content"] if part["type"] == "text"]
        for text, acknowledged in said:
            times = heard.count(text)
            # What was on its way when its stream ended may have arrived.
            if times != 1 and (acknowledged or times > 1):
                fault(f"{text!r} was said once, and is there {times} times")
            count("texts of the phone that are there once", times == 1)


def memory(samples, marks, seconds):
    """The slope of the memory of the last server, behind its first minute, without its loaded threads."""
    since = max([at for at, words in marks if words == "upgrade"], default=0) + min(60, seconds / 10)
    known = [(it["at"], it["memory without them, MiB"]) for it in samples if it["at"] > since]
    known = [(at, value) for at, value in known if value is not None]
    half = len(known) // 2
    if half <= 10:
        return
    first, second = (sorted(value for _, value in part)[len(part) // 2] for part in (known[:half], known[half:]))
    slope = (second - first) / ((known[-1][0] - known[0][0]) / 2 / 60)
    print(f"memory without loaded threads: {first:.1f} MiB, then {second:.1f} MiB: {slope:+.2f} MiB a minute")
    if seconds >= SHORTEST_FOR_A_SLOPE and slope > MOST_MIB_A_MINUTE:
        fault(f"memory grows by {slope:.2f} MiB a minute")
