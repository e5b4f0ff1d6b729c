"""The server in a root directory of its own, as an image or a package brings it. Needs root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from .canang_process import CanangProcess
from .process_lifetime import die_with_parent
from .waiting import wait_until

ENTER = Path(__file__).with_name("enter.py")
START_TIMEOUT_S = 10.0


@dataclass
class Confinement:
    """What is run where: see enter.py."""

    root: str
    argv: list[str]
    uid: int
    gid: int
    env: dict[str, str]
    files: int = 1024
    mounts: dict[str, str] = field(default_factory=dict)
    own_network: bool = False
    system_calls: list[str] = field(default_factory=list)

    def command(self) -> list[str]:
        namespaces = ["--mount", "--pid", *(["--net"] if self.own_network else [])]
        spec = json.dumps(asdict(self))
        return ["unshare", *namespaces, "--fork", "--kill-child", sys.executable, str(ENTER), spec]


class ConfinedProcess(CanangProcess):
    """A server whose process is the one child of `unshare`, which passes its exit code on."""

    def __init__(self, directory: Path, confinement: Confinement) -> None:
        self.confinement = confinement
        super().__init__(directory, {}, command=confinement.command())
        self.json_logs = confinement.env.get("CANANG_LOG_FORMAT") == "json"

    @property
    def pid(self) -> int:
        """The server's, seen from here; that of `unshare` when there is no server any more."""

        def found() -> list[str]:
            return self._children() or ([] if self.running else [str(self.process.pid)])

        return int(wait_until(found, "the server is there", START_TIMEOUT_S)[0])

    def _children(self) -> list[str]:
        if not self.running:
            return []
        wanted = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return Path(wanted).read_text().split()

    def signal(self, number: int) -> None:
        self._told_to_end = True
        os.kill(self.pid, number)

    def kill(self) -> None:
        if self.running:
            os.kill(self.pid, 9)  # the first of its namespace: no one in there is left
        super().kill()

    def run_inside(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """As `docker exec` or a probe of the kubelet: same namespaces, root and user."""
        user = ["--setuid", str(self.confinement.uid), "--setgid", str(self.confinement.gid)]
        return subprocess.run(
            ["nsenter", "--target", str(self.pid), "--mount", "--net", "--pid", "--root", "--wd=/"]
            + [*user, *argv],
            env=self.confinement.env,
            capture_output=True,
            text=True,
            timeout=20,
            preexec_fn=die_with_parent,
            check=False,
        )

    def status(self) -> Mapping[str, str]:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


@pytest.fixture
def start_confined(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[Confinement], ConfinedProcess]]:
    """`start_confined(confinement)`: ended with the test."""
    servers: list[ConfinedProcess] = []
    request.node.canang_servers = servers

    def start(confinement: Confinement) -> ConfinedProcess:
        directory = tmp_path / f"confined-{len(servers)}"
        directory.mkdir()
        servers.append(ConfinedProcess(directory, confinement))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()
