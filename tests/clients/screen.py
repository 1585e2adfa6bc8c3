"""A terminal of 80 columns and 24 rows, in tmux, and what is on it."""

import itertools
import re
import subprocess
import time

PATIENCE = 20
"""Seconds until an awaited text counts as missing."""

NAME = "clients"

numbers = itertools.count()


class Screen:
    """One program on one terminal. The tmux server is ours alone: its socket is in the place's folder."""

    def __init__(self, command, environment, cwd):
        self.environment, self.socket, self.said = environment, f"screen-{next(numbers)}", ""
        variables = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", NAME, "-x", "80", "-y", "24", "-c", str(cwd), *variables,
                  *command)
        self.tmux("set-option", "-g", "remain-on-exit", "on")

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-L", self.socket, *words], env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"tmux {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def shown(self):
        return self.tmux("capture-pane", "-p", "-t", NAME).rstrip()

    def past(self):
        """What is shown and what has scrolled away."""
        return self.tmux("capture-pane", "-p", "-S", "-", "-t", NAME).rstrip()

    def key(self, *names):
        self.tmux("send-keys", "-t", NAME, *names)

    def write(self, text):
        """Types a text, and returns when the last of it is to be seen."""
        self.tmux("send-keys", "-t", NAME, "-l", text)
        self.wait(re.escape(text.splitlines()[-1][-12:]))
        # The program takes keys that follow each other at once for a pasted text, in which Enter is a line break.
        time.sleep(0.4)

    def say(self, text):
        self.write(text)
        self.said = text
        self.key("Enter")

    def since(self):
        """What is shown below the last thing that was said, or all, where that is not to be seen."""
        return self.past().rpartition(f"› {self.said}\n")[2] if self.said else self.shown()

    def wait(self, pattern, seconds=PATIENCE):
        """Waits until the pattern is on the screen, below what was said last."""
        return self.until(lambda: re.search(pattern, self.since()), f"`{pattern}` on the screen", seconds)

    def gone(self, pattern, seconds=PATIENCE):
        """Waits until the pattern is no longer on the screen."""
        return self.until(lambda: not re.search(pattern, self.shown()), f"`{pattern}` off the screen", seconds)

    def ended(self, seconds=PATIENCE):
        """Waits for the end of the program, and returns its exit code."""
        self.until(lambda: not self.is_open(), "the end of the program", seconds)
        return int(self.tmux("display-message", "-p", "-t", NAME, "#{pane_dead_status}").strip() or -1)

    @staticmethod
    def until(happened, what, seconds=PATIENCE, pause=0.05):
        deadline = time.monotonic() + seconds
        while not (result := happened()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} not within {seconds} s")
            time.sleep(pause)
        return result

    def is_open(self):
        """Whether the program runs."""
        try:
            return self.tmux("display-message", "-p", "-t", NAME, "#{pane_dead}").strip() == "0"
        except RuntimeError:
            return False

    def close(self):
        try:
            self.tmux("kill-server")
        except RuntimeError:
            pass
