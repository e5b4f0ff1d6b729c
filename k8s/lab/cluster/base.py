"""Where everything is, and the ways to run commands and to wait."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

LAB = Path(__file__).resolve().parents[1]
REPOSITORY = LAB.parents[1]
STATE = Path(os.environ.get("CANANG_LAB_STATE", REPOSITORY / "build" / "kubernetes"))
BIN = STATE / "bin"
PKI = STATE / "pki"
LOGS = STATE / "log"
NODES = STATE / "nodes"
IMAGES = STATE / "images"
KUBECONFIG = STATE / "kubeconfig"
# Of this clone: another one may have a lab on the same machine at the same time.
CGROUP = "canang-lab-" + hashlib.sha256(bytes(STATE)).hexdigest()[:8]

API_ADDRESS = "10.99.0.1"
API_URL = f"https://{API_ADDRESS}:6443"
FIRST_SERVICE_ADDRESS = "10.96.0.1"  # the API server's own
SERVICES = "10.96.0.0/16"
DNS_ADDRESS = "10.96.0.10"  # in objects/dns.yaml


class Trouble(Exception):
    """Told in one line, without a stack."""


def run(command: Sequence[str | Path], *, stdin: str | None = None) -> str:
    """What it prints. Trouble when it fails, with what it says."""
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True)
    except FileNotFoundError:
        raise Trouble(f"there is no {command[0]} here") from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Trouble(f"{' '.join(map(str, command[:8]))}: {said[-1] if said else done.returncode}")
    return done.stdout


def succeeds(command: Sequence[str | Path]) -> bool:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float, poll_s: float = 0.1) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise Trouble(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(poll_s)


def tell(what: str) -> None:
    print(what, flush=True)
