"""How long publications took to their members, by the moment at which they were published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.figures import percentile

NEVER = float("inf")


@dataclass(frozen=True)
class Window:
    """Seconds of the steady clock, as journals have them."""

    began: float
    ended: float


@dataclass(frozen=True)
class Latencies:
    """Of what was published within a window: a value a member, infinity where it never came."""

    publications: int
    of_members: list[float]

    @property
    def p99(self) -> float | None:
        return percentile(self.of_members, 0.99)


def latencies_of(journal: Path, windows: Sequence[Window], members: int) -> list[Latencies]:
    """`members` in a room; windows do not overlap."""
    published: dict[str, float] = {}
    arrived: dict[str, list[float]] = {}
    with journal.open() as lines:
        for line in lines:
            words = line.split()
            if len(words) < 4 or words[0] == "#":
                continue
            if words[1] == "s":
                published[words[3]] = int(words[0]) / 1e6
            elif words[1] == "p":
                arrived.setdefault(words[5], []).append(int(words[0]) / 1e6)
    return [_within(window, published, arrived, members) for window in windows]


def _within(
    window: Window, published: dict[str, float], arrived: dict[str, list[float]], members: int
) -> Latencies:
    ids = [id_ for id_, when in published.items() if window.began <= when < window.ended]
    values: list[float] = []
    for id_ in ids:
        times = arrived.get(id_, [])
        values += [when - published[id_] for when in times]
        values += [NEVER] * (members - len(times))
    return Latencies(len(ids), values)
