"""The Python SDK `openai-codex`, which starts our server itself, over stdio."""

import asyncio
import os
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse
from urllib.request import ProxyHandler, build_opener

from openai_codex import (
    AsyncCodex, Codex, CodexConfig, CodexError, ImageInput, InvalidRequestError, Sandbox, TextInput)

from issuer import CODE, Issuer
from place import Place
from screen import Screen
from steps import Steps, need

PIXEL = ("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
         "AABJRU5ErkJggg==")


def day(codex, steps, place):
    thread = other = None
    with steps.step("the server says who it is"):
        need("/" in codex.metadata.userAgent, codex.metadata)
    with steps.step("thread_start"):
        thread = codex.thread_start(sandbox=Sandbox.workspace_write, cwd=str(place.work))
    with steps.step("run: final_response and usage"):
        result = thread.run("good morning")
        need(result.final_response == "You said: good morning", result.final_response)
        need(result.usage and result.usage.total.total_tokens == 110, result.usage)
    with steps.step("run: items of a command"):
        result = thread.run("run: echo from-the-sdk")
        kinds = [item.root.type for item in result.items]
        need("commandExecution" in kinds, kinds)
        need(result.final_response == "The tool says: from-the-sdk", result.final_response)
    with steps.step("run: a patch"):
        thread.run("patch: new.txt hello")
        need((place.work / "new.txt").read_text() == "hello\n", "new.txt was not written")
    with steps.step("run: an approval, which the SDK gives by itself"):
        need("outside" in thread.run("ask: echo outside").final_response, "it did not run")
    with steps.step("turn: the events of a turn, as they come"):
        events = [event.method for event in thread.turn("stream this").stream()]
        need("item/agentMessage/delta" in events and events[-1] == "turn/completed", events)
    with steps.step("an image"):
        need(thread.run([TextInput("look"), ImageInput(PIXEL)]).final_response == "You said: look", "no answer")
    with steps.step("output_schema"):
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"],
                  "additionalProperties": False}
        need(thread.run("count", output_schema=schema).final_response == '{"n": 0}', "it is not that object")
    with steps.step("steer"):
        turn = thread.turn("slow: 3")
        turn.steer("words on the way")
        need("words on the way" in turn.run().final_response, "the words did not arrive")
    with steps.step("interrupt"):
        turn = thread.turn("slow: 60")
        turn.interrupt()
        need(turn.run().status.value == "interrupted", "it went on")
    with steps.step("a turn that fails raises an error"):
        try:
            thread.run("fail: 400")
            need(False, "nothing was raised")
        except (CodexError, RuntimeError) as fault:
            need("as you asked" in str(fault), fault)
    with steps.step("set_name and read"):
        thread.set_name("My day")
        read = thread.read(include_turns=True).thread
        need((read.name, len(read.turns) > 5) == ("My day", True), (read.name, len(read.turns)))
    with steps.step("thread_list"):
        need([found.name for found in codex.thread_list(limit=10).data][0] == "My day", "it is not there")
    with steps.step("thread_fork"):
        other = codex.thread_fork(thread.id)
        need(other.id != thread.id and other.run("in the fork").final_response == "You said: in the fork", other.id)
    with steps.step("thread_archive, thread_unarchive"):
        codex.thread_archive(other.id)
        need(other.id in [found.id for found in codex.thread_list(archived=True).data], "it is not archived")
        codex.thread_unarchive(other.id)
    with steps.step("compact"):
        thread.compact()
        Screen.until(lambda: thread.read().thread.status.root.type == "idle", "the end of the summary")
        need("You said" in thread.run("after the summary").final_response, "no answer")
    with steps.step("models"):
        need([model.id for model in codex.models().data], "there are none")
    with steps.step("account, login_api_key, logout"):
        codex.login_api_key("sk-of-this-day")
        kept = place.home / "auth.json"
        need(kept.stat().st_mode & 0o777 == 0o600 and "sk-of-this-day" in kept.read_text(), "it is not kept")
        codex.account()
        codex.logout()
        need(not kept.exists(), "the key is still there")
    with steps.step("login_chatgpt_device_code"):
        login = codex.login_chatgpt_device_code()
        need(login.user_code == CODE, login)
        need(login.wait().success, "it failed")
        need('"chatgpt"' in (place.home / "auth.json").read_text(), "nobody is signed in")
        codex.logout()
    with steps.step("login_chatgpt, in a browser"):
        login = codex.login_chatgpt()
        need("You are signed in" in come_back(login.auth_url), "the browser does not show it")
        need(login.wait().success, "it failed")
        codex.logout()
    with steps.step("login_chatgpt, cancelled"):
        need(codex.login_chatgpt().cancel().status.value == "canceled", "it was not cancelled")
    with steps.step("an unknown thread raises InvalidRequestError"):
        try:
            codex.thread_resume("01a2026b-365a-7222-a355-d5a268190f8b")
            need(False, "nothing was raised")
        except InvalidRequestError:
            pass
    return thread


def come_back(auth_url):
    """What a browser shows whose user has signed in at the issuer."""
    asked = parse_qs(urlparse(auth_url).query)
    query = urlencode({"code": "granted", "state": asked["state"][0]})
    with build_opener(ProxyHandler({})).open(f"{asked['redirect_uri'][0]}?{query}", timeout=20) as page:
        return page.read().decode()


async def side_by_side(config):
    async with AsyncCodex(config) as codex:
        threads = [await codex.thread_start() for _ in range(3)]
        results = await asyncio.gather(*(thread.run(f"number {n}") for n, thread in enumerate(threads)))
        need([result.final_response for result in results] == [f"You said: number {n}" for n in range(3)], results)


def main():
    steps = Steps("sdk")
    with Place() as place:
        codex_bin = Path(place.folder / "codex")
        codex_bin.symlink_to(os.environ["SERVER"].split()[0])
        environment = place.environment(place.home, CODEX_APP_SERVER_LOGIN_ISSUER=Issuer().url)
        config = CodexConfig(codex_bin=str(codex_bin), cwd=str(place.work), env=environment)
        with Codex(config) as codex:
            thread = day(codex, steps, place)
        with steps.step("thread_resume after a restart of the server"):
            with Codex(config) as codex:
                resumed = codex.thread_resume(thread.id)
                need(resumed.run("back again").final_response == "You said: back again", "no answer")
        with steps.step("three threads at once"):
            asyncio.run(side_by_side(config))
    steps.end()


main()
