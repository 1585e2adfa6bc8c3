"""The official program as the machine behind our relay: pair, thread, turn, approval, on the relay's page."""

import base64
import json
import os
import subprocess
import sys
import time

from browser import Browser
from page import NARROW, Scene

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
from model import Model  # noqa: E402  (it lies beside)

PATIENCE = 30


def unsigned(claims):
    part = lambda it: base64.urlsafe_b64encode(json.dumps(it).encode()).rstrip(b"=").decode()
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}.{part('no')}"


class Official(Scene):
    """The official program, which believes that the relay is its vendor's backend. Its URL rules allow http on loopback."""

    def __init__(self, binary, codex):
        self.codex = codex
        self.model = Model()
        super().__init__(binary)

    def environment(self, home):
        nowhere = "http://127.0.0.1:9"
        return {**super().environment(home), "HOME": home, "HTTPS_PROXY": nowhere, "HTTP_PROXY": nowhere,
                "NO_PROXY": "127.0.0.1,localhost"}

    def connect(self, token):
        account = token.split(".")[0]
        claims = {"exp": int(time.time()) + 86_400, "https://api.openai.com/auth": {
            "chatgpt_account_id": account, "chatgpt_user_id": "user", "chatgpt_plan_type": "pro", "user_id": "user"}}
        tokens = {"id_token": unsigned(claims), "access_token": token, "refresh_token": "none", "account_id": account}
        with open(f"{self.home}/auth.json", "w") as file:
            json.dump({"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens,
                       "last_refresh": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}, file)
        with open(f"{self.home}/config.toml", "w") as file:
            file.write(f'chatgpt_base_url = "http://127.0.0.1:{self.port}/"\ncli_auth_credentials_store = "file"\n'
                       'model = "test"\nmodel_provider = "test"\napproval_policy = "on-request"\n'
                       'sandbox_mode = "workspace-write"\n'
                       f'[model_providers.test]\nname = "test"\nbase_url = "{self.model.url}"\nwire_api = "responses"\n')
        self.socket = f"{self.home}/official.sock"
        self.log = open(f"{self.home}/official.log", "w")
        words = [self.codex, "app-server", "--listen", f"unix://{self.socket}", "--remote-control"]
        self.machine = subprocess.Popen(words, env=self.environment(self.home), cwd=self.work, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        self.server = ["--connect", f"unix://{self.socket}"]
        deadline = time.monotonic() + PATIENCE
        said = ""
        while time.monotonic() < deadline:
            ended = subprocess.run([self.binary, "remote-control", "status", *self.server], capture_output=True,
                                   env=self.environment(self.home), text=True)
            said = ended.stdout + ended.stderr
            if "connected" in said and "not connected" not in said:
                return
            time.sleep(0.3)
        with open(f"{self.home}/official.log") as file:
            log = file.read()[-3000:]
        self.end()
        raise SystemExit(f"the official program does not connect: {said}\n{log}")


def main(binary, codex, pictures):
    os.makedirs(pictures, exist_ok=True)
    scene = Official(binary, codex)
    browser = Browser(*NARROW)
    try:
        walk(scene, browser, pictures)
    finally:
        browser.close()
        scene.end()


def walk(scene, browser, pictures):
    browser.open(f"http://127.0.0.1:{scene.port}/")
    browser.type("input[name=code]", scene.code()["manualPairingCode"])
    browser.click("form.pair button.primary")
    browser.see("does not answer to the question for its key")
    browser.click("button.danger")
    browser.see("Not end to end encrypted")
    browser.see("connected")
    print("the official program is paired and connected", flush=True)
    browser.click("button[aria-label='New thread']")
    browser.answer(scene.work)
    browser.wait("the thread is open", lambda: browser.find("textarea:enabled"))
    browser.type("textarea", "ask: touch approved.txt")
    browser.click("button[aria-label=Send]")
    browser.see("Run this command?")
    browser.picture(f"{pictures}/official-approval.png")
    browser.click(".question button.primary")
    browser.wait("the turn has ended", lambda: "working" not in browser.text())
    assert os.path.exists(f"{scene.work}/approved.txt"), browser.text()
    print("a turn with an approval went through", flush=True)
    [client] = scene.clients()
    scene.at(scene.home, "remote-control", "revoke", client, *scene.server)
    browser.see("This device was removed")
    print("revoked: everything was as it should be")


if __name__ == "__main__":
    main(*sys.argv[1:])
