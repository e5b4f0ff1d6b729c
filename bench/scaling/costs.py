"""Unit costs for the model: lines through what was measured and replayed."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from .fit import Line, judged, line_through

QUANTITIES = ("cpu_us", "in", "out")
LEASES_A_SECOND = 0.5  # in each partition
PARTITIONS = 64


@dataclass
class Costs:
    """`lines[what][quantity]` by the number of nodes that hold the room; per node and second for `idle`."""

    lines: dict[str, dict[str, Line]]
    replay: dict[str, Any]
    description: float
    node_memory: float
    node_idle_us: float
    roster_memory: Line
    room_memory: dict[str, Line]  # of Redis, for a room of a kind, by the nodes that hold it
    member_memory: float  # of one more member whose presence is kept

    def idle(self, quantity: str, nodes: int) -> float:
        """Of all nodes in a second: what Redis does by itself, what each node costs, what all tell of all."""
        telling = self.telling(quantity, nodes)
        return self.lines["idle"][quantity].at(nodes) + nodes * LEASES_A_SECOND * telling

    def telling(self, quantity: str, nodes: int) -> float:
        """Of the one renewal in two seconds that is answered with all nodes: what grows with their number."""
        return telling(self.replay, quantity, nodes)

    def of(self, what: str, quantity: str, nodes: float) -> float:
        return self.lines[what][quantity].at(nodes)


def telling(replay: dict[str, Any], quantity: str, nodes: float) -> float:
    name = {"cpu_us": "telling_us", "out": "telling_out"}.get(quantity)
    return replay["leases"][name].slope * nodes if name else 0.0


def by_nodes(figures: dict[int, Any], what: str, quantity: str) -> dict[float, float]:
    return {float(n): found[what][quantity] for n, found in figures.items()}


def costs_from(figures: dict[int, Any], replay: dict[str, Any]) -> Costs:
    """`figures` of each number of nodes as measure.py gives them, `replay` as replay.py does."""
    one = next(iter(figures.values()))
    fan_out = replay["fan_out"].slope
    lines = {
        what: {q: line_of(figures, what, q, fan_out) for q in QUANTITIES}
        for what in one
        if what != "idle"
    }
    lines["idle"] = {q: idle_line(figures, q, replay) for q in QUANTITIES}
    joined = by_nodes(figures, "join, told", "memory")
    return Costs(
        lines=lines,
        replay=replay,
        description=one["idle"]["description"],
        node_memory=mean(by_nodes(figures, "idle", "node_memory")),
        node_idle_us=mean(by_nodes(figures, "idle", "node_cpu_us")),
        roster_memory=line_through(by_nodes(figures, "idle", "memory")),
        room_memory={kind: room_memory(figures, kind) for kind in ("plain", "live", "told")},
        member_memory=max(0.0, mean(joined)),
    )


def idle_line(figures: dict[int, Any], quantity: str, replay: dict[str, Any]) -> Line:
    """Without what all tell of all, which is known for more nodes than these."""
    points = by_nodes(figures, "idle", quantity)
    told = {n: n * LEASES_A_SECOND * telling(replay, quantity, n) for n in points}
    return line_through({n: y - told[n] for n, y in points.items()})


def line_of(figures: dict[int, Any], what: str, quantity: str, fan_out: float) -> Line:
    """What is published, a join that is told among it, goes to all nodes with members; nothing else grows with these.

    What a message to one more node costs Redis is known from more nodes than these (`fan_out`).
    """
    points = by_nodes(figures, what, quantity)
    is_published = what.startswith("publish") or (what.endswith("told") and "quiet" not in what)
    if what == "first join, told":
        points = {(n + 1) / 2: y for n, y in points.items()}  # heard by those that were there
    if is_published and quantity == "out":
        return line_through(points)
    slope = fan_out if is_published and quantity == "cpu_us" else 0.0
    base = max(0.0, median(y - slope * n for n, y in points.items()))
    return judged(Line(base, slope, points=points))


def room_memory(figures: dict[int, Any], kind: str) -> Line:
    a_node = by_nodes(figures, f"first join, {kind}", "memory")
    return line_through({n: n * y for n, y in a_node.items()})


def mean(points: dict[float, float]) -> float:
    return sum(points.values()) / len(points)
