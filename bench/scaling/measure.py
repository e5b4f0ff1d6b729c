"""Unit costs of a cluster of so many real nodes."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from .members import Crowd, payload
from .nodes import Cluster
from .redis_link import Counts

ROOMS = 96  # of a kind
ROUNDS = 5  # publications of each room
BYTES = 64  # of a publication
PERIOD_S = 4.0  # in which each node has done once what it does regularly
QUIET_S = 2.5  # after which a room counts as quiet
GRACE_S = 4.5  # leaves are told after three seconds
LEFT_S = 8.0  # and channels are left after five
SETTLE_S = 1.0
WHOLE = ("plain", "told")  # kinds of rooms of which everything is measured

Figures = dict[str, float]


def a_unit(used: Counts, units: float) -> Figures:
    return {
        "cpu_us": used.cpu_s * 1e6 / units,
        "scripts": used.scripts / units,
        "in": used.bytes_in / units,
        "out": used.bytes_out / units,
        "memory": used.memory / units,
    }


def a_second(used: Counts, units: float) -> Figures:
    return a_unit(used, units * used.time_s)


def least(rounds: list[Figures]) -> Figures:
    """The round with the least CPU: what else the machine does only ever adds to that."""
    return min(rounds, key=lambda figures: figures["cpu_us"])


def calmest(periods: Iterable[Counts]) -> Counts:
    """The same of periods in which nothing is asked for."""
    return min(periods, key=lambda counts: counts.cpu_s / counts.time_s)


class Bench:
    """What is measured on one cluster, in the order in which it has to be."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.crowd = Crowd()
        self.count = len(cluster.nodes)

    def run(self) -> dict[str, Figures]:
        try:
            return self._run()
        finally:
            self.crowd.close()

    def _run(self) -> dict[str, Figures]:
        time.sleep(2 * SETTLE_S)
        cpu, began = self.cluster.nodes_cpu_s(), time.monotonic()
        idle = calmest(self.cluster.during(PERIOD_S) for _ in range(3))
        node_cpu = (self.cluster.nodes_cpu_s() - cpu) / (time.monotonic() - began) / self.count
        figures = {"idle": {**a_second(idle, 1), "node_cpu_us": node_cpu * 1e6}}
        figures["idle"]["description"] = self.cluster.description_bytes()
        figures["idle"]["memory"] = self.cluster.counts().memory
        figures["idle"]["node_memory"] = self.cluster.nodes_memory()
        for kind in ("plain", "live", "told"):
            print(f"{self.count} nodes: rooms of kind {kind}", file=sys.stderr, flush=True)
            figures |= self._kind(kind, idle)
        return figures

    def _kind(self, kind: str, idle: Counts) -> dict[str, Figures]:
        rooms = [f"{kind}:{self.count}-{i}" for i in range(ROOMS)]
        held = ROOMS * self.count
        members, used = self._join(rooms, "a")
        time.sleep(QUIET_S)
        quiet = calmest(self.cluster.during(PERIOD_S) for _ in range(2))
        figures = {  # while they come, half of them are quiet on average
            f"first join, {kind}": a_unit(used.less(idle.halfway_to(quiet)), held),
            f"quiet, {kind}": a_second(quiet.less(idle), held),
        }
        if kind in WHOLE:
            others, used = self._join(rooms, "b")
            figures[f"join, {kind}"] = a_unit(used.less(quiet), held)
            used = self._leave(others, GRACE_S if kind == "told" else SETTLE_S)
            figures[f"leave, {kind}"] = a_unit(used.less(quiet), held)
        figures[f"publish, {kind}"] = least([self._publish(members, idle) for _ in range(ROUNDS)])
        time.sleep(SETTLE_S)
        figures[f"last leave, {kind}"] = a_unit(self._leave(members, LEFT_S).less(idle), held)
        return figures

    def _join(self, rooms: list[str], name: str) -> tuple[list[socket.socket], Counts]:
        """One more member of each room on each node; first those of the first node."""
        before = self.cluster.counts()
        members = []
        for number, node in enumerate(self.cluster.nodes):
            wanted = [(node.port, room, f"{name}{number}-{i}") for i, room in enumerate(rooms)]
            members += self.crowd.join_all(wanted, at_a_time=8)
        time.sleep(SETTLE_S)
        return members, self.cluster.counts() - before

    def _publish(self, members: list[socket.socket], usual: Counts) -> Figures:
        """One message in each room, by members on all nodes in turn; all get it."""
        arrived = self.crowd.arrived
        before, cpu = self.cluster.counts(), self.cluster.nodes_cpu_s()
        for room in range(ROOMS):
            node = room % self.count
            self.crowd.publish(members[node * ROOMS + room], payload(BYTES))
            time.sleep(0.001)  # so that Redis gets them one by one
        self.crowd.wait_for(arrived + ROOMS * self.count)
        used = self.cluster.counts() - before
        node_cpu = (self.cluster.nodes_cpu_s() - cpu) * 1e6 / ROOMS / self.count
        return {**a_unit(used.less(usual), ROOMS), "node_cpu_us": node_cpu}

    def _leave(self, members: list[socket.socket], wait_s: float) -> Counts:
        before = self.cluster.counts()
        for member in members:
            self.crowd.leave([member])
            time.sleep(0.001)
        time.sleep(wait_s)
        return self.cluster.counts() - before


def measure(binary: Path, count: int) -> dict[str, Figures]:
    with Cluster(binary, count) as cluster:
        return Bench(cluster).run()
