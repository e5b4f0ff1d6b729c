"""A process that a file names, and that is known again: pids are given anew to others."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _fields(pid: int) -> list[str]:
    """Of /proc/PID/stat, from the third on: the second may hold anything, in parentheses."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


@dataclass(frozen=True)
class Process:
    pid: int
    began: str  # clock ticks since boot, and which boot

    @staticmethod
    def of(pid: int) -> Process | None:
        """None when it has ended, also while nobody has asked for its exit code yet."""
        fields = _fields(pid)
        if not fields or fields[0] in "ZX":
            return None
        return Process(pid, f"{fields[19]}@{BOOT_ID.read_text().strip()}")

    @staticmethod
    def read(file: Path) -> Process | None:
        """The one that the file names, if that one is still there."""
        try:
            pid, began = file.read_text().split()
            known = Process(int(pid), began)
        except (FileNotFoundError, ValueError):
            return None
        return known if known.is_alive() else None

    def write(self, file: Path) -> None:
        fresh = file.with_name(file.name + ".new")
        fresh.write_text(f"{self.pid} {self.began}\n")
        fresh.rename(file)

    def is_alive(self) -> bool:
        return Process.of(self.pid) == self

    def kill(self) -> None:
        """This one or none: the descriptor keeps to the process that was looked at."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.is_alive():
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        except ProcessLookupError:
            pass
        finally:
            os.close(descriptor)


def child_of(pid: int) -> int | None:
    """The first one, as this machine numbers it, whatever namespace it is in."""
    for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda entry: int(entry.name)):
        if _fields(int(entry.name))[1:2] == [str(pid)]:
            return int(entry.name)
    return None
