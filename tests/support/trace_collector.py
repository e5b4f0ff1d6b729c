"""A collector of spans over OTLP/HTTP in JSON: an `http.server` whose answers the test says."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .certificates import Certificate
from .waiting import wait_until

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5  # kinds
UNSET, ERROR = 0, 2  # codes of a status
NEVER = object()  # as an answer: none, until the collector stops


@dataclass(frozen=True)
class Raw:
    """As an answer: these bytes, of HTTP or not."""

    data: bytes


@dataclass(frozen=True)
class Span:
    trace: str
    id: str
    parent: str  # empty: it is a root
    name: str
    kind: int
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any]
    status: int
    resource: Mapping[str, Any]

    @property
    def room(self) -> str:
        return self.attributes["canang.room"]

    @property
    def node(self) -> str:
        return self.resource["service.instance.id"]

    @property
    def traceparent(self) -> str:
        """What names it to others."""
        return f"00-{self.trace}-{self.id}-01"


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]  # names in lower case
    raw: bytes
    at: float  # of time.monotonic
    spans: list[Span] = field(default_factory=list)
    taken: bool = False  # it is answered with success


class TraceCollector:
    """Answers the next requests with what is in `answers`, one after the other, and all others with `usual`. An answer
    is a status, an object or bytes as the body of a 200, `Raw`, or `NEVER`.

    What is not as OTLP's JSON has it gets 400, and is in `faults`. One that is to stop and start again needs a port that
    nobody else is given meanwhile.
    """

    def __init__(self, certificate: Certificate | None = None, port: int = 0) -> None:
        self.usual: Any = {}
        self.answers: list[Any] = []
        self.faults: list[str] = []
        self._certificate = certificate
        self._received: list[Received] = []
        self.connections = 0  # that were opened to it, TLS or not
        self._lock = threading.Lock()
        self._http: _Server | None = None
        self.port = port
        self.start()

    # -- what it does ----------------------------------------------------------------------------

    def start(self) -> None:
        """Listens, on the same port as before."""
        assert self._http is None
        collector = self
        self._ended = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                collector._take(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = _Server(("127.0.0.1", self.port), Handler)
        self._http.on_connection = self._count_connection
        self.port = self._http.server_address[1]
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate.certificate, self._certificate.key)
            self._http.socket = context.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Nobody listens any more, and open connections end."""
        if self._http is None:
            return
        self._ended.set()
        self._http.shutdown()
        self._http.server_close()
        self._http.cut_connections()
        self._thread.join()
        self._http = None

    def _count_connection(self) -> None:
        with self._lock:
            self.connections += 1

    def _take(self, handler: Any) -> None:
        at = time.monotonic()
        raw = handler.rfile.read(int(handler.headers["content-length"]))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        received = Received(handler.path, headers, raw, at)
        with self._lock:
            answer = self.answers.pop(0) if self.answers else self.usual
            try:
                received.spans = spans_of(raw)
            except (AssertionError, KeyError, TypeError, ValueError) as fault:
                self.faults.append(f"{type(fault).__name__} {fault}: {raw[:500]!r}")
                answer = 400
            is_body = isinstance(answer, dict | bytes)
            received.taken = is_body or isinstance(answer, int) and 200 <= answer < 300
            self._received.append(received)
        if answer is NEVER:
            self._ended.wait()
            handler.close_connection = True
            return
        try:
            self._send(handler, answer)
        except OSError:
            handler.close_connection = True  # whoever asked has gone

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, answer: Any) -> None:
        if isinstance(answer, Raw):
            handler.close_connection = True
            handler.wfile.write(answer.data)
            return
        status, body = (answer, {}) if isinstance(answer, int) else (200, answer)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    # -- what it was sent ------------------------------------------------------------------------

    def requests(self) -> list[Received]:
        """All of them, whatever they were answered with."""
        with self._lock:
            return list(self._received)

    def spans(self, name: str | None = None, trace: str | None = None) -> list[Span]:
        """Those that it has taken, in the order of their starts."""
        taken = [span for one in self.requests() if one.taken for span in one.spans]
        wanted = [s for s in taken if name in (None, s.name) and trace in (None, s.trace)]
        return sorted(wanted, key=lambda span: span.start_ns)

    def one(self, name: str, trace: str | None = None) -> Span:
        """The only one of that name."""
        found = self.spans(name, trace)
        assert len(found) == 1, f"{len(found)} spans {name!r} of {trace or 'any trace'}: {found}"
        return found[0]

    def wait_for(self, name: str, trace: str | None = None, timeout: float = 5.0) -> list[Span]:
        """Such spans, once there is one."""
        return wait_until(lambda: self.spans(name, trace), f"a span {name!r} is sent", timeout)

    # -- where it is -----------------------------------------------------------------------------

    def url(self, path: str = "", host: str = "127.0.0.1") -> str:
        scheme = "http" if self._certificate is None else "https"
        return f"{scheme}://{host}:{self.port}{path}"

    def __enter__(self) -> TraceCollector:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    block_on_close = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.on_connection = lambda: None
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.on_connection()
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        for one in list(self._open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended by itself

    def handle_error(self, *_: object) -> None:
        pass  # clients that do not like its certificate


# -- OTLP ----------------------------------------------------------------------------------------


def spans_of(raw: bytes) -> list[Span]:
    """Of an ExportTraceServiceRequest; anything that is not as the JSON mapping has it is an exception."""
    spans = []
    for group in json.loads(raw)["resourceSpans"]:
        resource = attributes_of(group["resource"])
        for scoped in group["scopeSpans"]:
            spans += [span_of(one, resource) for one in scoped["spans"]]
    assert spans, "a request without spans"
    return spans


def span_of(one: Mapping[str, Any], resource: Mapping[str, Any]) -> Span:
    parent = one.get("parentSpanId", "")
    status = one.get("status", {}).get("code", UNSET)
    assert status in (0, 1, 2), one
    assert one["name"] and one["kind"] in range(1, 6), one
    return Span(
        trace=id_of(one["traceId"], 32),
        id=id_of(one["spanId"], 16),
        parent=parent and id_of(parent, 16),
        name=one["name"],
        kind=one["kind"],
        start_ns=int64_of(one["startTimeUnixNano"]),
        end_ns=int64_of(one["endTimeUnixNano"]),
        attributes=attributes_of(one),
        status=status,
        resource=resource,
    )


def attributes_of(holder: Mapping[str, Any]) -> dict[str, Any]:
    listed = holder.get("attributes", [])
    made = {one["key"]: value_of(one["value"]) for one in listed}
    assert len(made) == len(listed), f"an attribute twice: {listed}"
    return made


def value_of(value: Mapping[str, Any]) -> Any:
    [(kind, content)] = value.items()
    if kind == "intValue":
        return int64_of(content)
    assert (kind, type(content)) in {("stringValue", str), ("boolValue", bool), ("doubleValue", float)}, value
    return content


def int64_of(text: str) -> int:
    """A number of 64 bits is a string: JSON's own numbers lose digits in many languages."""
    assert isinstance(text, str) and re.fullmatch(r"-?\d+", text), f"{text!r} is no decimal string"
    return int(text)


def id_of(text: str, digits: int) -> str:
    assert re.fullmatch(rf"[0-9a-f]{{{digits}}}", text) and set(text) != {"0"}, f"{text!r} is no id"
    return text
