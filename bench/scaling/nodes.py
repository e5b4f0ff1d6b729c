"""Real nodes on a real Redis, all on free ports of this machine."""

from __future__ import annotations

import json
import os
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from harness.peers import Launch, without_rates
from harness.process import Failure, Server, free_port
from harness.redis_server import Redis

from .redis_link import Counts, RedisLink, counts_of

READY_DEADLINE_S = 60
CORES = ",".join(map(str, sorted(os.sched_getaffinity(0))))
KINDS = ("plain", "live", "seen", "told")
SETTINGS = """\
[namespaces.plain]
presence = false
join-leave = false
[namespaces.live]
history-size = 0
presence = false
join-leave = false
[namespaces.seen]
presence = true
join-leave = false
[namespaces.told]
presence = true
join-leave = true
"""


class _NodePeer:
    """As Server wants it."""

    path = "/ws"

    def __init__(self, binary: Path, redis_url: str, config: Path) -> None:
        self.binary, self.redis_url, self.config = binary, redis_url, config

    def launch(self, port: int) -> Launch:
        internal_port = free_port()
        command = [
            *(str(self.binary), "--config", str(self.config), "--redis", self.redis_url),
            *("--listen", f"127.0.0.1:{port}", "--internal-listen", f"127.0.0.1:{internal_port}"),
            *("--workers", "1", "--drain-grace", "0s", "--drain-period", "1s"),
            *("--rebalance-after", "0s", "--log-level", "warn"),
            *("--ping-interval", "10m", "--pong-timeout", "10m"),  # the clients here answer none
            *without_rates(self.binary),
        ]
        return Launch(command, internal_port=internal_port)


class Cluster:
    """So many nodes; ready when each of them knows all."""

    def __init__(self, binary: Path, count: int) -> None:
        with ExitStack() as stack:
            made = tempfile.TemporaryDirectory(prefix="canang-scale-")
            directory = Path(stack.enter_context(made))
            config = directory / "canang.toml"
            config.write_text(SETTINGS)
            self.redis = stack.enter_context(Redis(CORES, directory / "redis.log"))
            self.link = RedisLink(self.redis.port)
            stack.callback(self.link.close)
            peer = _NodePeer(binary, self.redis.url, config)
            self.nodes = [
                stack.enter_context(Server(peer, CORES, directory / f"node{i}.log"))
                for i in range(count)
            ]
            self._wait_until_ready()
            self.stack = stack.pop_all()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_DEADLINE_S
        waiting = list(self.nodes)
        while waiting:
            waiting = [node for node in waiting if self.roster_of(node) != len(self.nodes)]
            if waiting and time.monotonic() > deadline:
                raise Failure(f"{len(waiting)} nodes did not become ready")
            time.sleep(0.1)

    @staticmethod
    def roster_of(node: Server) -> int:
        """How many nodes it knows."""
        url = f"http://127.0.0.1:{node.launch.internal_port}"
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                pass
            with urllib.request.urlopen(f"{url}/nodes", timeout=5) as answer:
                return len(json.load(answer)["nodes"])
        except OSError:
            return 0

    def description_bytes(self) -> float:
        """What a node tells of itself, on average."""
        told = self.link("HVALS", "canang:{p00}:nodes:info")
        return sum(map(len, told)) / len(told)

    def counts(self) -> Counts:
        return counts_of(self.link)

    def nodes_cpu_s(self) -> float:
        """Of all threads of all nodes, as the scheduler counts it."""
        total = 0
        for node in self.nodes:
            for pid in node.pids():
                for task in Path(f"/proc/{pid}/task").iterdir():
                    total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def nodes_memory(self) -> float:
        return sum(node.memory_bytes() for node in self.nodes) / len(self.nodes)

    def during(self, seconds: float) -> Counts:
        before = self.counts()
        time.sleep(seconds)
        return self.counts() - before
