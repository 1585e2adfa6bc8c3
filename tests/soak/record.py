"""What the soak has seen: faults, and how often what happened. Every thread writes into it."""

import threading

FAULTS = []
STOP = threading.Event()
COUNTS = {}
# The name of each thread that was acknowledged last.
NAMES = {}
# What a phone has said: text -> (thread, whether it was acknowledged).
SAID = {}
LOCK = threading.Lock()


def count(what, number=1):
    with LOCK:
        COUNTS[what] = COUNTS.get(what, 0) + number


def fault(text):
    with LOCK:
        FAULTS.append(text)


def refused_for_a_reason(method, error):
    """A full disk, or a server that ends: nothing is promised. Everything else is a fault."""
    count(f"refused: {method}")
    if not any(reason in str(error) for reason in ("disk", "ending", "shutting down", "drain")):
        fault(f"{method}: {error}")


def answered_once(answers, who):
    """`answers` says how often each request was answered."""
    for number, times in answers.items():
        if times != 1:
            fault(f"{who}: request {number} was answered {times} times")
    count("requests answered", len(answers))
