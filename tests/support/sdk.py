"""The SDKs of Centrifugo's protocol as they are published, each behind a small driver in its language.

The chat page's own client (web/client.js) has such a driver too, and is tested like them.

A driver (tests/clients/sdk/{js,python,go,page}) is a process that is given the URL of a server and a format, for the
fallback transports (JavaScript alone) which one it is and where to say things, and obeys lines of JSON on its standard
input:

    {"id":1,"do":"connect"}                 {"id":1,"do":"disconnect"}
    {"id":2,"do":"subscribe","room","recoverable","join_leave","delta"}
    {"id":3,"do":"unsubscribe","room"}      {"id":4,"do":"publish","room","data"}
    {"id":5,"do":"history","room","limit","since","reverse"}
    {"id":6,"do":"presence","room"}         {"id":7,"do":"stats","room"}
    {"id":8,"do":"rpc","method","data"}     {"id":9,"do":"token","room","token"}

`token` says what the SDK gets when it asks for a token, of itself (no room) or of a room: each time it does,
`{"event":"asked","room"}` is told. `rpc` is answered with the `data` of the reply, by the drivers in JavaScript and
Python. Of a room it has to be said before `subscribe`; a driver with SDK_HAS_TOKEN in its
environment has the SDK ask for its own.

It answers each on its standard output, with `{"id":1,"ok":{...}}` or `{"id":1,"error":{"code","message"}}`, and
says there whatever the SDK calls a handler for: `{"event":"publication","room","offset","user","data"}`,
`connecting`, `connected`, `disconnected`, `subscribed`, `unsubscribed`, `join`, `leave`; of subscriptions that the
server began `server_subscribed`, `server_unsubscribed`, `server_publication`.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest

from .canang_process import REPOSITORY
from .fixtures import show_on_failure
from .process_lifetime import die_with_parent
from .waiting import eventually

GO_DEADLINE_S = 300  # of a test that may have to build the driver first
DRIVERS = REPOSITORY / "tests" / "clients" / "sdk"
PATIENCE_S = 15.0
END_TIMEOUT_S = 5.0
EMULATION = "/emulation"


@dataclass(frozen=True)
class Sdk:
    language: str
    format: str
    transport: str = "websocket"

    def __str__(self) -> str:
        name = f"{self.language}-{self.format}"
        return name if self.transport == "websocket" else f"{name}-{self.transport}"

    @property
    def keeps_order(self) -> bool:
        """Of what is said without waiting. Over a fallback transport each command is a request of its own, and all are
        under way at once."""
        return self.transport == "websocket"


SDKS = [Sdk(language, format) for language in ("js", "python", "go") for format in ("json", "protobuf")]
SDKS += [
    Sdk("js", "json", "http_stream"),
    Sdk("js", "protobuf", "http_stream"),
    Sdk("js", "json", "sse"),
    Sdk("page", "json"),
]


class SdkError(Exception):
    """What the SDK failed with; `code` is the protocol's, or 0."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class SdkClient:
    """One client of an SDK. Made by the `start_client` fixture, which also ends it."""

    def __init__(
        self, sdk: Sdk, command: list[str], *arguments: str, has_token: bool = False
    ) -> None:
        self.sdk = sdk
        self.events: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._stderr: list[str] = []
        self._asked = 0
        self._process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | ({"SDK_HAS_TOKEN": "1"} if has_token else {}),
            preexec_fn=die_with_parent,
        )
        readers = (self._read_stdout, self._read_stderr)
        self._readers = [threading.Thread(target=reader, daemon=True) for reader in readers]
        for reader in self._readers:
            reader.start()

    def _read_stdout(self) -> None:
        for line in self._process.stdout:
            said = json.loads(line)
            if "event" in said:
                self.events.append(said)
            else:
                self._answers[said["id"]] = said

    def _read_stderr(self) -> None:
        self._stderr += self._process.stderr

    # -- what it does ----------------------------------------------------------------------------

    def tell(self, verb: str, **fields: Any) -> int:
        """Does not wait for the answer: `answered` does."""
        self._asked += 1
        self._process.stdin.write(json.dumps({"id": self._asked, "do": verb} | fields) + "\n")
        self._process.stdin.flush()
        return self._asked

    async def answered(self, number: int) -> dict[str, Any]:
        await self.until(lambda: number in self._answers, f"answers command {number}")
        answer = self._answers[number]
        if "error" in answer:
            raise SdkError(**answer["error"])
        return answer["ok"]

    async def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        return await self.answered(self.tell(verb, **fields))

    async def connect(self) -> SdkClient:
        await self.ask("connect")
        await self.has("connected")
        return self

    async def has_started(self) -> None:
        """Which takes seconds at times: the time of a token that is made before may be over."""
        await self.take_token("")

    async def take_token(self, token: str, room: str = "") -> None:
        await self.ask("token", room=room, token=token)

    async def disconnect(self) -> None:
        await self.ask("disconnect")
        await self.has("disconnected")

    async def join(
        self,
        room: str,
        *,
        recoverable: bool = False,
        join_leave: bool = False,
        delta: str = "",
    ) -> dict[str, Any]:
        """What it was told when it was subscribed."""
        before = len(self.of("subscribed", room))
        await self.ask(
            "subscribe", room=room, recoverable=recoverable, join_leave=join_leave, delta=delta
        )
        return (await self.has("subscribed", before + 1, room))[-1]

    async def leave(self, room: str) -> None:
        before = len(self.of("unsubscribed", room))
        await self.ask("unsubscribe", room=room)
        await self.has("unsubscribed", before + 1, room)

    async def publish(self, room: str, *data: Any) -> None:
        """One after the other; where the order is kept, without waiting between them."""
        if not self.sdk.keeps_order:
            for value in data:
                await self.ask("publish", room=room, data=value)
            return
        for number in [self.tell("publish", room=room, data=value) for value in data]:
            await self.answered(number)

    async def history(
        self,
        room: str,
        limit: int = -1,
        since: dict[str, Any] | None = None,
        reverse: bool = False,
    ) -> dict[str, Any]:
        return await self.ask("history", room=room, limit=limit, since=since, reverse=reverse)

    async def presence(self, room: str) -> list[dict[str, Any]]:
        return (await self.ask("presence", room=room))["clients"]

    # -- what it was told ------------------------------------------------------------------------

    def of(self, event: str, room: str | None = None) -> list[dict[str, Any]]:
        return [e for e in self.events if e["event"] == event and room in (None, e.get("room"))]

    def data(self, room: str) -> list[Any]:
        return [event["data"] for event in self.of("publication", room)]

    def server_data(self, room: str) -> list[Any]:
        return [event["data"] for event in self.of("server_publication", room)]

    def offsets(self, room: str) -> list[int]:
        return [event["offset"] for event in self.of("publication", room)]

    @property
    def id(self) -> str:
        return self.of("connected")[-1]["client"]

    async def has(
        self, event: str, count: int = 1, room: str | None = None, timeout: float = PATIENCE_S
    ) -> list[dict[str, Any]]:
        """Waits until it was told this so many times."""
        where = f" of {room}" if room else ""
        await self.until(
            lambda: len(self.of(event, room)) >= count, f"has {count} {event}{where}", timeout
        )
        return self.of(event, room)

    async def until(
        self, condition: Callable[[], Any], what: str, timeout: float = PATIENCE_S
    ) -> Any:
        def holds() -> Any:
            seen = condition()
            assert seen or self._process.poll() is None, f"{self.sdk} has ended\n{self.tail()}"
            return seen

        try:
            return await eventually(holds, f"{self.sdk}: {what}", timeout)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.tail()}") from None

    def tail(self, lines: int = 20) -> str:
        events = [json.dumps(event, ensure_ascii=False) for event in self.events[-lines:]]
        return "\n".join([f"--- {self.sdk}", *events, *self._stderr[-lines:]])

    def end(self) -> None:
        """Closing its input tells it to end."""
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended by itself
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join()
        self._process.stdout.close()
        self._process.stderr.close()


# -- drivers ---------------------------------------------------------------------------------------


def js_command(script: str = "js/driver.mjs") -> list[str]:
    folder = DRIVERS / "js"
    if not shutil.which("node"):
        pytest.fail("node is not installed: ./dev test sdk installs it")
    if not (folder / "node_modules").is_dir():
        pytest.fail(f"the packages of {folder} are not installed: ./dev test sdk installs them")
    return ["node", str(DRIVERS / script)]


def page_command() -> list[str]:
    return js_command("page/driver.mjs")


def python_command() -> list[str]:
    return [sys.executable, str(DRIVERS / "python" / "driver.py")]


def go_command() -> list[str]:
    """Built on first use. Debian 12's own Go is too old for the SDK, so that it is not asked for."""
    folder, built = DRIVERS / "go", REPOSITORY / "build" / "sdk" / "go-driver"
    wanted = re.search(r"^go (\S+)$", (folder / "go.mod").read_text(), re.MULTILINE)[1]
    if lack := lack_of_go(wanted):
        pytest.skip(f"centrifuge-go needs Go {wanted} or newer, and {lack}")
    built.parent.mkdir(parents=True, exist_ok=True)
    with (built.parent / "lock").open("w") as lock:  # another worker of the same run waits
        fcntl.flock(lock, fcntl.LOCK_EX)
        build = ["go", "build", "-buildvcs=false", "-o", str(built), "."]
        done = subprocess.run(
            build, cwd=folder, env=go_environment(), capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, f"the Go driver does not build\n{done.stderr}"
    return [str(built)]


def lack_of_go(wanted: str) -> str:
    """Empty where there is one that is new enough."""
    if not shutil.which("go"):
        return "there is none here"
    found = subprocess.run(
        ["go", "env", "GOVERSION"], env=go_environment(), capture_output=True, text=True, check=True
    )
    have = found.stdout.strip().removeprefix("go")
    return "" if numbers(have) >= numbers(wanted) else f"this is {have}"


def go_environment() -> dict[str, str]:
    """It must not fetch another toolchain."""
    return os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}


def numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


COMMANDS = {
    "js": js_command, "python": python_command, "go": go_command, "page": page_command,
}  # fmt: skip


# -- fixtures --------------------------------------------------------------------------------------


@cache
def outcome_of(command: Callable[[], list[str]]) -> list[str] | BaseException:
    """What pytest skips or fails with has its own exceptions; nothing is tried twice."""
    try:
        return command()
    except BaseException as why:
        return why


@pytest.fixture(params=SDKS, ids=str)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    """Each test that asks for it runs once for each SDK and format."""
    return request.param


@pytest.fixture
def start_client(
    request: pytest.FixtureRequest, sdk: Sdk
) -> Iterator[Callable[..., SdkClient]]:
    """`start_client(port, user="ana")`: a client, not connected yet, ended with the test."""
    command = outcome_of(COMMANDS[sdk.language])
    if isinstance(command, BaseException):
        raise command
    clients: list[SdkClient] = []

    def start(
        port: int,
        user: str | None = None,
        emulation_port: int | None = None,
        has_token: bool = False,
    ) -> SdkClient:
        query = f"?user={quote(user)}" if user else ""
        scheme = "ws" if sdk.transport == "websocket" else "http"
        url = f"{scheme}://127.0.0.1:{port}/connection/{sdk.transport}{query}"
        arguments = [url, sdk.format]
        if sdk.transport != "websocket":
            said_to = f"http://127.0.0.1:{emulation_port or port}{EMULATION}"
            arguments += [sdk.transport, said_to]
        client = SdkClient(sdk, command, *arguments, has_token=has_token)
        clients.append(client)
        return client

    show_on_failure(
        request.node, lambda: [(f"client {n}", c.tail()) for n, c in enumerate(clients)]
    )
    yield start
    for client in clients:
        client.end()
