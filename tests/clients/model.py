"""A model on loopback that does what the user's message says, over the Responses wire.

Each line of a message is one order; what is no order is repeated.

    run: COMMAND      calls exec_command
    ask: COMMAND      calls it outside of the sandbox, for which a person is asked
    patch: FILE TEXT  calls apply_patch, which adds the file
    plan: ONE | TWO   calls update_plan
    think: TEXT       thinks
    slow: SECONDS     speaks that long
    fail: STATUS      answers with this HTTP status

A goal is reached at once. After a call the model goes on with the next order, and at the end tells the last line of the
last output.
A request for JSON gets the smallest object that fits its schema.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CALLS = ("run", "ask", "patch", "plan")
ORDERS = CALLS + ("think", "slow", "fail")


class Model:
    """Serves until `stop`. `requests` holds the body of each request."""

    def __init__(self):
        self.requests = []
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200, "application/json", json.dumps(LIST).encode())

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                model.requests.append(body)
                try:
                    status, events = answer(body, len(model.requests))
                    if status != 200:
                        self.answer(status, "application/json", b'{"error":{"message":"as you asked"}}')
                        return
                    self.answer(200, "text/event-stream", b"")
                    for event in events:
                        self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
                        self.wfile.flush()
                except OSError:
                    pass  # The server hung up, as it does after an interrupt.

            def answer(self, status, kind, body):
                self.send_response(status)
                self.send_header("content-type", kind)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


LIST = {"object": "list", "data": [{"id": "scripted", "object": "model"}, {"id": "scripted-mini", "object": "model"}]}


def text_of(content):
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content or [])


def answer(body, number):
    """The HTTP status and the events that answer the request `body`, which is the `number`th."""
    wanted = (body.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        return 200, speak(json.dumps(smallest(wanted["schema"])), number, 0)
    items = body["input"]
    asked = max((i for i, item in enumerate(items) if item.get("role") == "user"), default=-1)
    message = text_of(items[asked]["content"]) if asked >= 0 else ""
    outputs = [item for item in items[asked + 1:] if item.get("type", "").endswith("call_output")]
    tools = [tool.get("name") for tool in body.get("tools") or []]
    if "update_goal" in message and not outputs:
        return 200, call("goal", "complete", number, tools)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    calls = 0
    pause, thoughts = 0, []
    for line in lines:
        order, _, argument = line.partition(":")
        if order not in ORDERS:
            continue
        if order == "fail":
            return int(argument), []
        if order == "slow":
            pause = float(argument)
        if order == "think":
            thoughts.append(argument.strip())
        if order in CALLS:
            calls += 1
            if calls > len(outputs):
                return 200, call(order, argument.strip(), number, tools)
    if outputs:
        return 200, speak(f"The tool says: {last_line(outputs[-1])}", number, pause, thoughts)
    said = " ".join(line for line in lines if line.partition(":")[0] not in ORDERS) or "nothing"
    return 200, speak(f"You said: {said[:200]}", number, pause, thoughts)


def last_line(output):
    lines = text_of(output.get("output")).strip().splitlines()
    return lines[-1] if lines else "nothing"


def smallest(schema):
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object" or "properties" in schema:
        return {name: smallest(member) for name, member in schema.get("properties", {}).items()}
    return {"array": [], "number": 0, "integer": 0, "boolean": False, "null": None}.get(kind, "A day with clients")


def call(order, argument, number, tools):
    if order == "patch":
        file, _, text = argument.partition(" ")
        patch = f"*** Begin Patch\n*** Add File: {file}\n+{text}\n*** End Patch\n"
        if "apply_patch" in tools:
            name, arguments = "apply_patch", {"patch": patch}
        else:
            name, arguments = "exec_command", {"cmd": f"apply_patch <<'EOF'\n{patch}EOF"}
    elif order == "plan":
        steps = [{"step": step.strip(), "status": "pending"} for step in argument.split("|")]
        steps[0]["status"] = "in_progress"
        name, arguments = "update_plan", {"explanation": "as you asked", "plan": steps}
    elif order == "goal":
        name, arguments = "update_goal", {"status": argument}
    else:
        name, arguments = "exec_command", {"cmd": argument}
        if order == "ask":
            arguments |= {"sandbox_permissions": "require_escalated", "justification": "May I leave the sandbox?"}
    item = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "name": name,
            "arguments": json.dumps(arguments)}
    return [{"type": "response.created", "response": {"id": f"resp_{number}"}},
            {"type": "response.output_item.done", "output_index": 0, "item": item}, completed(number)]


def speak(text, number, seconds, thoughts=()):
    yield {"type": "response.created", "response": {"id": f"resp_{number}"}}
    for thought in thoughts:
        item = {"type": "reasoning", "id": f"rs_{number}", "summary": [{"type": "summary_text", "text": thought}],
                "encrypted_content": None}
        yield {"type": "response.output_item.added", "output_index": 0, "item": item | {"summary": []}}
        yield {"type": "response.reasoning_summary_part.added", "item_id": item["id"], "summary_index": 0}
        yield {"type": "response.reasoning_summary_text.delta", "item_id": item["id"], "summary_index": 0,
               "delta": thought}
        yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    item = {"type": "message", "id": f"msg_{number}", "role": "assistant", "content": []}
    yield {"type": "response.output_item.added", "output_index": 0, "item": item}
    words = [f"word{n} " for n in range(int(seconds * 5))] + [word + " " for word in text.split(" ")]
    for word in words:
        if seconds:
            time.sleep(0.2)
        yield {"type": "response.output_text.delta", "item_id": item["id"], "output_index": 0, "content_index": 0,
               "delta": word}
    said = [{"type": "output_text", "text": "".join(words).strip(), "annotations": []}]
    yield {"type": "response.output_item.done", "output_index": 0, "item": item | {"content": said}}
    yield completed(number)


def completed(number):
    usage = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 10}, "output_tokens": 10,
             "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 110}
    return {"type": "response.completed", "response": {"id": f"resp_{number}", "status": "completed", "usage": usage}}
