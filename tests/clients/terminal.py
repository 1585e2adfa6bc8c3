"""A day at the official terminal program, on 80 columns and 24 rows."""

import json
import os
import re
import subprocess
from contextlib import contextmanager

from place import Place
from screen import Screen
from steps import Steps, need

CODEX = os.environ["CLIENTS"] + "/codex/node_modules/.bin/codex"
IDLE = r"› Ask Codex to do anything"
BUSY = r"esc to interrupt|esc back|esc cancel"


class Day:
    def __init__(self, place, steps):
        self.place, self.steps, self.screen, self.words = place, steps, None, ()
        steps.look = lambda: self.screen.shown() if self.screen and self.screen.is_open() else ""

    def start(self, *words, **environment):
        """Starts the program, in place of the one before, and waits until a message can be written."""
        if self.screen:
            self.screen.close()
        self.words = words
        environment = self.place.environment(self.place.client_home, **environment)
        self.screen = Screen([CODEX, *words], environment, self.place.work)

    def codex(self, *words):
        """A command that ends by itself; returns what it said."""
        done = subprocess.run([CODEX, *words], cwd=self.place.work, env=self.place.environment(self.place.client_home),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        need(done.returncode == 0, f"`codex {words[0]}` ended with {done.returncode}: {done.stderr[-400:]}")
        return done.stdout

    def settle(self):
        """Goes back to the empty prompt, whatever is on the screen, so that a failed step leaves the next one alone."""
        for key in ("Escape", "q", "C-u", "Escape", "C-u"):
            if re.search(IDLE, self.screen.shown()) and not re.search(BUSY, self.screen.shown()):
                return
            self.screen.key(key)
            try:
                self.screen.wait(IDLE, 2)
            except TimeoutError:
                pass

    @contextmanager
    def step(self, name):
        before = self.steps.failed
        with self.steps.step(name):
            yield
        if self.steps.failed == before or not self.screen:
            return
        if self.screen.is_open():
            self.settle()
        elif self.words:
            self.start(*self.words)

    def work(self):
        with self.step("a message and its answer"):
            self.screen.wait(IDLE)
            self.screen.say("good morning")
            self.screen.wait("• You said: good morning")
        with self.step("a title appears"):
            self.screen.wait("A day with clients")
        with self.step("a command of the agent"):
            self.screen.say("run: echo from-the-agent")
            self.screen.wait(r"Ran echo from-the-agent\s+└ from-the-agent")
            self.screen.wait("The tool says: from-the-agent")
        with self.step("a patch"):
            self.screen.say("patch: new.txt hello")
            self.screen.wait(r"Added new\.txt \(\+1 -0\)")
            self.screen.wait("The tool says")
            need((self.place.work / "new.txt").read_text() == "hello\n", "new.txt was not written")
        with self.step("a plan"):
            self.screen.say("plan: wash up | have lunch")
            self.screen.wait(r"Updated Plan[\s\S]*□ wash up\s+□ have lunch")
        with self.step("thoughts"):
            self.screen.say("think: **Weighing words** carefully")
            self.screen.wait("• You said: nothing")
        with self.step("an approval by key"):
            self.screen.say("ask: echo outside-1")
            self.screen.wait(r"Would you like to run the following command\?[\s\S]*May I leave the sandbox\?")
            self.screen.key("y")
            self.screen.wait("You approved codex to run echo outside-1")
            self.screen.wait("The tool says: outside-1")
        with self.step("a refusal by key, which ends the turn"):
            self.screen.say("ask: echo outside-2")
            self.screen.wait("Would you like to run the following command")
            self.screen.key("Escape")
            self.screen.wait("Conversation interrupted")
            self.screen.wait(IDLE)
        with self.step("an approval for the rest of the session"):
            self.screen.say("ask: echo outside-3")
            self.screen.wait("2. Yes, and don't ask again")
            self.screen.key("2")
            self.screen.wait("The tool says: outside-3")
            self.screen.say("ask: echo outside-3")
            self.screen.wait("The tool says: outside-3")

    def meanwhile(self):
        with self.step("an interrupt"):
            self.screen.say("slow: 60")
            self.screen.wait("word3")
            self.screen.key("Escape")
            self.screen.wait("Conversation interrupted")
            self.screen.wait(IDLE)
        with self.step("steering"):
            self.screen.say("slow: 4")
            self.screen.wait("word2")
            self.screen.say("words on the way")
            self.screen.wait("• You said: words on the way")
        with self.step("a command that runs on, and its interrupt"):
            self.screen.say("run: echo begun; sleep 60")
            self.screen.wait("Running echo begun|1 background terminal running")
            self.screen.key("Escape")
            self.screen.wait("Conversation interrupted")
        with self.step("an answer that fails"):
            self.screen.say("fail: 400")
            self.screen.wait("■ .*as you asked")
            self.screen.say("after the failure")
            self.screen.wait("• You said: after the failure")

    def settings(self):
        with self.step("/rename"):
            self.screen.say("/rename My day")
            self.screen.wait(r"· My day")
        with self.step("/status"):
            self.screen.say("/status")
            self.screen.wait(r"Thread name:\s+My day")
            self.screen.wait(r"Session:\s+[0-9a-f-]{36}")
        with self.step("/model"):
            self.screen.say("/model")
            self.screen.wait("Select Model and Effort")
            self.screen.key("2")
            self.screen.wait("Select Reasoning Level for scripted-mini")
            self.screen.key("Enter")
            self.screen.wait("Model changed to scripted-mini")
            self.screen.say("another model")
            self.screen.wait("• You said: another model")
            asked = self.place.model.requests[-1]["model"]
            need(asked == "scripted-mini", f"the model is {asked}")
        with self.step("/permissions"):
            self.screen.say("/permissions")
            self.screen.wait("Update Model Permissions")
            self.screen.key("4")
            self.screen.wait("Permission selection requested: Read Only")
            self.screen.say("patch: forbidden.txt x")
            self.screen.wait("Would you like to make the following edits")
            self.screen.key("Escape")
            self.screen.wait("Conversation interrupted")
            need(not (self.place.work / "forbidden.txt").exists(), "read only, and written all the same")
            self.screen.say("/permissions")
            self.screen.wait("Update Model Permissions")
            self.screen.key("1")
            self.screen.wait("Permission selection requested: Ask for approval")
        with self.step("/plan"):
            self.screen.say("/plan make a list")
            self.screen.wait("• You said: make a list")
            self.screen.wait("Plan mode")
            self.screen.gone(BUSY)
            self.screen.key("BTab")
            self.screen.gone("Plan mode")
        with self.step("/recap"):
            self.screen.say("/recap")
            self.screen.wait("A day with clients")
        with self.step("/compact"):
            self.screen.say("/compact")
            self.screen.wait("Context compacted")
        with self.step("/diff"):
            self.screen.say("/diff")
            self.screen.wait(r"D I F F[\s\S]*new\.txt")
            self.screen.key("q")
            self.screen.wait(IDLE)
        with self.step("!command"):
            self.screen.say("!echo from-my-shell")
            self.screen.wait(r"You ran echo from-my-shell\s+└ from-my-shell")
        with self.step("@file"):
            self.screen.write("@not")
            self.screen.wait(r"› notes\.txt\s+\./")
            self.screen.key("Tab")
            self.screen.wait(r"› notes\.txt $|› notes\.txt\s*\n")
            self.screen.key("Enter")
            self.screen.wait("• You said: notes.txt")
        with self.step("/mcp"):
            self.screen.say("/mcp")
            self.screen.wait("No MCP servers configured")
        with self.step("/skills"):
            self.screen.say("/skills")
            self.screen.wait("1. List skills")
            self.screen.key("Enter")
            self.screen.wait(r"tidy\s+\[Skill\] puts a room in order")
            self.screen.key("Escape")
            self.screen.gone(r"\[Skill\]")
            self.screen.key("C-u")
            self.screen.wait(IDLE)
        with self.step("a skill by its name"):
            self.screen.say("$tidy my room")
            self.screen.wait("• You said")
            said = json.dumps(self.place.model.requests[-1]["input"])
            need("Begin with the window." in said, "the model was not given the skill")

    def threads(self, *address):
        with self.step("resume by name"):
            # A program in which permissions were changed does not resume remote threads, says itself.
            self.start("resume", *address, "My day")
            self.screen.wait(IDLE)
        with self.step("/review"):
            self.screen.say("/review")
            self.screen.wait("Select a review preset")
            self.screen.key("2")
            self.screen.wait("Code review started")
            self.screen.wait("Code review finished")
        with self.step("/goal"):
            self.screen.say("/goal finish the day")
            self.screen.wait("Goal active Objective: finish the day")
            self.screen.wait("Goal achieved")
            self.screen.say("/goal clear")
            self.screen.wait("Goal cleared")
        with self.step("/side"):
            self.screen.say("/side")
            self.screen.wait("Side from main thread")
            self.screen.say("a question aside")
            self.screen.wait("• You said: a question aside")
            self.screen.key("C-c")
            self.screen.gone("Side from main thread")
        with self.step("/fork"):
            self.screen.say("/fork")
            self.screen.wait("Fork created|forked from")
            self.screen.say("in the fork")
            self.screen.wait("• You said: in the fork")
        with self.step("/new"):
            self.screen.say("/new")
            self.screen.gone("in the fork")
            self.screen.say("a new thread")
            self.screen.wait("• You said: a new thread")
            self.screen.say("/rename Second")
            self.screen.wait("· Second")
        with self.step("/resume"):
            self.screen.say("/resume")
            self.screen.wait(r"Resume a previous session[\s\S]*Second[\s\S]*My day")
            self.screen.write("My day")
            self.screen.gone("Second")
            self.screen.key("Enter")
            self.screen.wait(r"· My day")
            self.screen.wait(IDLE)
        with self.step("a message in the resumed thread"):
            self.screen.say("back again")
            self.screen.wait("• You said: back again")
        with self.step("/quit"):
            self.screen.say("/quit")
            need(self.screen.ended() == 0, "it did not end with 0")

    def again(self, *address, **environment):
        with self.step("resume --last"):
            self.start("resume", "--last", *address, **environment)
            self.screen.wait("• You said: back again")
            self.screen.say("a second start")
            self.screen.wait("• You said: a second start")
        with self.step("resume with its picker"):
            self.start("resume", *address, **environment)
            self.screen.wait(r"Resume a previous session[\s\S]*My day")
            self.screen.key("Enter")
            self.screen.wait("• You said: a second start")
            self.screen.wait(IDLE)
        with self.step("quit with Ctrl-C"):
            self.screen.until(self.interrupted, "the end of the program")

    def interrupted(self):
        """Presses Ctrl-C, unless the program has ended."""
        if self.screen.is_open():
            self.screen.key("C-c")
        return not self.screen.is_open()

    def commands(self, *address):
        with self.step("codex archive, unarchive, delete, by name"):
            self.codex("archive", *address, "Second")
            self.codex("unarchive", *address, "Second")
            self.codex("archive", *address, "Second")
        with self.step("codex queue"):
            self.codex("queue", *address, "--thread", "My day", "--message", "from the queue")
            self.start("resume", "--last", *address)
            self.screen.wait("• You said: from the queue")
        with self.step("codex fork --last"):
            self.start("fork", "--last", *address)
            self.screen.wait(IDLE)
            self.screen.say("in a fork of the last")
            self.screen.wait("• You said: in a fork of the last")
        with self.step("/archive"):
            self.screen.say("/archive")
            self.screen.wait("Archive this session")
            self.screen.key("2")
            self.screen.gone("in a fork of the last")
        with self.step("codex agents"):
            self.start("agents", *address)
            self.screen.wait("My day")


def main():
    steps = Steps("terminal")
    with Place() as place:
        day = Day(place, steps)
        try:
            place.serve()
            unix = ("--remote", f"unix://{place.socket}")
            with day.step("start on the Unix socket"):
                day.start(*unix)
                day.screen.wait(IDLE)
            day.work()
            day.meanwhile()
            day.settings()
            day.threads(*unix)
            day.again(*unix)
            day.commands(*unix)
            place.stop_server()
            token = place.folder / "token"
            token.write_text("a-token-of-this-day\n")
            token.chmod(0o600)
            said = place.serve("--listen", "ws://127.0.0.1:0", "--ws-auth", "capability-token", "--ws-token-file",
                               str(token))
            url = re.search(r"ws://127\.0\.0\.1:\d+", said).group()
            with day.step("after a restart of the server, over TCP with a token"):
                day.start("resume", "--last", "--remote", url, "--remote-auth-token-env", "TOKEN",
                          TOKEN="a-token-of-this-day")
                day.screen.wait(IDLE)
                day.screen.say("good evening")
                day.screen.wait("• You said: good evening")
            with day.step("a wrong token is refused in words"):
                day.start("--remote", url, "--remote-auth-token-env", "TOKEN", TOKEN="wrong")
                day.screen.wait("401|failed to connect")
        finally:
            if day.screen:
                day.screen.close()
    steps.end()


main()
