"""The processes of an attack: two nodes, the honest clients of the first one, attackers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from support.canang_process import DEFAULT_OPTIONS, CanangProcess, binary
from support.load_clients import Clients
from support.redis_process import RedisProcess, free_port

from .attacks import Attack
from .settings import Settings

PROGRAM = Path(__file__).with_name("attackers") / "main.py"
QUIET_S = 1.0
END_TIMEOUT_S = 5.0


class Stage:
    """Ends whatever it started, in whichever way its block is left."""

    def __init__(self, directory: Path, settings: Settings, attack: Attack) -> None:
        self.directory, self.settings, self.attack = directory, settings, attack
        self.nodes: list[CanangProcess] = []  # the one with the honest clients, and the other
        self._ended: list[Any] = []

    @property
    def window_s(self) -> float:
        return self.settings.window_s * self.attack.slowness

    def __enter__(self) -> Stage:
        try:
            for name in ("first", "second"):
                self._start_node(name)
            for node in self.nodes:
                node.wait_ready()
            folder = self.folder("clients")
            port = self.nodes[0].port
            self.clients = self._keep(Clients(folder, self.settings, port, 10, quiet_s=QUIET_S))
            self.clients.wait_connected()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._ended):
            process.kill()

    def _keep(self, process: Any) -> Any:
        self._ended.append(process)
        return process

    def folder(self, name: str) -> Path:
        folder = self.directory / name
        folder.mkdir(parents=True)
        return folder

    def _start_node(self, name: str) -> None:
        options: dict[str, Any] = {
            "workers": self.settings.workers,
            "memory-limit": f"{self.settings.memory_limit_mib}MiB",
        }
        if self.attack.redis:
            redis = RedisProcess(self.folder(f"redis-{name}"), (), free_port(), is_sentinel=False)
            redis.start()
            options["redis"] = self._keep(redis).url
        command = None
        if self.attack.files is not None:
            given = (DEFAULT_OPTIONS | options).items()
            limit = f"--nofile={self.attack.files}:{self.attack.files}"
            flags = [text for key, value in given for text in (f"--{key}", str(value))]
            command = ["prlimit", limit, str(binary()), *flags]
        node = CanangProcess(self.folder(name), options, command=command)
        self.nodes.append(self._keep(node))

    def strike(self, node: CanangProcess) -> Attackers:
        """Begins the attack. To be ended by the caller; the stage ends it in any case."""
        return self._keep(Attackers(self.attack.programs, node.port))


class Attackers:
    """One process for each program."""

    def __init__(self, programs: tuple[str, ...], port: int) -> None:
        self._processes: list[subprocess.Popen[str]] = []
        try:
            for number, program in enumerate(programs):
                self._processes.append(_attacker(program, port, number))
            for process in self._processes:
                process.stdout.readline()  # it has begun
        except BaseException:
            self.kill()
            raise

    def end(self) -> Counter[str]:
        """What they did, in sum. All their connections are gone then."""
        for process in self._processes:
            process.terminate()
        tally: Counter[str] = Counter()
        for process in self._processes:
            try:
                said, _ = process.communicate(timeout=END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"an attacker does not end: {process.args}") from None
            assert process.returncode == 0, f"{process.args} ended with {process.returncode}"
            tally += Counter(json.loads(said))
        return tally

    def kill(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def _attacker(program: str, port: int, number: int) -> subprocess.Popen[str]:
    """Without `preexec_fn`: there are threads that watch. Attackers have machines of their own: where they all
    share this one's cores with the node, what is measured is not to be how long the node waits for a core.
    """
    return subprocess.Popen(
        ["chrt", "--idle", "0", sys.executable, "-S", str(PROGRAM), program, str(port), str(number)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
