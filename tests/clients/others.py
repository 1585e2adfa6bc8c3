"""Other Python clients, which start `codex app-server` themselves."""

import asyncio
import os
from pathlib import Path

from codex_app_server_client import CodexAppServer
from codex_app_server_client.types.events import AgentMessageDeltaEvent
from codex_python_sdk import create_client
from codex_sdk import AppServerClient, AppServerOptions, ApprovalDecisions

from place import Place
from steps import Steps, need


async def app_server_client(place, steps):
    steps.client = "codex-app-server-client"
    async with CodexAppServer() as codex:
        thread = None
        with steps.step("start and run"):
            thread = await codex.start_thread()
            need((await thread.run("good morning")).final_response == "You said: good morning", "no answer")
        with steps.step("streaming"):
            events = [event async for event in thread.run_streamed("stream this")]
            said = "".join(event.delta for event in events if isinstance(event, AgentMessageDeltaEvent))
            need(said.strip() == "You said: stream this", said)
        with steps.step("resume"):
            again = await codex.resume_thread(thread.id)
            need((await again.run("back again")).final_response == "You said: back again", "no answer")


async def sdk_python(place, steps):
    steps.client = "codex-sdk-python"
    async with AppServerClient(AppServerOptions(codex_path_override=str(place.folder / "codex"))) as app:
        thread = None

        async def turn(text):
            session = await app.turn_session(thread, text, approvals=ApprovalDecisions(command_execution="accept"))
            told = [notification async for notification in session.notifications()]
            need((await session.wait())["status"] == "completed", told[-1])
            return str([notification.params for notification in told])

        with steps.step("a turn"):
            thread = (await app.thread_start(cwd=str(place.work)))["thread"]["id"]
            need("You said: good morning" in await turn("good morning"), "no answer")
        with steps.step("an approval"):
            need("The tool says: outside" in await turn("ask: echo outside"), "it did not run")
        with steps.step("lists without params"):
            need(thread in str(await app.thread_list()), "it is not listed")
            need((await app.model_list())["data"], "there are no models")
        with steps.step("fork, name, archive, resume"):
            fork = (await app.thread_fork(thread))["thread"]["id"]
            await app.thread_name_set(fork, name="Fork")
            await app.thread_archive(fork)
            await app.thread_unarchive(fork)
            await app.thread_resume(fork)


def python_sdk(place, steps):
    steps.client = "codex-python-sdk"
    accept = lambda *_: {"decision": "accept"}
    with create_client(on_command_approval=accept, on_file_change_approval=accept) as client:
        result = None
        with steps.step("responses_create"):
            result = client.responses_create(prompt="good morning")
            need(result.text == "You said: good morning", result.text)
        with steps.step("responses_events, in the same thread"):
            events = list(client.responses_events(prompt="run: echo from-the-sdk", thread_id=result.thread_id))
            need("from-the-sdk" in str(events), events)
        with steps.step("an approval"):
            asked = client.responses_create(prompt="ask: echo outside", thread_id=result.thread_id)
            need(asked.text == "The tool says: outside", asked.text)
        with steps.step("threads: read, name, fork, list, archive"):
            client.thread_name_set(result.thread_id, "My day")
            need("My day" in str(client.thread_read(result.thread_id)), "it has no name")
            client.thread_fork(result.thread_id)
            need(result.thread_id in str(client.thread_list()), "it is not listed")
            client.thread_archive(result.thread_id)
        with steps.step("models, account, configuration"):
            for ask in (client.model_list, client.account_read, client.config_read, client.skills_list):
                ask()


def main():
    steps = Steps("others")
    with Place() as place:
        (place.folder / "codex").symlink_to(Path(os.environ["SERVER"].split()[0]))
        # These clients take the first `codex` of the PATH, and their own environment.
        os.environ |= place.environment(place.home)
        os.environ["PATH"] = f"{place.folder}:{os.environ['PATH']}"
        os.chdir(place.work)
        asyncio.run(app_server_client(place, steps))
        asyncio.run(sdk_python(place, steps))
        python_sdk(place, steps)
        os.chdir("/")
    steps.end()


main()
