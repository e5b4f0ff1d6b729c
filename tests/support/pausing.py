"""Processes that are stopped for a while, and go on."""

from __future__ import annotations

import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from .waiting import wait_until


def stop(process: subprocess.Popen[Any]) -> None:
    """The kernel stops a process's threads one by one, some time after it was told: returns when all have."""
    process.send_signal(signal.SIGSTOP)
    pid = process.pid
    wait_until(lambda: set(_states(pid)) == {"T"}, f"process {pid} has stopped", 5)


def go_on(process: subprocess.Popen[Any]) -> None:
    """Nothing if it has ended."""
    process.send_signal(signal.SIGCONT)


def _states(pid: int) -> list[str]:
    """Of its threads; those that end meanwhile are left out."""
    states = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            states.append((task / "stat").read_text().rsplit(")", 1)[1].split()[0])
    return states
