"""The processes of a rollout: Redis, nodes at fixed ports, HAProxy, the clients."""

from __future__ import annotations

import random
import signal
import socket
import time
from pathlib import Path
from typing import Any

from support.canang_process import CanangProcess, http_request
from support.haproxy import HAProxy, Ports
from support.load_clients import Clients
from support.redis_process import RedisProcess
from support.waiting import wait_until

from .settings import Settings

# Beneath what the kernel gives to outgoing connections, so that a node finds its port free again;
# and apart from those of ./dev cluster.
LASTING_PORTS = range(10_000, 20_000)
_given: set[int] = set()


def lasting_port() -> int:
    """A port that is free, that no outgoing connection will be given, and nobody else here."""
    while True:
        port = random.choice(LASTING_PORTS)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


class Stage:
    """Ends whatever it started, in whichever way its block is left."""

    def __init__(self, directory: Path, settings: Settings, names: list[str]) -> None:
        self.directory = directory
        self.settings = settings
        self.ports = {name: Ports(lasting_port(), lasting_port()) for name in names}
        self.nodes: dict[str, CanangProcess] = {}
        self.drained: list[Drained] = []
        self._ended: list[Any] = []
        self._folders = 0

    def __enter__(self) -> Stage:
        try:
            self.redis = RedisProcess(self.folder("redis"), (), lasting_port(), is_sentinel=False)
            self.redis.start()
            self.keep(self.redis)
            proxy_port = lasting_port()
            self.haproxy = self.keep(HAProxy(self.folder("ha"), proxy_port, self.ports))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._ended):
            process.kill()

    def keep(self, process: Any) -> Any:
        """To be ended with the stage."""
        self._ended.append(process)
        return process

    def folder(self, name: str) -> Path:
        self._folders += 1
        folder = self.directory / f"{self._folders}-{name}"
        folder.mkdir(parents=True)
        return folder

    def start(self, *names: str, redis: str | None = None, **options: Any) -> None:
        """Starts nodes at their ports, and waits until each is ready and HAProxy has it up."""
        for name in names:
            at = self.ports[name]
            defaults = {
                "listen": f"127.0.0.1:{at.public}",
                "internal-listen": f"127.0.0.1:{at.internal}",
                "redis": redis or self.redis.url,
                "workers": 1,
                "drain-grace": f"{int(self.settings.grace_s * 1000)}ms",
                "drain-period": f"{int(self.settings.period_s * 1000)}ms",
                "rebalance-after": f"{self.settings.rebalance_s:g}s",
                "close-timeout": None,
            }
            node = CanangProcess(self.folder(name), defaults | options)
            self.nodes[name] = self.keep(node)
        for name in names:
            self.nodes[name].wait_ready()
        for name in names:
            self.haproxy.wait_state(name, up=True, timeout=10)

    def start_clients(
        self, port: int | None = None, settle_limit_s: int = 60, **more: float
    ) -> Clients:
        """Behind HAProxy, unless a port says otherwise."""
        folder = self.folder("clients")
        return self.keep(
            Clients(folder, self.settings, port or self.haproxy.port, settle_limit_s, **more)
        )

    def drain(self, name: str, why: str = "drained") -> Drained:
        """SIGTERM, and waits for the end. The connections it had, and how long it took."""
        node = self.nodes.pop(name)
        had = int(node.metrics()["canang_connections"])
        began = time.monotonic()
        node.signal(signal.SIGTERM)
        self.haproxy.wait_state(name, up=False, timeout=10)
        noticed = time.monotonic()
        code = node.wait_exit(self.settings.exit_limit_s + 30)
        done = Drained(name, why, had, began, noticed - began, time.monotonic() - began, code)
        self.drained.append(done)
        return done

    def status(self, name: str, path: str = "/readyz") -> int:
        return http_request(self.ports[name].internal, path).status


class Drained:
    """How the drain of a node went, from outside."""

    def __init__(
        self,
        name: str,
        why: str,
        had: int,
        began: float,
        noticed_s: float,
        took_s: float,
        code: int,
    ) -> None:
        self.name, self.had, self.began, self.code = name, had, began, code
        self.label = f"{name} {why}"
        self.noticed_s = noticed_s  # until HAProxy had it down
        self.took_s = took_s

    @property
    def ended(self) -> float:
        return self.began + self.took_s
