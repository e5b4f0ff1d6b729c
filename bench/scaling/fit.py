"""Straight lines through measurements."""

from __future__ import annotations

from dataclasses import dataclass, field

SMALLEST = 0.01  # of the mean: what is measured as less than that does not weigh more


@dataclass
class Line:
    """`base + slope * x`. `residual` is how far the farthest point that it is made of lies, relative to the line."""

    base: float
    slope: float
    residual: float = 0.0
    points: dict[float, float] = field(default_factory=dict)

    def at(self, x: float) -> float:
        return self.base + self.slope * x


def line_through(points: dict[float, float]) -> Line:
    """The line with the smallest relative errors (their squares), so that small clusters count as large ones do.

    Through a single point it is level. Neither part of a cost is negative.
    """
    weights = {x: 1 / scale**2 for x, scale in scales(points).items()}
    total = sum(weights.values())
    mean_x = sum(w * x for x, w in weights.items()) / total
    mean_y = sum(w * points[x] for x, w in weights.items()) / total
    spread = sum(w * (x - mean_x) ** 2 for x, w in weights.items())
    together = sum(w * (x - mean_x) * (points[x] - mean_y) for x, w in weights.items())
    slope = together / spread if spread else 0.0
    base = mean_y - slope * mean_x
    if slope < 0:
        base, slope = mean_y, 0.0
    elif base < 0:
        base = 0.0
        slope = sum(w * x * points[x] for x, w in weights.items()) / sum(
            w * x * x for x, w in weights.items()
        )
    return judged(Line(max(0.0, base), slope, points=points))


def scales(points: dict[float, float]) -> dict[float, float]:
    least = SMALLEST * sum(map(abs, points.values())) / len(points) or 1.0
    return {x: max(abs(y), least) for x, y in points.items()}


def judged(line: Line) -> Line:
    of = scales({x: line.at(x) for x in line.points})
    line.residual = max(abs(line.at(x) - y) / of[x] for x, y in line.points.items())
    return line
