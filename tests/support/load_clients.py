"""Many clients that write down what they go through: a `canang-load resume` as a process."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Protocol

from .canang_process import REPOSITORY, binary
from .load_journal import Journal, read_journal
from .process_lifetime import die_with_parent
from .waiting import wait_until

RAMP_UP_SPARE_S = 30.0
SETTLE_TIMEOUT_S = 90.0


class Population(Protocol):
    """How many they are, and what they do."""

    @property
    def rooms(self) -> int: ...
    @property
    def members(self) -> int: ...  # a room
    @property
    def rate(self) -> int: ...  # publications a second, in all
    @property
    def ramp_up(self) -> int: ...  # first connections a second
    @property
    def seed(self) -> int: ...


def load_binary() -> Path:
    beside = binary().with_name("canang-load")
    default = REPOSITORY / "build" / "release" / "canang-load"
    return Path(os.environ.get("CANANG_LOAD_BIN", beside if beside.exists() else default))


class Clients:
    """A `canang-load resume`."""

    def __init__(
        self,
        directory: Path,
        population: Population,
        port: int,
        settle_limit_s: int,
        quiet_s: float = 2.0,
        silence_limit_s: float = 0.0,
    ) -> None:
        self.journal_path = directory / "journal"
        self.log_path = directory / "log"
        self._count = population.rooms * population.members
        self._ramp_up = population.ramp_up
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(str(load_binary()), "resume", "--url", f"ws://127.0.0.1:{port}/ws"),
                    *("--rooms", str(population.rooms), "--members", str(population.members)),
                    *("--rate", str(population.rate), "--ramp-up", str(population.ramp_up)),
                    *("--source", "127.0.0.2,127.0.0.3", "--seed", str(population.seed)),
                    *("--journal", str(self.journal_path)),
                    *("--settle-limit", f"{settle_limit_s}s", "--quiet-for", f"{quiet_s}s"),
                    *("--silence-limit", f"{int(silence_limit_s * 1000)}ms"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )

    def wait_connected(self) -> None:
        def connected() -> bool:
            assert self.process.poll() is None, f"the clients ended: {self.tail()}"
            return f"connected {self._count}\n" in self.log_path.read_text()

        spare = self._count / self._ramp_up + RAMP_UP_SPARE_S
        wait_until(connected, "all clients are in their rooms", spare, 0.1)

    def finish(self) -> Journal:
        """Publishing ends, what is under way arrives, and the journal is read."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(SETTLE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the clients do not end: {self.tail()}") from None
        return read_journal(self.journal_path)

    def tail(self) -> str:
        return "\n".join(self.log_path.read_text().splitlines()[-5:])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
