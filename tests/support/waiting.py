"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

POLL_SECONDS = 0.02


def wait_until(
    condition: Callable[[], Any], what: str, timeout: float = 5.0, poll: float = POLL_SECONDS
) -> Any:
    """Returns the first true value of `condition`, or fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(poll)


async def eventually(
    condition: Callable[[], Any], what: str, timeout: float = 5.0, poll: float = POLL_SECONDS
) -> Any:
    """`wait_until` for coroutines: the clients in the same loop go on meanwhile."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        await asyncio.sleep(poll)


def holds_for(condition: Callable[[], Any], seconds: float, what: str) -> None:
    """Fails as soon as `condition` is false within the next `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"did not hold for {seconds} s: {what}"
        time.sleep(POLL_SECONDS)


def port_answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
