"""A Redis of the bench's own, and what it tells of itself."""

from __future__ import annotations

import shutil
import socket
import tempfile
from pathlib import Path

from .peers import Launch, Unavailable, run
from .process import Server


def redis_version() -> str:
    """Raises Unavailable."""
    words = run(["redis-server", "--version"], Path.cwd()).split()
    return next((word[2:] for word in words if word.startswith("v=")), "?")


class _RedisPeer:
    """As Server wants it: what to start, on the port that it has chosen."""

    path = ""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def launch(self, port: int) -> Launch:
        options = ("--bind", "127.0.0.1", "--port", str(port), "--dir", self.directory)
        return Launch(["redis-server", *options, "--save", "", "--appendonly", "no"])


class Redis(Server):
    """On a free port, keeps nothing on disk; its folder goes with it."""

    def __init__(self, cores: str, log: Path) -> None:
        if not shutil.which("redis-server"):
            raise Unavailable("there is no redis-server here")
        self.directory = tempfile.mkdtemp(prefix="canang-bench-")
        try:
            super().__init__(_RedisPeer(self.directory), cores, log)
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise
        self.url = f"redis://127.0.0.1:{self.port}"

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def calls(self) -> dict[str, int]:
        """How often each command has been called so far, also by scripts."""
        counts = {}
        for line in self._info("commandstats").splitlines():
            name, found, values = line.partition(":calls=")
            if found:
                counts[name.removeprefix("cmdstat_")] = int(values.partition(",")[0])
        return counts

    def _info(self, section: str) -> str:
        with socket.create_connection(("127.0.0.1", self.port), 5) as link:
            link.sendall(f"INFO {section}\r\n".encode())
            with link.makefile("rb") as reply:
                size = int(reply.readline()[1:])  # a bulk string, RESP
                return reply.read(size).decode()
