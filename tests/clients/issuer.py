"""Who signs users in to ChatGPT, on loopback: gives out a code, and tokens at the second question."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CODE = "ABCD-1234"


class Issuer:
    def __init__(self):
        issuer = self
        self.questions = 0

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                status, answer = issuer.answer(self.path)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def answer(self, path):
        if path == "/api/accounts/deviceauth/usercode":
            return 200, {"device_auth_id": "device", "user_code": CODE, "interval": "1"}
        if path == "/oauth/token":
            claims = {"email": "me@example.com", "https://api.openai.com/auth": {
                "chatgpt_plan_type": "plus", "chatgpt_account_id": "account", "chatgpt_user_id": "user"}}
            payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
            return 200, {"id_token": f"e30.{payload}.c2ln", "access_token": "access", "refresh_token": "refresh"}
        self.questions += 1
        return (200, {"authorization_code": "grant", "code_verifier": "verifier"}) if self.questions > 1 else (403, {})
