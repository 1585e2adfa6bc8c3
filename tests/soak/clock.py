"""The wall clock of the server. The clock of the machine is never set: only root may, and everything on it would see it.

A time namespace has monotonic clocks of its own, but no wall clock. libfaketime moves the sleeps that wait for a monotonic
clock, too (0.9.10: `clock_nanosleep` fails after a step), so that what it shows says little about the server. Therefore
clock.c stands between the server and the system, and adds what a file says to the wall clock alone."""

import os
import shutil
import struct
import subprocess


class Clock:
    """`environment` is empty where there is no C compiler."""

    def __init__(self, folder):
        self.file = f"{folder}/clock"
        self.environment = {}
        if shutil.which("cc"):
            library = f"{folder}/clock.so"
            source = os.path.join(os.path.dirname(__file__), "clock.c")
            subprocess.check_call(["cc", "-O2", "-shared", "-fPIC", "-o", library, source])
            with open(self.file, "wb") as file:
                file.write(struct.pack("=q", 0))
            self.environment = {"LD_PRELOAD": library, "SOAK_CLOCK": self.file}

    def step(self, seconds):
        """From now on the clock is that far from the right time."""
        with open(self.file, "r+b") as file:
            file.write(struct.pack("=q", seconds))
