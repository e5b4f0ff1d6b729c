"""Real redis-server processes, Sentinels among them, each with its port and directory."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from .documented_acl import PASSWORD, USER, documented_rules
from .fixtures import show_on_failure
from .pausing import go_on, stop
from .process_lifetime import die_with_parent
from .waiting import wait_until

START_TIMEOUT_S = 10.0
ASK_AGAIN_S = 5.0
QUESTIONS = {
    "CLUSTER INFO", "EXISTS", "GET", "HGET", "HGETALL", "INFO", "KEYS", "PING", "PUBSUB", "ROLE",
    "SENTINEL GET-MASTER-ADDR-BY-NAME", "SENTINEL REPLICAS", "TTL", "TYPE", "XLEN", "XRANGE",
}  # fmt: skip


def is_question(command: Sequence[str | bytes | int]) -> bool:
    """Whether it changes nothing."""
    words = [str(word).upper() for word in command[:2]]
    return words[0] in QUESTIONS or " ".join(words) in QUESTIONS


def free_port() -> int:
    """A port that nobody has at this moment, and that the kernel gives to no client."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as clients:
        below = int(clients.read().split()[0])
    tries = [random.randrange(10_000, below) for _ in range(100)] if below > 10_000 else []
    for port in [*tries, 0]:  # 0: any, where those for clients leave none
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(taken.getsockname()[1])
    raise OSError("no port is free")


class RedisError(Exception):
    """An error reply."""


class RedisConnection:
    """Just enough of the protocol to ask a server something, with any bytes."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._file = self._socket.makefile("rb")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def ask(self, *arguments: str | bytes | int) -> Any:
        parts = [a if isinstance(a, bytes) else str(a).encode() for a in arguments]
        request = b"*%d\r\n" % len(parts)
        request += b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self._socket.sendall(request)
        return self._read()

    def _read(self) -> Any:
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2]
        return None if rest == b"-1" else [self._read() for _ in range(int(rest))]


class RedisProcess:
    """One redis-server. Made by the `start_redis` fixture, which also ends it.

    `url` and `at` name a user that may do what docs/configuration.md says, and nothing else; the tests
    themselves are the default user.
    """

    def __init__(
        self, directory: Path, options: Sequence[str], port: int | None, is_sentinel: bool
    ) -> None:
        self.directory = directory
        self.options = list(options)
        self.port = port or free_port()
        self.is_sentinel = is_sentinel
        self.password: str | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.may_refuse = False  # set by tests of refusals

    @property
    def url(self) -> str:
        return self.at(self.port)

    @staticmethod
    def at(port: int) -> str:
        """The URL of this server behind another port of this machine."""
        return f"redis://{USER}:{PASSWORD}@127.0.0.1:{port}"

    def refused(self) -> list[str]:
        """What the ACL has refused to the servers under test."""
        fields = ("reason", "context", "object", "username")
        entries = [dict(zip(e[::2], e[1::2], strict=True)) for e in self.ask("ACL", "LOG")]
        texts = [{field: entry[field.encode()].decode() for field in fields} for entry in entries]
        return [str(t) for t in texts if t["username"] == USER and t["reason"] != "auth"]

    def start(self) -> None:
        common = ["--port", str(self.port), "--dir", str(self.directory), "--bind", "127.0.0.1"]
        if self.is_sentinel:
            command = ["redis-server", str(self.directory / "sentinel.conf"), "--sentinel", *common]
        else:
            at_once = ["--repl-diskless-sync-delay", "0"]  # a replica need not wait for others
            user = ["--user", USER, *documented_rules()]
            command = ["redis-server", *common, *user, "--save", "", *at_once, *self.options]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=die_with_parent
            )
        wait_until(self._answers, "redis-server answers", START_TIMEOUT_S)

    def _answers(self) -> bool:
        try:
            self.ask("PING")
        except RedisError as refused:
            return "NOAUTH" in str(refused)
        except OSError:
            return False
        return True

    def ask(self, *arguments: str | bytes | int) -> Any:
        """Sends one command on a connection of its own.

        A Redis that changes ends connections: whoever is promoted is told to by its Sentinel. So what only
        asks is asked again where the answer was lost; what changes something is not.
        """
        deadline = time.monotonic() + ASK_AGAIN_S
        while True:
            try:
                return self._ask_once(*arguments)
            except ConnectionRefusedError:
                raise  # it is not there
            except ConnectionError:
                if not is_question(arguments) or time.monotonic() > deadline:
                    raise

    def _ask_once(self, *arguments: str | bytes | int) -> Any:
        connection = RedisConnection(self.port)
        try:
            if self.password:
                connection.ask("AUTH", self.password)
            return connection.ask(*arguments)
        finally:
            connection.close()

    def info(self, section: str) -> dict[str, str]:
        text = self.ask("INFO", section).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def commandstats(self) -> dict[str, int]:
        """How often each command was called, scripts' own calls included."""
        stats = self.info("commandstats")
        return {
            name.removeprefix("cmdstat_"): int(value.split(",")[0].removeprefix("calls="))
            for name, value in stats.items()
        }

    def kill_clients(self, kind: str) -> int:
        """Ends connections of a type: normal, pubsub, replica."""
        return int(self.ask("CLIENT", "KILL", "TYPE", kind))

    def tail(self, lines: int = 10) -> str:
        return "\n".join((self.directory / "log").read_text().splitlines()[-lines:])

    def pause(self) -> None:
        stop(self.process)

    def resume(self) -> None:
        go_on(self.process)

    def kill(self) -> None:
        go_on(self.process)
        self.process.kill()
        self.process.wait()

    def replicates(self) -> bool:
        return self.info("replication").get("master_link_status") == "up"

    def is_master(self) -> bool:
        return self.info("replication").get("role") == "master"


@pytest.fixture
def start_redis(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., RedisProcess]]:
    """`start_redis("--appendonly", "yes")`: a server that answers, ended with the test.

    `sentinel_of=PORT` starts a Sentinel that watches the server there as `mymaster`; `quorum` of
    them must agree that it is gone.
    """
    if not shutil.which("redis-server"):
        pytest.fail("redis-server is not installed")
    servers: list[RedisProcess] = []

    def start(
        *options: str, port: int | None = None, sentinel_of: int | None = None, quorum: int = 1
    ) -> RedisProcess:
        directory = tmp_path / f"redis-{len(servers)}"
        directory.mkdir()
        if sentinel_of:
            (directory / "sentinel.conf").write_text(
                f"sentinel monitor mymaster 127.0.0.1 {sentinel_of} {quorum}\n"
                "sentinel down-after-milliseconds mymaster 800\n"
                "sentinel failover-timeout mymaster 3000\n"
            )
        server = RedisProcess(directory, options, port, sentinel_of is not None)
        servers.append(server)
        server.start()
        return server

    show_on_failure(
        request.node,
        lambda: [(f"redis {n} (port {r.port})", r.tail()) for n, r in enumerate(servers)],
    )

    yield start
    refused = [refusal for server in servers for refusal in refusals_of(server)]
    for server in servers:
        if server.process:
            server.kill()
    assert refused == [], "docs/configuration.md does not name all that the ACL has to allow"


def refusals_of(server: RedisProcess) -> list[str]:
    if server.may_refuse or server.is_sentinel:
        return []
    server.resume()
    try:
        return server.refused()
    except (OSError, RedisError):
        return []  # it has ended, or is paused
