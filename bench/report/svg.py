"""A small writer of SVG charts that can be read on light and dark pages."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from math import floor, log10

WIDTH = 860
FONT = "-apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
# Ours first; the others from Okabe and Ito's palette, darkened for light pages, lightened for dark.
COLORS = [
    ("#c8102e", "#ff6b7d"),
    ("#0067a5", "#62b5f0"),
    ("#00795a", "#35c49b"),
    ("#7a5c00", "#d9b23a"),
    ("#8a3d78", "#d98ac6"),
    ("#ad4a00", "#f0914a"),
    ("#3d6f8f", "#93c6e0"),
    ("#4b5563", "#a7b0bd"),
    ("#5b6b1f", "#a9bd5c"),
    ("#6d4c41", "#c2a093"),
]


def style() -> str:
    def rules(index: int) -> str:
        return "".join(
            f".l{i}{{stroke:{c[index]}}}.f{i}{{fill:{c[index]}}}" for i, c in enumerate(COLORS)
        )

    light = ".page{fill:#ffffff}.text{fill:#1f2328}.soft{fill:#59636e}.grid{stroke:#d8dee4}"
    dark = ".page{fill:#0d1117}.text{fill:#e6edf3}.soft{fill:#9198a1}.grid{stroke:#30363d}"
    return (
        f"<style>text{{font-family:{FONT};font-size:13px}}.title{{font-size:16px;font-weight:600}}"
        ".ours{font-weight:700}.line{fill:none;stroke-width:2}.line.ours{stroke-width:3.5}"
        f"{light}{rules(0)}@media (prefers-color-scheme:dark){{{dark}{rules(1)}}}</style>"
    )


def page(height: float, title: str, subtitle: str, body: list[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
            f'width="{WIDTH}" height="{height:.0f}" role="img" aria-label="{escape(title)}">',
            style(),
            f'<rect class="page" width="{WIDTH}" height="{height:.0f}" rx="8"/>',
            text(24, 32, title, "text title"),
            text(24, 52, subtitle, "soft"),
            *body,
            "</svg>\n",
        ]
    )


def text(x: float, y: float, words: str, kind: str = "text", anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(words)}</text>"


def spaced(wanted: list[float], gap: float, lowest: float) -> list[float]:
    """Positions near the wanted ones, at least a gap apart and none below `lowest`."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [0.0] * len(wanted)
    y = float("-inf")
    for i in order:
        y = placed[i] = max(wanted[i], y + gap)
    limit = lowest
    for i in reversed(order):
        placed[i] = min(placed[i], limit)
        limit = placed[i] - gap
    return placed


def line_chart(
    title: str,
    subtitle: str,
    ticks: list[str],
    series: dict[str, list[float | None]],
    unit_of: Callable[[float], str],
    colors: dict[str, int],
) -> str:
    """Lines over evenly spaced ticks, a logarithmic axis up, names at the right ends."""
    left, right, top, bottom = 84.0, WIDTH - 150.0, 74.0, 400.0
    values = [v for line in series.values() for v in line if v and v > 0]
    steps = [f * 10.0**p for p in range(-3, 12) for f in (1, 2, 5)]
    lowest = max(v for v in steps if v <= min(values))
    highest = min(v for v in steps if v >= max(values) and v > lowest)
    low, high = log10(lowest), log10(highest)

    def x_of(i: int) -> float:
        return left + 20 + i * (right - left - 40) / max(1, len(ticks) - 1)

    def y_of(v: float) -> float:
        return bottom - (log10(v) - low) / (high - low) * (bottom - top)

    body = []
    for v in (v for v in steps if lowest <= v <= highest):
        if high - low > 4 and log10(v) != floor(log10(v)):
            continue  # whole powers only, where there are many
        y = y_of(v)
        body.append(f'<path class="grid" d="M{left:.1f} {y:.1f}H{right:.1f}"/>')
        body.append(text(left - 8, y + 4, unit_of(v), "soft", "end"))
    for i, tick in enumerate(ticks):
        body.append(text(x_of(i), bottom + 22, tick, "soft", "middle"))
    ends = []
    for name, line in series.items():
        points = [(x_of(i), y_of(v)) for i, v in enumerate(line) if v and v > 0]
        if not points:
            continue
        color, ours = colors[name], " ours" if name == "canang" else ""
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        body.append(f'<path class="line l{color}{ours}" d="M{path}"/>')
        body += [f'<circle class="f{color}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in points]
        ends.append((name, color, ours, points[-1][1]))
    places = spaced([end[3] for end in ends], 16, bottom + 6)
    for (name, color, ours, _), y in zip(ends, places, strict=True):
        body.append(text(right + 8, y + 4, name, f"f{color}{ours}"))
    return page(bottom + 46, title, subtitle, body)


def bar_chart(
    title: str,
    subtitle: str,
    bars: list[tuple[str, float, str]],
    colors: dict[str, int],
) -> str:
    """Horizontal bars: name, length, and what stands behind it."""
    left, right, top, step = 130.0, WIDTH - 170.0, 74.0, 30.0
    longest = max(length for _, length, _ in bars)
    body = []
    for i, (name, length, words) in enumerate(bars):
        y = top + i * step
        ours = " ours" if name == "canang" else ""
        wide = max(2.0, length / longest * (right - left))
        body.append(text(left - 10, y + 16, name, f"text{ours}", "end"))
        body.append(
            f'<rect class="f{colors[name]}" x="{left}" y="{y:.1f}" width="{wide:.1f}" '
            'height="22" rx="2"/>'
        )
        body.append(text(left + wide + 8, y + 16, words, f"text{ours}"))
    return page(top + len(bars) * step + 16, title, subtitle, body)
