"""Connections and deliveries of each node over the time of a run, as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from report import svg

from .scraper import INTERVAL_S, Sample

Line = list[tuple[float, float]]
LEFT, RIGHT, TOP, PANEL, GAP = 74.0, svg.WIDTH - 40.0, 108.0, 190.0, 54.0
MISSING_AFTER_S = 2.5 * INTERVAL_S  # a node that was not there for so long was away


def connections(samples: Sequence[Sample]) -> Line:
    return [(s.when, s.connections) for s in samples]


def deliveries(samples: Sequence[Sample]) -> Line:
    """A second, between two scrapes of the same process."""
    return [
        (b.when, (b.deliveries - a.deliveries) / (b.when - a.when))
        for a, b in zip(samples, samples[1:], strict=False)
        if b.deliveries >= a.deliveries and b.when - a.when < MISSING_AFTER_S
    ]


def runs_of(line: Line) -> list[Line]:
    """Cuts a line where its node was away."""
    runs: list[Line] = []
    for point in line:
        if not runs or point[0] - runs[-1][-1][0] > MISSING_AFTER_S:
            runs.append([])
        runs[-1].append(point)
    return runs


def time_chart(
    title: str, subtitle: str, samples: dict[str, list[Sample]], marks: list[tuple[float, str]]
) -> str:
    times = [s.when for line in samples.values() for s in line]
    begin, end = min(times), max(times)

    def x_of(when: float) -> float:
        return LEFT + (when - begin) / max(1.0, end - begin) * (RIGHT - LEFT)

    body = []
    for i, (name, line) in enumerate(samples.items()):
        if line:
            x = LEFT + i * 90
            body.append(f'<rect class="f{i}" x="{x}" y="64" width="14" height="10" rx="2"/>')
            body.append(svg.text(x + 20, 74, name))
    bottom = TOP + 2 * PANEL + GAP
    for when, what in marks:
        x = x_of(when)
        body.append(f'<path class="grid" d="M{x:.1f} {TOP}V{bottom}"/>')
        body.append(svg.text(x + 3, TOP + PANEL + 16, what, "soft"))
    for number, (heading, line_of) in enumerate(
        (("connections", connections), ("deliveries a second", deliveries))
    ):
        top = TOP + number * (PANEL + GAP)
        body += _panel(heading, top, {n: line_of(line) for n, line in samples.items()}, x_of)
    step = next(s for s in (5, 10, 20, 30, 60, 120, 300) if (end - begin) / s <= 14)
    for tick in range(0, int(end - begin) + 1, step):
        body.append(svg.text(x_of(begin + tick), bottom + 20, f"{tick} s", "soft", "middle"))
    return svg.page(bottom + 36, title, subtitle, body)


def _panel(
    heading: str, top: float, lines: dict[str, Line], x_of: Callable[[float], float]
) -> list[str]:
    highest = max((v for line in lines.values() for _, v in line), default=1.0)
    steps = [f * 10.0**p for p in range(0, 8) for f in (1, 2, 5)]
    step = next(s for s in steps if highest / s <= 5)
    limit = step * max(1, -int(-highest // step))

    def y_of(value: float) -> float:
        return top + PANEL - value / limit * PANEL

    body = [svg.text(LEFT, top - 6, heading, "text ours")]
    for n in range(int(limit / step) + 1):
        y = y_of(n * step)
        body.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>')
        body.append(svg.text(LEFT - 8, y + 4, f"{n * step:,.0f}", "soft", "end"))
    for i, line in enumerate(lines.values()):
        for run in runs_of(line):
            path = "L".join(f"{x_of(when):.1f} {y_of(value):.1f}" for when, value in run)
            body.append(f'<path class="line l{i}" d="M{path}"/>')
    return body
