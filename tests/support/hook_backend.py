"""The operator's program that hooks ask: an `http.server` whose answers the test says."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .certificates import Certificate

QUESTIONS = ("connect", "refresh", "subscribe", "publish", "sub_refresh", "rpc")
EVENTS = ("disconnect", "rooms")
NEVER = object()  # as an answer: none, for as long as the backend lives

Body = dict[str, Any]


@dataclass
class Asked:
    """One request."""

    hook: str
    body: Body
    raw: bytes
    headers: dict[str, str]  # names in lower case
    connection: int  # which of the backend's connections it came over

    def is_signed(self, secret: str, leeway_s: float = 30) -> bool:
        """As docs/hooks.md has it."""
        at = self.headers["x-canang-timestamp"]
        wanted = hmac.new(secret.encode(), at.encode() + b"." + self.raw, hashlib.sha256).hexdigest()
        is_new = abs(time.time() - int(at)) <= leeway_s
        return is_new and hmac.compare_digest(self.headers["x-canang-signature"], "v1=" + wanted)


class HookBackend:
    """Answers each hook with `answers[hook]`: an object, bytes as they stand behind the header, `NEVER`, or a function of the
    question's body that makes one of these. By default it is a result without anything in it.

    `status` is that of all answers, `headers` are further fields of them, `raw` bytes to be sent in place of any answer,
    of HTTP or not, and `pace_s` a pause before each byte. `unasked` is what follows each answer, in a record of its own
    where there is TLS.
    """

    def __init__(
        self, certificate: Certificate | None = None, port: int = 0, host: str = "127.0.0.1"
    ) -> None:
        self.answers: dict[str, Any] = {}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.raw: bytes | None = None
        self.pace_s = 0.0
        self.unasked = b""
        self._asked: list[Asked] = []
        self._connections = itertools.count(1)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                self.number = next(backend._connections)
                super().setup()

            def do_POST(self) -> None:
                backend._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = _Server((host, port), Handler)
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            self._http.socket = context.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
            self._scheme = "https"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    # -- what it does ----------------------------------------------------------------------------

    def _answer(self, handler: Any) -> None:
        raw = handler.rfile.read(int(handler.headers["content-length"]))
        hook = handler.path.split("?")[0].removeprefix("/")
        asked = Asked(
            hook,
            json.loads(raw),
            raw,
            {name.lower(): value for name, value in handler.headers.items()},
            handler.number,
        )
        with self._lock:
            self._asked.append(asked)
        answer = self.answers.get(hook, {"result": {}})
        if callable(answer):
            answer = answer(asked.body)
        if answer is NEVER:
            self._ended.wait()
            handler.close_connection = True
            return
        try:
            self._send(handler, answer)
        except OSError:
            handler.close_connection = True  # whoever asked has read enough

    def _send(self, handler: BaseHTTPRequestHandler, answer: Any) -> None:
        if self.raw is not None:
            handler.close_connection = True
            handler.wfile.write(self.raw)
            return
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        if self.unasked:  # all of it in one segment
            handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        handler.send_response(self.status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if self.pace_s == 0:
            handler.wfile.write(body)
            if self.unasked:
                handler.wfile.write(self.unasked)
                handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
            return
        for at in range(len(body)):
            if self._ended.wait(self.pace_s):
                return
            handler.wfile.write(body[at : at + 1])
            handler.wfile.flush()

    # -- what it was asked -----------------------------------------------------------------------

    def asked(self, hook: str | None = None) -> list[Asked]:
        with self._lock:
            return [one for one in self._asked if hook in (None, one.hook)]

    def bodies(self, hook: str) -> list[Body]:
        return [one.body for one in self.asked(hook)]

    def events(self, hook: str, **wanted: Any) -> list[Body]:
        """Those that have these members."""
        all_events = [event for body in self.bodies(hook) for event in body["events"]]
        return [one for one in all_events if wanted.items() <= one.items()]

    # -- where it is -----------------------------------------------------------------------------

    @property
    def port(self) -> int:
        return self._http.server_address[1]

    def url(self, hook: str, host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}/{hook}"

    def options(self, *hooks: str, host: str = "127.0.0.1") -> dict[str, str]:
        """Of a server that asks it."""
        return {f"hook_{hook}": self.url(hook, host) for hook in hooks}

    def __enter__(self) -> HookBackend:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Nobody listens any more."""
        self._ended.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        pass  # clients that do not like its certificate

