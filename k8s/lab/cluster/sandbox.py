"""The namespaces that all of the lab is in, and its end.

Their first process (`init`) is the one that counts: when it ends, the kernel ends every process below it, and with
these go networks and mounts. It reads its standard input, a pipe from `up`: the word to stay, or the end of
the pipe when `up` has failed or was killed. Another process (`keeper`), outside, waits for its end and removes the control
groups, which are all that would be left.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from . import cgroups
from .base import BIN, KUBECONFIG, LAB, LOGS, NODES, PKI, STATE, Trouble, wait_until
from .processes import Process, child_of

INIT = STATE / "init"  # files that name a process
KEEPER = STATE / "keeper"
START_TIMEOUT_S = 20
END_TIMEOUT_S = 30
ALIVE = 'ip link set lo up && read -r word && exec "$0"'


class Sandbox:
    """While `up` is in its block, it lives no longer than `up`; after `stay` until `down`."""

    def __enter__(self) -> Sandbox:
        read, self._word = os.pipe()
        self._stays = False
        LOGS.mkdir(parents=True, exist_ok=True)
        with (LOGS / "keeper.log").open("w") as log:
            subprocess.Popen(
                [sys.executable, LAB / "lab", "keep"],
                **{"stdin": read, "stdout": log, "stderr": log, "start_new_session": True},
            )
        os.close(read)
        try:
            wait_until(lambda: running() is not None, "namespaces of its own", START_TIMEOUT_S, 0.02)
        except Trouble:
            os.close(self._word)
            raise
        return self

    def stay(self) -> None:
        os.write(self._word, b"stay\n")
        self._stays = True

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        os.close(self._word)
        if kind is not None or not self._stays:
            end()


def keep() -> None:
    """The keeper, which ends with the sandbox."""
    own = Process.of(os.getpid())
    assert own
    own.write(KEEPER)
    # `--kill-child`: were the process killed that waits for it, it would end too.
    command = ["unshare", "--pid", "--net", "--fork", "--kill-child=KILL", "--"]
    waiting = subprocess.Popen([*command, "sh", "-c", ALIVE, BIN / "pause"])
    os.close(0)
    wait_until(lambda: child_of(waiting.pid) is not None or waiting.poll() is not None, "a child", 10, 0.02)
    init = Process.of(child_of(waiting.pid) or 0)
    if init:
        init.write(INIT)
    waiting.wait()
    cgroups.sweep()
    KEEPER.unlink(missing_ok=True)


def running() -> Process | None:
    return Process.read(INIT)


def needed() -> Process:
    init = running()
    if not init:
        raise Trouble("there is no cluster; `./dev kubernetes up` starts one")
    return init


def end() -> bool:
    """Ends all processes of it, and removes what is of no use without them. Whether there was something."""
    init, keeper = running(), Process.read(KEEPER)
    if init:
        init.kill()
        wait_until(lambda: not init.is_alive(), "its processes end", END_TIMEOUT_S)
    if keeper:
        wait_until(lambda: not keeper.is_alive(), "its keeper ends", END_TIMEOUT_S)
    cgroups.sweep()  # when the keeper was killed
    for folder in (NODES, PKI, STATE / "etcd", STATE / "cache"):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (KUBECONFIG, INIT, KEEPER):
        file.unlink(missing_ok=True)
    return bool(init or keeper)


def inside(*command: str | Path) -> list[str | Path]:
    """The command, in the lab's processes and network."""
    return ["nsenter", f"--target={needed().pid}", "--pid", "--net", "--", *command]


def on_network(*command: str | Path) -> list[str | Path]:
    """The command, in the lab's network, but with this machine's numbers of processes."""
    return ["nsenter", f"--net=/proc/{needed().pid}/ns/net", "--", *command]


def start(command: Sequence[str | Path], log: Path) -> subprocess.Popen[bytes]:
    """Runs on inside, also when this process ends."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as out:
        return subprocess.Popen(
            inside(*command),
            **{"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out, "start_new_session": True},
        )
