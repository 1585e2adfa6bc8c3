"""A conversation of an editor by the Agent Client Protocol with `codex-acp`, which starts our server itself."""

import json
import os
import queue
import subprocess
import threading
from pathlib import Path

from place import Place
from screen import Screen
from steps import Steps, need

AGENT = os.environ["CLIENTS"] + "/acp/node_modules/.bin/codex-acp"


class Editor:
    """Speaks JSON-RPC over the agent's stdin and stdout, and answers what the agent asks as `decide` says."""

    def __init__(self, place):
        environment = place.environment(place.home, CODEX_PATH=str(place.folder / "codex"), NO_BROWSER="1",
                                        OPENAI_API_KEY="sk-of-this-day")
        self.agent = subprocess.Popen([AGENT], cwd=place.work, env=environment, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=open(place.folder / "acp.log", "w"), text=True)
        self.number, self.answers, self.updates, self.asked = 0, {}, [], []
        self.decide = lambda options: next(option for option in options if option["kind"] == "allow_once")
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.agent.stdout:
            message = json.loads(line)
            if "method" not in message:
                self.answers[message["id"]].put(message)
            elif "id" not in message:
                self.updates.append(message["params"])
            elif message["method"] == "session/request_permission":
                self.asked.append(message["params"])
                choice = self.decide(message["params"]["options"])
                outcome = {"outcome": "selected", "optionId": choice["optionId"]} if choice else {"outcome": "cancelled"}
                self.send({"id": message["id"], "result": {"outcome": outcome}})
            else:
                self.send({"id": message["id"], "error": {"code": -32601, "message": "this editor cannot"}})

    def send(self, message):
        self.agent.stdin.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
        self.agent.stdin.flush()

    def begin(self, method, params):
        self.number += 1
        self.answers[self.number] = queue.Queue()
        self.send({"id": self.number, "method": method, "params": params})
        return self.number

    def end(self, number, seconds=30):
        answer = self.answers[number].get(timeout=seconds)
        if "error" in answer:
            raise RuntimeError(json.dumps(answer["error"])[:600])
        return answer["result"]

    def ask(self, method, **params):
        return self.end(self.begin(method, params))

    def told(self, kind):
        """The updates of this kind since `updates` was emptied."""
        return [told["update"] for told in self.updates if told.get("update", {}).get("sessionUpdate") == kind]

    def said(self):
        return "".join(update["content"].get("text", "") for update in self.told("agent_message_chunk"))

    def prompt(self, session, text):
        self.updates.clear()
        self.asked.clear()
        return self.ask("session/prompt", sessionId=session, prompt=[{"type": "text", "text": text}])

    def close(self):
        self.agent.stdin.close()
        try:
            return self.agent.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.agent.kill()
            raise


def day(editor, steps, place):
    session = new = None
    capabilities = {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False}
    with steps.step("initialize"):
        said = editor.ask("initialize", protocolVersion=1, clientCapabilities=capabilities,
                          clientInfo={"name": "editor", "version": "1"})
        need(said["agentCapabilities"]["loadSession"], said)
        need("api-key" in [method["id"] for method in said["authMethods"]], said["authMethods"])
    with steps.step("authenticate with an API key, and log out"):
        editor.ask("authenticate", methodId="api-key")
        need("sk-of-this-day" in (place.home / "auth.json").read_text(), "the key is not kept")
        editor.ask("logout")
        need(not (place.home / "auth.json").exists(), "the key is still there")
    with steps.step("session/new: modes, models"):
        new = editor.ask("session/new", cwd=str(place.work), mcpServers=[])
        session = new["sessionId"]
        need(new["modes"]["availableModes"], new)
    with steps.step("session/prompt"):
        need(editor.prompt(session, "good morning")["stopReason"] == "end_turn", "it did not end")
        need("You said: good morning" in editor.said(), editor.said())
    with steps.step("a command"):
        editor.prompt(session, "run: echo from-acp")
        calls = json.dumps(editor.told("tool_call") + editor.told("tool_call_update"))
        need("from-acp" in calls and '"completed"' in calls, calls)
    with steps.step("a plan"):
        editor.prompt(session, "plan: wash up | have lunch")
        need("have lunch" in json.dumps(editor.told("plan")), editor.updates)
    with steps.step("thoughts"):
        editor.prompt(session, "think: **Weighing words** carefully")
        need("carefully" in json.dumps(editor.told("agent_thought_chunk")), editor.updates)
    with steps.step("a permission that is given"):
        editor.ask("session/set_mode", sessionId=session, modeId="read-only")
        editor.prompt(session, "ask: echo outside")
        need(editor.asked and "The tool says: outside" in editor.said(), (editor.asked, editor.said()))
    with steps.step("a patch, with a permission"):
        editor.prompt(session, "patch: new.txt hello")
        need(editor.asked and (place.work / "new.txt").read_text() == "hello\n", editor.asked)
        need("new.txt" in json.dumps(editor.asked[0]["toolCall"]), editor.asked[0])
    with steps.step("a permission that is refused"):
        editor.decide = lambda options: next(option for option in options if option["kind"] == "reject_once")
        editor.prompt(session, "ask: touch outside")
        need(editor.asked and not (place.work / "outside").exists(), editor.asked)
    with steps.step("session/cancel"):
        editor.updates.clear()
        running = editor.begin("session/prompt", {"sessionId": session, "prompt": [{"type": "text", "text": "slow: 60"}]})
        Screen.until(lambda: "word1" in editor.said(), "the beginning of the answer")
        editor.send({"method": "session/cancel", "params": {"sessionId": session}})
        need(editor.end(running)["stopReason"] == "cancelled", "it did not say that it was cancelled")
    with steps.step("session/cancel while a permission is asked for"):
        editor.decide = lambda options: editor.send(
            {"method": "session/cancel", "params": {"sessionId": session}})
        need(editor.prompt(session, "ask: echo never")["stopReason"] == "cancelled", "it was not cancelled")
        editor.decide = lambda options: options[0]
    with steps.step("an answer that fails"):
        try:
            said = json.dumps(editor.prompt(session, "fail: 400")) + editor.said()
        except RuntimeError as fault:
            said = str(fault)
        need("as you asked" in said, said)
    with steps.step("session/set_config_option: the model"):
        options = {option["id"]: option for option in new.get("configOptions") or []}
        need("model" in options, list(options))
        editor.ask("session/set_config_option", sessionId=session, configId="model", value="scripted-mini")
        editor.prompt(session, "another model")
        asked = place.model.requests[-1]["model"]
        need(asked == "scripted-mini", asked)
    for command, expected in (("/status", "scripted"), ("/mcp", ""), ("/skills", ""), ("/compact", ""),
                              ("/review", "You said"), ("/goal finish the day", "")):
        with steps.step(command):
            need(editor.prompt(session, command)["stopReason"] == "end_turn", "it did not end")
            need(expected in editor.said(), editor.said()[:400])
    with steps.step("session/list"):
        need(session in json.dumps(editor.ask("session/list", cwd=str(place.work))), "it is not listed")
    return session


def main():
    steps = Steps("acp")
    with Place() as place:
        Path(place.folder / "codex").symlink_to(os.environ["SERVER"].split()[0])
        steps.look = lambda: (place.folder / "acp.log").read_text()[-600:]
        editor = Editor(place)
        session = day(editor, steps, place)
        with steps.step("it ends when the editor does"):
            editor.close()
        editor = Editor(place)
        with steps.step("session/load after a restart: what was said"):
            editor.ask("initialize", protocolVersion=1, clientCapabilities={})
            editor.ask("session/load", sessionId=session, cwd=str(place.work), mcpServers=[])
            need("You said: good morning" in editor.said(), editor.said()[:300])
            need("good morning" in json.dumps(editor.told("user_message_chunk")), "the user's words are missing")
        with steps.step("a message in the loaded session"):
            editor.prompt(session, "back again")
            need("You said: back again" in editor.said(), editor.said())
        editor.close()
    steps.end()


main()
