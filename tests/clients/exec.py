"""`codex exec --remote`, as scripts use it."""

import json
import os
import subprocess

from place import Place
from steps import Steps, need

CODEX = os.environ["CLIENTS"] + "/codex/node_modules/.bin/codex"


def main():
    steps = Steps("exec")
    with Place() as place:
        place.serve()
        remote = ("--remote", f"unix://{place.socket}")

        def run(*words, code=0):
            done = subprocess.run([CODEX, "exec", *words], cwd=place.work, env=place.environment(place.client_home),
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            need(done.returncode == code, f"it ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-400:]}")
            return done.stdout

        def events(*words, code=0):
            return [json.loads(line) for line in run("--json", *words, code=code).splitlines()]

        def items(happened, kind):
            return [event["item"] for event in happened
                    if event["type"] == "item.completed" and event["item"]["type"] == kind]

        thread = None
        with steps.step("the answer on stdout"):
            need("You said: good morning" in run(*remote, "good morning"), "the answer is missing")
        with steps.step("--json: a command and its answer"):
            happened = events(*remote, "run: echo from-exec; exit 3")
            thread = next(event["thread_id"] for event in happened if event["type"] == "thread.started")
            command = items(happened, "command_execution")[0]
            need((command["aggregated_output"], command["exit_code"]) == ("from-exec\n", 3), command)
            need(items(happened, "agent_message")[-1]["text"], "there is no answer")
            need(happened[-1]["type"] == "turn.completed" and happened[-1]["usage"]["input_tokens"] == 200, happened[-1])
        with steps.step("--json: a patch"):
            changes = [item["changes"] for item in items(events(*remote, "patch: new.txt hello"), "file_change")]
            need(changes and changes[0][0]["kind"] == "add", changes)
            need((place.work / "new.txt").read_text() == "hello\n", "new.txt was not written")
        with steps.step("--json: a plan"):
            plans = [event for event in events(*remote, "plan: wash up | have lunch") if "todo_list" in json.dumps(event)]
            need("have lunch" in json.dumps(plans), "there is no todo_list")
        with steps.step("--json: thoughts"):
            need(items(events(*remote, "think: **Weighing words** carefully"), "reasoning"), "there are no thoughts")
        with steps.step("-o FILE"):
            run(*remote, "-o", str(place.folder / "last"), "to a file")
            need((place.folder / "last").read_text() == "You said: to a file", "the file says something else")
        with steps.step("resume UUID"):
            happened = events("resume", *remote, thread, "once more")
            need(happened[0].get("thread_id") == thread, happened[0])
            need(items(happened, "agent_message")[-1]["text"] == "You said: once more", happened)
            said = json.dumps(place.model.requests[-1])
            need("from-exec" in said, "the model was not told what had been said before")
        with steps.step("what needs an approval is refused, and the turn goes on"):
            happened = events(*remote, "ask: touch outside")
            need(not (place.work / "outside").exists(), "it ran")
            need(items(happened, "agent_message"), "there is no answer")
        with steps.step("an answer that fails gives exit code 1"):
            happened = events(*remote, "fail: 400", code=1)
            need(happened[-1]["type"] == "turn.failed" and "as you asked" in json.dumps(happened[-1]), happened[-1])
    steps.end()


main()
