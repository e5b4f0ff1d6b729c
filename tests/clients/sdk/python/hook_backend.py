"""A backend as docs/hooks.md has it, with nothing but Python's own modules: answers Canang's hooks, and whatever is not
signed with 401.

    python hook_backend.py SECRET

Prints the port it listens on. `GET` is answered with the events that it was told, for the test.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = sys.argv[1].encode()
EVENTS: list[dict[str, Any]] = []


def is_from_canang(headers: Any, body: bytes) -> bool:
    at = headers.get("X-Canang-Timestamp", "")
    wanted = "v1=" + hmac.new(SECRET, at.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted, headers.get("X-Canang-Signature", "")):
        return False
    return abs(time.time() - int(at)) < 300


def connect(_: Any) -> dict[str, Any]:
    return {"result": {"user": "ann", "info": {"name": "Ann"}, "channels": ["news"]}}


def subscribe(asked: Any) -> dict[str, Any]:
    if asked["channel"].startswith("secret"):
        return {"error": {"code": 1000, "message": f"{asked['user']} is no member"}}
    return {"result": {"info": {"role": "guest"}}}


def publish(asked: Any) -> dict[str, Any]:
    if asked["data"] == "spam":
        return {"disconnect": {"code": 4500, "reason": "no spam"}}
    if asked["data"] == "bad":
        return {"error": {"code": 1001, "message": "language"}}
    return {"result": {"data": {"by": asked["user"], "said": asked["data"]}}}


def rpc(asked: Any) -> dict[str, Any]:
    if asked["method"] == "sum":
        return {"result": {"data": sum(asked["data"])}}
    return {"error": {"code": 1002, "message": "no such method"}}


def take_events(told: Any) -> dict[str, Any]:
    EVENTS.extend(told["events"])
    return {}


HOOKS = {
    "/connect": connect,
    "/subscribe": subscribe,
    "/publish": publish,
    "/rpc": rpc,
    "/disconnect": take_events,
    "/rooms": take_events,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(200, EVENTS)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if is_from_canang(self.headers, body):
            self.answer(200, HOOKS[self.path](json.loads(body)))
        else:
            self.answer(401, {})

    def answer(self, status: int, said: Any) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
