"""The two sides of a measurement: a server process and a run of canang-load."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

START_DEADLINE_S = 15
STOP_DEADLINE_S = 5
LOAD_SPARE_S = 60  # beyond the times that were asked for
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """A measurement that could not be made, with the reason."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(cores: str, command: list[str]) -> list[str]:
    return ["taskset", "-c", cores, *command]


def process_tree(pid: int) -> list[int]:
    """The process and what it has started."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


class Server:
    """A server on a free port, pinned to some cores, with whatever processes it starts itself."""

    def __init__(self, peer: Any, cores: str, log: Path) -> None:
        self.port = free_port()
        self.launch = launch = peer.launch(self.port)
        self.url = f"ws://127.0.0.1:{self.port}{peer.path}"
        self.log = log
        self.loads: list[subprocess.Popen[str]] = []
        with log.open("w") as out:
            self.process = subprocess.Popen(
                pinned(cores, launch.command),
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **launch.environment},
                cwd=launch.directory,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except Failure:
            self.stop()
            raise

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failure(f"exited with {self.process.returncode}: {self.last_words()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Failure(f"not listening after {START_DEADLINE_S} s: {self.last_words()}")

    def last_words(self) -> str:
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        telling = [line for line in lines if "rror" in line] or lines[-1:]
        return telling[-1].strip()[:200] if telling else "no output"

    def pids(self) -> list[int]:
        """The server's process and its children."""
        return process_tree(self.process.pid)

    def memory_bytes(self) -> int:
        """Memory of its own, with pages that processes share divided among them.

        Files that it maps are left out: their pages count for less as soon as the load, which uses
        the same libraries, is there too.
        """
        total = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                    total += int(line.split()[1]) * 1024
        return total

    def settled_memory_bytes(self, patience_s: float = 10.0) -> int:
        """Once it has stayed within 128 KiB for 2 s: allocators give freed memory back after one or so."""
        deadline = time.monotonic() + patience_s
        last, since = self.memory_bytes(), time.monotonic()
        while time.monotonic() < min(since + 2.0, deadline):
            time.sleep(0.1)
            now = self.memory_bytes()
            if abs(now - last) > 128 * 1024:
                last, since = now, time.monotonic()
        return self.memory_bytes()

    def cpu_s(self) -> float:
        ticks = 0
        for pid in self.pids():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
        return ticks / CLOCK_TICKS

    def stop(self) -> None:
        for load in self.loads:
            if load.poll() is None:
                load.kill()
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_DEADLINE_S)
        with suppress(ProcessLookupError):  # its session is its own: nothing of it stays
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Load:
    """A run of canang-load against a server."""

    def __init__(
        self, binary: Path, server: Server, dialect: str, cores: str, arguments: list[str]
    ) -> None:
        command = [str(binary), "--url", server.url, "--dialect", dialect, "--json", "-"]
        self.server = server
        self.process = subprocess.Popen(
            pinned(cores, command + arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        server.loads.append(self.process)
        self.connected_at = 0.0
        self.has_connected = threading.Event()
        self.words: list[str] = []
        self.reader = threading.Thread(target=self._read_progress, daemon=True)
        self.reader.start()

    def _read_progress(self) -> None:
        for line in self.process.stderr:
            if line.startswith("connected "):
                self.connected_at = time.monotonic()
                self.has_connected.set()
            self.words = [*self.words[-3:], line.strip()]
        self.has_connected.set()

    def wait_until_connected(self, limit_s: float) -> None:
        if not self.has_connected.wait(limit_s) or not self.connected_at:
            raise Failure(self._why_not_connected())

    def _why_not_connected(self) -> str:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            errors = self.result(5)["connect"]["errors"]
            return "could not connect: " + ", ".join(f"{k} ({n})" for k, n in errors.items())
        except Failure as failure:
            return str(failure)

    def server_cpu(self, start_s: float, length_s: float, sink: dict[str, float]) -> None:
        """Fills in the server's share of a core between two times after the last connect."""

        def take() -> tuple[float, float]:
            return time.monotonic(), self.server.cpu_s()

        def fill(before: tuple[float, float], after: tuple[float, float]) -> None:
            sink["server_cpu"] = round((after[1] - before[1]) / (after[0] - before[0]), 3)

        self.sample(start_s, length_s, take, fill)

    def sample(
        self,
        start_s: float,
        length_s: float,
        take: Callable[[], Any],
        use: Callable[[Any, Any], None],
    ) -> threading.Thread:
        """Calls `take` at two times after the last connect, then `use` with what it gave."""

        def watch() -> None:
            if not self.has_connected.wait(LOAD_SPARE_S) or not self.connected_at:
                return
            time.sleep(max(0.0, self.connected_at + start_s - time.monotonic()))
            before = take()
            time.sleep(length_s)
            use(before, take())

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def result(self, limit_s: float) -> dict[str, Any]:
        timer = threading.Timer(limit_s, self.process.kill)
        timer.start()
        out = self.process.stdout.read()
        code = self.process.wait()
        timer.cancel()
        self.reader.join(1)
        if code < 0:
            raise Failure(f"the load did not end within {limit_s:.0f} s")
        try:
            return json.loads(out)
        except json.JSONDecodeError:
            raise Failure(f"canang-load: exit {code}: {' '.join(self.words)[:200]}") from None
