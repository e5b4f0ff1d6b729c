"""The model against a cluster that was not used to make it: a workload on so many real nodes, measured and forecast."""

from __future__ import annotations

import random
import socket
import sys
import time
from pathlib import Path
from typing import Any

from .costs import QUANTITIES, Costs
from .measure import PERIOD_S, a_second, a_unit, calmest
from .members import Crowd, payload
from .model import Shape, rebuild_s, redis_load
from .nodes import Cluster
from .redis_link import Counts

SEED = 1
CHECKED = Shape(
    "checked", members=1000, room=10, kind="told", publishes=0.4, stay_s=200.0, payload=200
)
DURATION_S = 24.0
SETTLE_S = 5.0
RETURN_S = 8.0


class Checked:
    """Members at random on the nodes, who publish, leave, and are followed by others."""

    def __init__(self, cluster: Cluster, shape: Shape) -> None:
        self.cluster, self.shape = cluster, shape
        self.random = random.Random(SEED)
        self.crowd = Crowd()
        self.joined = 0
        self.members: list[tuple[socket.socket, str]] = []

    def run(self) -> tuple[Counts, Counts]:
        """While all this goes on, and when all links to Redis were cut afterwards."""
        try:
            rooms = [f"{self.shape.kind}:{i}" for i in range(self.shape.rooms)]
            self._join([room for room in rooms for _ in range(self.shape.room)])
            self._live(SETTLE_S)
            before = self.cluster.counts()
            self._live(DURATION_S)
            used = self.cluster.counts() - before
            return used, self._return()
        finally:
            self.crowd.close()

    def _return(self) -> Counts:
        """All nodes lose Redis, and are back: what that took beyond what goes on anyway."""
        time.sleep(SETTLE_S)
        usual = calmest(self.cluster.during(PERIOD_S) for _ in range(2))
        before = self.cluster.counts()
        for kind in ("normal", "pubsub"):
            self.cluster.link("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        time.sleep(RETURN_S)
        return (self.cluster.counts() - before).less(usual)

    def _join(self, rooms: list[str]) -> None:
        wanted = []
        for room in rooms:
            self.joined += 1
            node = self.random.choice(self.cluster.nodes)
            wanted.append((node.port, room, f"user-{self.joined}"))
        links = self.crowd.join_all(wanted)
        self.members += zip(links, rooms, strict=True)

    def _live(self, seconds: float) -> None:
        """In steps of a tenth of a second; what does not fit into one is done in the next."""
        began = time.monotonic()
        published = moved = 0
        while (passed := time.monotonic() - began) < seconds:
            while published < passed * self.shape.publications:
                published += 1
                self.crowd.publish(self.random.choice(self.members)[0], payload(self.shape.payload))
            while moved < passed * self.shape.joins:
                moved += 1
                link, room = self.members.pop(self.random.randrange(len(self.members)))
                self.crowd.leave([link])
                self._join([room])
            time.sleep(0.02)


def check(binary: Path, count: int, shape: Shape = CHECKED) -> dict[str, Any]:
    """What such a cluster takes of Redis when it idles, and with the workload."""
    print(f"{count} nodes: a workload to check the model with", file=sys.stderr, flush=True)
    with Cluster(binary, count) as cluster:
        idle = calmest(cluster.during(PERIOD_S) for _ in range(3))
        used, back = Checked(cluster, shape).run()
    return {
        "nodes": count,
        "idle": a_second(idle, 1),
        "in use": a_second(used, 1),
        "return": a_unit(back, 1),
    }


def compared(found: dict[str, Any], costs: Costs, shape: Shape = CHECKED) -> dict[str, list[float]]:
    """Of each figure what was measured, and what is forecast."""
    count = int(found["nodes"])
    load = redis_load(costs, shape, count)
    forecasts = {
        "idle": [costs.idle(q, count) for q in QUANTITIES],
        "in use": [load.share * 1e6, *(sum(b.values()) for b in (load.bytes_in, load.bytes_out))],
    }
    titles = ("CPU of Redis, ms/s", "to Redis, KB/s", "from Redis, KB/s")
    pairs = {
        f"{when}: {title}": [found[when][quantity] / 1e3, told / 1e3]
        for when, forecast in forecasts.items()
        for title, quantity, told in zip(titles, QUANTITIES, forecast, strict=True)
    }
    work = rebuild_s(costs, shape, count) * 1e3
    return pairs | {"Redis returns: its CPU, ms": [found["return"]["cpu_us"] / 1e3, work]}
