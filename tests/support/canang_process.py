"""The server as a process: start, look into it from outside, stop.

The binary is `CANANG_BIN`, or build/release/canang of this repository.
"""

from __future__ import annotations

import http.client
import json
import math
import mmap
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

from prometheus_client.parser import text_string_to_metric_families

from .process_lifetime import with_open_files
from .waiting import eventually, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 15.0
SANITIZER_REPORTS = (
    "ERROR: AddressSanitizer",
    "ERROR: LeakSanitizer",
    "WARNING: ThreadSanitizer",
    ": runtime error: ",
)

# What a test has when it says nothing else: ports of its own, two loops on any machine, short
# waits for peers that don't answer.
DEFAULT_OPTIONS: dict[str, Any] = {
    "listen": "127.0.0.1:0",
    "internal-listen": "127.0.0.1:0",
    "workers": 2,
    "close-timeout": "1s",
    "drain-grace": "0s",
    "drain-period": "5s",
    "log-format": "json",
    "log-level": "info",
}

# For tests whose clients publish as fast as they can.
WITHOUT_RATES: dict[str, Any] = {
    "publish-rate": 0,
    "publish-bytes-rate": 0,
    "room-publish-rate": 0,
    "room-publish-bytes-rate": 0,
}


def binary() -> Path:
    default = REPOSITORY / "build" / "release" / "canang"
    return Path(os.environ.get("CANANG_BIN", default)).resolve()


@cache
def sanitized(path: Path | None = None) -> bool:
    """True for a build with ASan or TSan: memory and time are then judged leniently."""
    with open(path or binary(), "rb") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
            return any(image.find(name) >= 0 for name in (b"__asan_init", b"__tsan_init"))


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without any CANANG_ variable of whoever runs the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CANANG_")}
    kept.setdefault("ASAN_OPTIONS", "detect_leaks=1")
    kept.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    return kept | dict(extra or {})


def run_to_end(
    arguments: Sequence[str],
    env: Mapping[str, str] | None = None,
    timeout: float = 20.0,
    files: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """For invocations that end by themselves: --help, --check-config, refused options."""
    return subprocess.run(
        [str(binary()), *arguments],
        env=clean_environment(env),
        capture_output=True,
        text=True,
        timeout=timeout,
        preexec_fn=with_open_files(files),
        check=False,
    )


class Metrics:
    """One scrape, parsed by a parser that is not ours."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self._samples: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in self.families:
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append((sample.labels, sample.value))

    def names(self) -> set[str]:
        return set(self._samples) | {family.name for family in self.families}

    def samples(self, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        wanted = labels.items()
        return [entry for entry in self._samples.get(name, []) if wanted <= entry[0].items()]

    def total(self, name: str, **labels: str) -> float:
        """The sum over the samples with these labels; 0 when there is none."""
        return math.fsum(value for _, value in self.samples(name, **labels))

    def __getitem__(self, name: str) -> float:
        if name not in self._samples:
            raise KeyError(f"no metric {name}")
        return self.total(name)

    def closes(self) -> dict[tuple[str, str], int]:
        """What canang_closes_total counted: {(code, reason): count}, without zeros."""
        return {
            (labels["code"], labels["reason"]): int(value)
            for labels, value in self.samples("canang_closes_total")
            if value
        }


class HttpAnswer:
    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = {key.lower(): value for key, value in headers.items()}
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode()


class CanangProcess:
    """One running server. Made by the `start_canang` fixture, which also ends it."""

    def __init__(
        self,
        directory: Path,
        options: Mapping[str, Any],
        extra: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        command: Sequence[str] | None = None,
        files: int | None = None,
    ) -> None:
        """`command` in place of the binary and its options; the rest is the same. `files`: its limit of
        open files."""
        self.arguments = [str(binary())]
        merged = DEFAULT_OPTIONS | {key.replace("_", "-"): value for key, value in options.items()}
        for name, value in merged.items():
            if value is not None:  # None: this default is not passed at all
                self.arguments += [f"--{name}", str(value)]
        self.arguments += extra
        if command is not None:
            self.arguments = list(command)
        self.json_logs = merged["log-format"] == "json"
        self.stdout_path = directory / "stdout"
        self.stderr_path = directory / "stderr"
        self._stdout: IO[bytes] = self.stdout_path.open("wb")
        self._stderr: IO[bytes] = self.stderr_path.open("wb")
        self.process = subprocess.Popen(
            self.arguments,
            env=clean_environment(env),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=self._stderr,
            preexec_fn=with_open_files(files),
        )
        self._told_to_end = False
        self.port = 0
        self.internal_host, self.internal_port = "127.0.0.1", 0

    # -- start ---------------------------------------------------------------------------------

    def wait_listening(self) -> None:
        """Up, though perhaps not ready: its ports are known."""
        _, self.port = self._address_after("listening on ")
        self.internal_host, self.internal_port = self._address_after("internal listening on ")

    def wait_ready(self) -> None:
        self.wait_listening()
        wait_until(self._is_ready, "/readyz answers 200", START_TIMEOUT_S)

    def _address_after(self, prefix: str) -> tuple[str, int]:
        pattern = re.compile(rf"(?<!internal ){prefix}(\S+):(\d+)$")

        def search() -> tuple[str, int] | None:
            assert self.running, f"the server ended with {self.process.returncode}\n{self.tail()}"
            for message in self.log_messages():
                found = pattern.match(message) if self.json_logs else pattern.search(message)
                if found:
                    return found[1].strip("[]"), int(found[2])
            return None

        return wait_until(search, f"the server logs {prefix!r}", START_TIMEOUT_S)

    def _is_ready(self) -> bool:
        assert self.running, f"the server ended with {self.process.returncode}\n{self.tail()}"
        try:
            return self.get_internal("/readyz").status == 200
        except OSError:
            return False

    # -- look ----------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def stdout(self) -> str:
        return self.stdout_path.read_text()

    def stderr(self) -> str:
        return self.stderr_path.read_text()

    def log_lines(self) -> list[str]:
        """The complete lines so far."""
        return self.stdout().split("\n")[:-1]

    def log_records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_lines()]

    def log_messages(self) -> list[str]:
        if self.json_logs:
            return [record["msg"] for record in self.log_records()]
        return self.log_lines()

    def log_with(self, text: str) -> list[str]:
        """The messages so far that have this text."""
        return [message for message in self.log_messages() if text in message]

    def wait_log(self, text: str, timeout: float = 5.0) -> list[str]:
        """The same once there is one: a line comes a little after what it tells of."""
        return wait_until(lambda: self.log_with(text), f"a line of the log has {text!r}", timeout)

    def tail(self, lines: int = 25) -> str:
        """The end of both outputs, for the message of a failed test."""
        parts = []
        for name, text in (("stdout", self.stdout()), ("stderr", self.stderr())):
            kept = "\n".join(text.splitlines()[-lines:])
            parts.append(f"--- {name} of {self.arguments[0]} (pid {self.pid})\n{kept}")
        return "\n".join(parts)

    def get(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None):
        return http_request(self.port, path, method, headers)

    def get_internal(self, path: str, method: str = "GET"):
        return http_request(self.internal_port, path, method, host=self.internal_host)

    def metrics(self) -> Metrics:
        answer = self.get_internal("/metrics")
        assert answer.status == 200, answer.text
        return Metrics(answer.text)

    def url(self, path: str = "/ws") -> str:
        return f"ws://127.0.0.1:{self.port}{path}"

    def wait_metric(self, name: str, value: float, timeout: float = 5.0) -> None:
        seen = float("nan")

        def reached() -> bool:
            nonlocal seen
            seen = self.metrics()[name]
            return seen == value

        try:
            wait_until(reached, f"{name} is {value}", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {seen}") from None

    async def members_are(self, count: int, timeout: float = 5.0) -> None:
        """Joining goes through the room, so a client is a member a little after its 101."""
        await eventually(
            lambda: self.metrics()["canang_members"] == count, f"{count} members", timeout
        )

    def wait_members(self, count: int, timeout: float = 5.0) -> None:
        self.wait_metric("canang_members", count, timeout)

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resources(self) -> dict[str, float]:
        """What must be as before when everybody has left: the gauges and the descriptors."""
        metrics = self.metrics()
        gauges = ("actors", "connections", "rooms", "members", "outbox_bytes", "inbox_bytes")
        return {name: metrics[f"canang_{name}"] for name in gauges} | {
            "descriptors": self.descriptors()
        }

    def settled_resources(self) -> dict[str, float]:
        """`resources()` of an idle server, without the scrape's own connection that ends."""
        return min((self.resources() for _ in range(10)), key=lambda seen: seen["descriptors"])

    def wait_resources(self, expected: dict[str, float], timeout: float = 10.0) -> None:
        wait_until(lambda: self.resources() == expected, f"resources are {expected}", timeout)

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def rss_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self) -> float:
        """User and system time of the whole process so far."""
        return cpu_seconds_of(self.pid)

    def refuses_connections(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            pass  # it was still taken, and went with the listener that ended at this moment
        return False

    # -- stop ----------------------------------------------------------------------------------

    def signal(self, number: int) -> None:
        self._told_to_end = True
        self.process.send_signal(number)

    def wait_exit(self, timeout: float = STOP_TIMEOUT_S) -> int:
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s\n{self.tail()}") from None

    def stop(self, timeout: float = STOP_TIMEOUT_S) -> int:
        """SIGTERM, unless the test has already sent a signal (a second one cuts the drain short).

        Returns the exit code. A server that doesn't end is killed: an error.
        """
        if self.running and not self._told_to_end:
            self.signal(signal.SIGTERM)
        try:
            return self.wait_exit(timeout)
        finally:
            self.kill()

    def kill(self) -> None:
        if self.running:
            self.process.kill()
        self.process.wait()
        self._stdout.close()
        self._stderr.close()

    def check_reports(self) -> None:
        """Fails on a sanitizer's report, wherever it was printed."""
        for text in (self.stderr(), self.stdout()):
            for report in SANITIZER_REPORTS:
                assert report not in text, f"sanitizer report\n{self.tail(60)}"


def http_request(
    port: int,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    timeout: float = 5.0,
    host: str = "127.0.0.1",
) -> HttpAnswer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request(method, path, headers={"Connection": "close"} | dict(headers or {}))
        response = connection.getresponse()
        return HttpAnswer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def cpu_seconds_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def process_cpu_over(process: CanangProcess, seconds: float) -> float:
    """CPU seconds that the server used over the next `seconds`. The wait is the measurement."""
    before, started = process.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    used, lasted = process.cpu_seconds() - before, time.monotonic() - started
    return used * seconds / lasted
