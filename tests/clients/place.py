"""Where a client's day happens: a folder with two homes and a project, the model, and our server."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from model import Model

CONFIG = """
model = "scripted"
model_provider = "scripted"
approval_policy = "on-request"
sandbox_mode = "workspace-write"
check_for_update_on_startup = false
[analytics]
enabled = false
[feedback]
enabled = false
[model_providers.scripted]
name = "Scripted"
base_url = "{url}"
wire_api = "responses"
[projects."{work}"]
trust_level = "trusted"
"""


class Place:
    """`folder` is removed at the end; everything that was started has ended by then."""

    def __init__(self):
        self.kept = tempfile.TemporaryDirectory(prefix="clients-")
        self.folder = Path(self.kept.name)
        self.model = Model()
        self.work = self.folder / "work"
        self.home, self.client_home = self.folder / "server", self.folder / "client"
        self.server = None
        self.socket = self.folder / "s.sock"
        for folder in (self.work, self.home, self.client_home):
            folder.mkdir()
        for home in (self.home, self.client_home):
            (home / "config.toml").write_text(CONFIG.format(url=self.model.url, work=self.work))
        (self.work / "notes.txt").write_text("one\n")
        skill = self.work / ".agents/skills/tidy/SKILL.md"
        skill.parent.mkdir(parents=True)
        skill.write_text("---\nname: tidy\ndescription: puts a room in order\n---\nBegin with the window.\n")
        git = ["git", "-c", "user.name=me", "-c", "user.email=me@example.com", "-C", str(self.work)]
        for words in (["init", "--quiet", "--initial-branch", "main"], ["add", "."], ["commit", "--quiet", "-m", "one"]):
            subprocess.run(git + words, check=True, env=self.environment(self.client_home))

    def environment(self, home, **more):
        """No account of this machine, and no way beyond loopback."""
        nowhere = "http://127.0.0.1:9"
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "CODEX_HOME": str(home), "LANG": "C.UTF-8",
                "TERM": "xterm-256color", "HTTPS_PROXY": nowhere, "HTTP_PROXY": nowhere,
                "NO_PROXY": "127.0.0.1,localhost", "TMUX_TMPDIR": str(self.folder)} | more

    def serve(self, *words, program=None):
        """Starts our server or another one, by default on the Unix socket, and returns when it listens."""
        words = words or ("--listen", f"unix://{self.socket}")
        log = open(self.folder / "server.log", "a+")
        start = log.seek(0, os.SEEK_END)
        command = (program or os.environ["SERVER"].split()) + list(words)
        self.server = subprocess.Popen(command, cwd=self.work, env=self.environment(self.home), stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log)
        for _ in range(300):
            log.seek(start)
            said = log.read()
            if self.socket.exists() or "listening on" in said:
                return said
            if self.server.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"the server did not start:\n{said}")

    def stop_server(self):
        if self.server:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(timeout=30)
            self.server = None

    def log(self):
        return (self.folder / "server.log").read_text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_server()
        self.model.stop()
        self.kept.cleanup()
