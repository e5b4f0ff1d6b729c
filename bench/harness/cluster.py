"""Two nodes on one Redis: published on one, measured on the other."""

from __future__ import annotations

import re
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report import cluster as pages

from . import cluster_peers
from .cluster_peers import ClusterPeer
from .process import LOAD_SPARE_S, START_DEADLINE_S, Failure, Load, Server
from .redis_server import Redis, redis_version
from .scenarios import (
    FULL,
    IN_FLIGHT,
    LOAD_CORE,
    QUICK,
    SERVER_CORE,
    SIZES,
    Case,
    Times,
    faults_of,
    traffic_figures,
)
from .side import Side

ONE_ROOM, MANY_ROOMS = "cluster-room", "cluster-rooms"


def room_case(in_flight: int, times: Times) -> Case:
    """The publisher comes on top of the thousand that are measured."""
    label = f"1,000 members, {SIZES[64]}, {in_flight} in flight"
    return Case(ONE_ROOM, label, "cluster", members=1001, in_flight=in_flight, times=times)


def rooms_case(times: Times) -> Case:
    label = f"100 rooms of 10, {SIZES[64]}, 1 in flight a room"
    return Case(MANY_ROOMS, label, "cluster", rooms=100, members=11, in_flight=1, times=times)


def cases(is_quick: bool) -> list[Case]:
    times = QUICK if is_quick else FULL
    in_flight = (1, 32) if is_quick else IN_FLIGHT
    return [*(room_case(n, times) for n in in_flight), rooms_case(times)]


class Cluster:
    """A fresh Redis and two nodes, all on one core. To canang-load it is a server at `url`."""

    def __init__(self, peer: ClusterPeer, logs: Path) -> None:
        self.loads: list[Any] = []
        with ExitStack() as stack:
            self.redis = stack.enter_context(Redis(SERVER_CORE, logs / "redis.log"))
            node = peer.bound(self.redis.url)
            names = [f"{peer.name}-{place}.log" for place in ("publishing", "delivering")]
            self.publishing, self.delivering = (
                stack.enter_context(Server(node, SERVER_CORE, logs / name)) for name in names
            )
            for server in (self.publishing, self.delivering):
                wait_until_ready(server)
            self.stack = stack.pop_all()
        self.url = self.delivering.url

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        for load in self.loads:
            if load.poll() is None:
                load.kill()
        self.stack.close()

    def died(self) -> str:
        """Who has ended, and its last words; empty when all are there."""
        for name in ("redis", "publishing", "delivering"):
            server = getattr(self, name)
            if server.process.poll() is not None:
                return f"{name} died: {server.last_words()}"
        return ""

    def snapshot(self) -> Snapshot:
        servers = (self.publishing, self.delivering, self.redis)
        counters = canang_counters(self.publishing)
        return Snapshot(
            time.monotonic(), [s.cpu_s() for s in servers], self.redis.calls(), counters
        )


def wait_until_ready(server: Server) -> None:
    """Listening is not enough where a node tells whether its Redis is there."""
    port = server.launch.internal_port
    deadline = time.monotonic() + START_DEADLINE_S
    while port:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).close()
            return
        except OSError as error:
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise Failure(f"not ready: {error}; {server.last_words()}") from None
            time.sleep(0.02)


def canang_counters(server: Server) -> dict[str, float]:
    """What the node has published so far, and in how many calls of Redis; empty for the others."""
    if not server.launch.internal_port:
        return {}
    url = f"http://127.0.0.1:{server.launch.internal_port}/metrics"
    with urllib.request.urlopen(url, timeout=5) as answer:
        text = answer.read().decode()
    return {name: total_of(text, name) for name in (PUBLICATIONS, REDIS_PUBLISHES)}


PUBLICATIONS, REDIS_PUBLISHES = "canang_publications_total", "canang_redis_publishes_total"


def total_of(metrics: str, name: str) -> float:
    """The sum of a metric's samples; raises ValueError when there is none."""
    samples = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)", metrics, re.M)
    if not samples:
        raise ValueError(f"there is no metric {name}")
    return sum(float(sample) for sample in samples)


@dataclass
class Snapshot:
    time_s: float
    cpu_s: list[float]  # publishing, delivering, redis
    calls: dict[str, int]
    counters: dict[str, float]


def between(a: Snapshot, b: Snapshot) -> dict[str, Any]:
    """Shares of a core, and calls of Redis a second."""
    passed = b.time_s - a.time_s
    publishing, delivering, redis = (
        round((y - x) / passed, 3) for x, y in zip(a.cpu_s, b.cpu_s, strict=True)
    )
    calls = {name: round((n - a.calls.get(name, 0)) / passed, 1) for name, n in b.calls.items()}
    figures: dict[str, Any] = {
        "publishing_cpu": publishing,
        "delivering_cpu": delivering,
        "redis_cpu": redis,
        "redis_calls_per_s": {name: n for name, n in sorted(calls.items()) if n},
    }
    published = b.counters.get(PUBLICATIONS, 0) - a.counters.get(PUBLICATIONS, 0)
    if published:
        calls_made = b.counters[REDIS_PUBLISHES] - a.counters[REDIS_PUBLISHES]
        figures["own_publish_calls_a_message"] = round(calls_made / published, 4)
    return figures


def publish_calls_per_s(calls: dict[str, float]) -> float:
    """Calls by which nodes publish. Redis counts the PUBLISH that a script makes too, one a script that
    publishes; scripts that do something else, such as renewing leases, make none."""
    return calls.get("publish", 0) + calls.get("spublish", 0)


@dataclass
class ClusterBench:
    """Carries out the cases; what Runner wants."""

    server_binary: Path
    load: Path
    logs: Path

    def check(self, peer: ClusterPeer) -> None:
        """Whether what is published on one node reaches the members on the other."""
        with Cluster(peer, self.logs) as cluster:
            arguments = ["--rooms", "5", "--members", "20", "--once", "--settle", "300ms"]
            load = self._start(peer, cluster, [*arguments, "--drain", "2s", "--quiet"])
            faults = faults_of(load.result(LOAD_SPARE_S))
            if faults:
                raise Failure("not the same service: " + ", ".join(faults))

    def measure(self, case: Case, peer: ClusterPeer) -> dict[str, Any]:
        times = case.times
        with Cluster(peer, self.logs) as cluster:
            arguments = [
                *("--rooms", str(case.rooms), "--members", str(case.members)),
                *("--size", str(case.size), "--in-flight", str(case.in_flight)),
                *("--settle", f"{times.settle_s}s", "--warmup", f"{times.warmup_s}s"),
                *("--duration", f"{times.measure_s}s", "--drain", "2s"),
            ]
            load = self._start(peer, cluster, arguments)
            figures: dict[str, Any] = {}
            sampling = load.sample(
                times.settle_s + times.warmup_s,
                times.measure_s * 0.95,
                cluster.snapshot,
                lambda a, b: figures.update(between(a, b)),
            )
            result = load.result(times.measure_s + LOAD_SPARE_S)
            sampling.join(LOAD_SPARE_S)
            if died := cluster.died():
                raise Failure(died)
        if result["connect"]["connected"] < result["connect"]["wanted"]:
            raise Failure(f"could not connect: {result['connect']['errors']}")
        if "redis_cpu" not in figures:
            raise Failure("Redis or a node could not be asked for its figures")
        messages_per_s = result["run"]["publishes_per_s"]
        if messages_per_s:
            calls = publish_calls_per_s(figures["redis_calls_per_s"])
            figures["publish_calls_a_message"] = round(calls / messages_per_s, 4)
        figures["messages_per_s"] = messages_per_s
        return {**figures, **traffic_figures(case, result, spin=False)}

    def _start(self, peer: ClusterPeer, cluster: Cluster, arguments: list[str]) -> Load:
        apart = ["--publish-url", cluster.publishing.url]
        return Load(self.load, cluster, peer.dialect, LOAD_CORE, [*apart, *arguments])


SIDE = Side(
    name="cluster",
    description="Measures two nodes of Canang and of others on one Redis: bench/README.md.",
    cases=cases,
    candidates=lambda binary: [cluster_peers.canang(binary), *cluster_peers.all_peers()],
    bench=ClusterBench,
    pages=pages,
    rounds=5,
    needs=("redis-server",),
    facts=lambda: {"redis": redis_version()},
)
