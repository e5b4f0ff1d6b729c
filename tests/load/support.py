"""Starts servers and canang-load for the tests of this folder.

CANANG_LOAD_BIN and CANANG_BIN name other binaries than those of build/release.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LOAD = os.environ.get("CANANG_LOAD_BIN", str(HERE.parents[1] / "build" / "release" / "canang-load"))
CANANG = os.environ.get("CANANG_BIN", str(HERE.parents[1] / "build" / "release" / "canang"))
DEADLINE_S = 30
# canang-load publishes as fast as it can.
WITHOUT_RATES = (
    *("--publish-rate", "0", "--publish-bytes-rate", "0"),
    *("--room-publish-rate", "0", "--room-publish-bytes-rate", "0"),
)
FINDINGS = (
    "lost",
    "doubled",
    "reordered",
    "members_in_other_order",
    "misrouted",
    "corrupt",
    "wrong_type",
)


@contextmanager
def faulty_server(**options: Any) -> Iterator[str]:
    """A server with `fault=`, `every=`, `manner=`; gives its URL."""
    with faulty_servers(1, **options) as urls:
        yield urls[0]


@contextmanager
def faulty_servers(addresses: int, **options: Any) -> Iterator[list[str]]:
    """The same, with the URLs of all its addresses."""
    arguments = [
        text
        for name, value in options.items()
        for text in (f"--{name.replace('_', '-')}", str(value))
    ]
    server = subprocess.Popen(
        [sys.executable, str(HERE / "faulty_server.py"), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines = [server.stdout.readline() for _ in range(addresses)]
        yield [f"ws://{line.split()[-1]}/ws" for line in lines]
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


@contextmanager
def canang(*arguments: str) -> Iterator[str]:
    """The real server on free ports; gives its URL. It must end with exit code 0 when told to."""
    server = subprocess.Popen(
        [CANANG, "--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0", "--drain-grace", "0s", *WITHOUT_RATES, *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = ""
        for line in server.stdout:
            words = line.split()
            if "listening" in words and "internal" not in words:
                address = words[-1]
            if words[-1:] == ["ready"]:
                break
        yield f"ws://{address}/ws"
        server.terminate()
        if (code := server.wait(DEADLINE_S)) != 0:
            raise AssertionError(f"the server ended with {code}")
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def load(url: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of a short run: 3 rooms of 4, unless the arguments differ."""
    command = [
        LOAD,
        *("--url", url, "--json", "-", "--quiet", "--rooms", "3", "--members", "4"),
        *("--settle", "100ms", "--warmup", "100ms", "--duration", "700ms"),
        *("--drain", "300ms", "--echo-timeout", "200ms"),
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    try:
        return done.returncode, json.loads(done.stdout)
    except json.JSONDecodeError:
        raise AssertionError(f"exit {done.returncode}: {done.stdout}{done.stderr}") from None
