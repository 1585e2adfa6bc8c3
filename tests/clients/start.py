"""How long the official terminal program takes from its start to its prompt, at its own server and at ours.

Runs alternate, because a machine is not equally fast all the time. Prints the times, their medians, and the ratio.

    SERVER=target/release/codex-app-server tests/clients/run start

RUNS names another number of runs than seven.
"""

import os
import statistics
import time

from place import Place
from screen import Screen

CODEX = os.environ["CLIENTS"] + "/codex/node_modules/.bin/codex"
PROMPT = "Ask Codex to do anything"

PAUSE = 0.005
"""Seconds between two looks at the screen."""


def to_prompt(place):
    """Seconds from the start of the program to its prompt."""
    began = time.monotonic()
    screen = Screen([CODEX, "--remote", f"unix://{place.socket}"], place.environment(place.client_home), place.work)
    try:
        Screen.until(lambda: PROMPT in screen.shown(), "the prompt", pause=PAUSE)
        return time.monotonic() - began
    finally:
        screen.close()


def main():
    runs = int(os.environ.get("RUNS", 7))
    with Place() as theirs, Place() as ours:
        theirs.serve("app-server", "--listen", f"unix://{theirs.socket}", program=[CODEX])
        ours.serve()
        times = {"its own server": [], "ours": []}
        for run in range(runs + 1):
            for name, place in (("its own server", theirs), ("ours", ours)):
                taken = to_prompt(place)
                # The first run of each reads the program from disk.
                if run:
                    times[name].append(taken)
        for name, taken in times.items():
            each = " ".join(f"{seconds * 1000:.0f}" for seconds in taken)
            print(f"{name}: median {statistics.median(taken) * 1000:.0f} ms ({each})")
        ratio = statistics.median(times["ours"]) / statistics.median(times["its own server"])
        print(f"ours takes {ratio:.2f} times as long")


if __name__ == "__main__":
    main()
