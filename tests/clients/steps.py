"""One line for each step of a client's day."""

import sys
import traceback
from contextlib import contextmanager


class Skip(Exception):
    """The step cannot be taken here; the text says why."""


class Steps:
    """Prints `ok`, `FAILED` or `skipped` and the step's name. `only` limits the day to some steps."""

    def __init__(self, client):
        self.client, self.failed, self.look = client, 0, lambda: ""

    @contextmanager
    def step(self, name):
        try:
            yield
            print(f"ok      {self.client}: {name}", flush=True)
        except Skip as why:
            print(f"skipped {self.client}: {name}: {why}", flush=True)
        except Exception as fault:
            self.failed += 1
            reason = str(fault) or traceback.format_exc()
            print(f"FAILED  {self.client}: {name}: {reason}", flush=True)
            for line in self.look().splitlines():
                print(f"        | {line}", flush=True)

    def end(self):
        sys.exit(1 if self.failed else 0)


def need(condition, what):
    """Fails the step with the words `what`."""
    if not condition:
        raise AssertionError(what)
