"""A Docker engine for a test: Debian's, in namespaces of its own. No registry is asked for images."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from engine_keeper import ISOLATED, NETWORK, PLACES, SOCKET  # and now the lab's package can be imported
from manifests import REPOSITORY
from support.canang_process import binary, clean_environment
from support.waiting import wait_until

from cluster import cgroups, needs
from cluster.base import succeeds
from cluster.image import Image, rename

TOOL = REPOSITORY / "build" / "compose" / "docker-compose"
ARCHIVE = REPOSITORY / "build" / "image" / "canang.tar"  # of ./dev image
KEEPER = Path(__file__).with_name("engine_keeper.py")
# Of this clone, as the lab's.
GROUP = "canang-compose-" + hashlib.sha256(bytes(REPOSITORY)).hexdigest()[:8]
# The engine's own client rather than a newer one elsewhere, which may not talk to it.
FOLDERS = "/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAMS = (
    *("dockerd", "docker", "containerd", "containerd-shim-runc-v2", "runc", "iptables", "ip", "mount"),
    *("nsenter", "unshare", "setpriv", "haproxy", "wget", "redis-server", "redis-cli", "ldd"),
)
START_TIMEOUT_S = 30
END_TIMEOUT_S = 40
COMMAND_TIMEOUT_S = 60
CLONE_NEWNET = 0x40000000

Result = TypeVar("Result")
_libc = ctypes.CDLL(None, use_errno=True)


def missing() -> str | None:
    """What an engine would lack here, in one line."""
    return needs.first_missing(iter((_root, _tool, _programs, _namespaces, _network, cgroups.missing)))


def _root() -> str | None:
    return None if os.geteuid() == 0 else "needs root, for namespaces and mounts"


def _tool() -> str | None:
    return None if TOOL.is_file() else "needs Docker's Compose: ./dev compose build makes it"


def _programs() -> str | None:
    lacking = [name for name in PROGRAMS if not shutil.which(name, path=FOLDERS)]
    return f"needs the commands {', '.join(lacking)}" if lacking else None


def _namespaces() -> str | None:
    if succeeds([*ISOLATED, "sh", "-c", PLACES]):
        return None
    return "needs namespaces (process, network, mount) with mounts in them"


def _network() -> str | None:
    if succeeds([*ISOLATED, "sh", "-c", PLACES + NETWORK]):
        return None
    return "needs bridges, and iptables with translation of addresses, in a network of its own"


class Engine:
    """`with Engine(FOLDER) as engine:`; its log is in that folder, and what it writes itself is in memory."""

    def __init__(self, folder: Path, group: str = GROUP) -> None:
        self.group = group
        self.log = folder / "engine.log"
        configuration = folder / "client"
        plugins = configuration / "cli-plugins"
        plugins.mkdir(parents=True)
        (plugins / "docker-compose").symlink_to(TOOL)
        inherited = clean_environment(
            {"PATH": FOLDERS, "DOCKER_CONFIG": str(configuration), "HOME": str(folder)}
            | {"DOCKER_HOST": f"unix://{SOCKET}"}
        )
        self._environment = {
            name: value for name, value in inherited.items() if not name.startswith("COMPOSE_")
        }

    def __enter__(self) -> Engine:
        with self.log.open("w") as log:
            self._keeper = subprocess.Popen(
                [sys.executable, "-B", str(KEEPER), self.group],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                text=True,
            )
        assert self._keeper.stdout
        try:
            said = self._keeper.stdout.readline()
            assert said, self.log.read_text()
            self.pid = int(said)
            wait_until(self._answers, "the engine answers", START_TIMEOUT_S, 0.1)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        """The keeper ends all there is as soon as nobody can write to it any more."""
        assert self._keeper.stdin and self._keeper.stdout
        self._keeper.stdin.close()
        code = self._keeper.wait(END_TIMEOUT_S)
        self._keeper.stdout.close()
        assert code == 0, self.log.read_text()

    def _answers(self) -> bool:
        assert self._keeper.poll() is None, self.log.read_text()
        return self._run("docker", "version").returncode == 0

    # --- commands

    def docker(self, *arguments: str | Path, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """`docker ARGUMENTS` among the engine's processes, mounts and network. What it prints."""
        done = self._run("docker", *arguments, timeout_s=timeout_s)
        assert done.returncode == 0, f"docker {' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def _run(
        self, *command: str | Path, timeout_s: float = COMMAND_TIMEOUT_S
    ) -> subprocess.CompletedProcess[str]:
        inside = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--net", "--"]
        return subprocess.run(
            [*inside, *command],
            cwd=REPOSITORY,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def inspect(self, name: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", name))
        return found[0]

    # --- what runs there, as this machine sees it

    def process(self, number: int) -> Path:
        """The folder in /proc of a process that the engine names by that number."""
        return Path(f"/proc/{self.pid}/root/proc/{number}")

    def on_network(self, work: Callable[[], Result], of: int = 1) -> Result:
        """Does it in a thread that is on the network of that process: 1 is the engine's first."""

        def there() -> Result:
            with (self.process(of) / "ns" / "net").open() as network:
                if _libc.setns(network.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            return work()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(there).result()


# --- images


def write_images(names: dict[str, str], folder: Path) -> Sequence[Path]:
    """The images of the services, by the names that they are to have, of programs of this machine."""
    archives = [folder / f"{service}.tar" for service in ("haproxy", "redis", "node1")]
    for archive, write in zip(archives, (_haproxy, _redis, _canang), strict=True):
        write(names[archive.stem], archive)
    return archives


def _haproxy(name: str, archive: Path) -> None:
    entrypoint = ["/usr/sbin/haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
    Image([name], _programs_of("haproxy", "wget"), entrypoint=entrypoint).write(archive)


def _redis(name: str, archive: Path) -> None:
    Image([name], _programs_of("redis-server", "redis-cli")).write(archive)


def _canang(name: str, archive: Path) -> None:
    """That of ./dev image, where it is as new as the server; else one without its base."""
    server = binary()
    if ARCHIVE.exists() and ARCHIVE.stat().st_mtime >= server.stat().st_mtime:
        rename(ARCHIVE, [name], archive)
        return
    alone = Image(
        [name], {str(server): "/usr/bin/canang"}, entrypoint=["/usr/bin/canang"], user="65532:65532"
    )
    alone.write(archive)


def _programs_of(*names: str) -> dict[str, str]:
    found = {name: shutil.which(name, path=FOLDERS) or name for name in names}
    return {source: f"/usr/{'sbin' if name == 'haproxy' else 'bin'}/{name}" for name, source in found.items()}
