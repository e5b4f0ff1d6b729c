"""The plots of the benchmark, from its summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import svg, words

Entry = dict[str, Any]


def write_plots(summary: list[Entry], peers: list[str], directory: Path) -> list[tuple[str, str]]:
    """Writes those that the summary has figures for; gives file names and titles."""
    colors = {name: i % len(svg.COLORS) for i, name in enumerate([*peers, "send loop"])}
    written = []
    for name, make in (
        ("throughput", throughput),
        ("latency", latency),
        ("memory", memory),
        ("connects", connects),
    ):
        made = make(summary, colors)
        if made:
            title, text = made
            (directory / f"{name}.svg").write_text(text, encoding="utf-8")
            written.append((f"{name}.svg", title))
    return written


def figures(
    summary: list[Entry], scenario: str, labels: list[str], metric: str
) -> dict[str, list[float | None]]:
    """By server: the medians of the cases in the order of the labels."""
    found: dict[str, list[float | None]] = {}
    for e in summary:
        if e["scenario"] == scenario and e["label"] in labels and metric in e["metrics"]:
            line = found.setdefault(e["peer"], [None] * len(labels))
            line[labels.index(e["label"])] = e["metrics"][metric]["median"]
    return found


def labels_of(summary: list[Entry], scenario: str, part: str = "") -> list[str]:
    return list(
        dict.fromkeys(
            e["label"] for e in summary if e["scenario"] == scenario and part in f" {e['label']}"
        )
    )


def throughput(summary: list[Entry], colors: dict[str, int]) -> tuple[str, str] | None:
    labels = labels_of(summary, "throughput", " 64 B")
    series = figures(summary, "throughput", labels, "deliveries_per_s")
    series.pop("send loop", None)
    if len(labels) < 2 or not series:
        return None
    title = "Deliveries a second, one room of 1,000, 64 B"
    ticks = [label.rpartition(", ")[2] for label in labels]
    subtitle = "Server on one core; more messages in flight to the right; more is better"
    return title, svg.line_chart(title, subtitle, ticks, series, words.count, colors)


def latency(summary: list[Entry], colors: dict[str, int]) -> tuple[str, str] | None:
    labels = labels_of(summary, "latency")
    series = figures(summary, "latency", labels, "p99_ms")
    if not series:
        return None
    title = "99th percentile of the latency, one room of 1,000, 64 B"
    subtitle = "At a share of the slowest server's ceiling, the same rate for all; less is better"
    if len(labels) == 1:
        bars = sorted((line[0], name) for name, line in series.items() if line[0])
        shown = [(name, n, words.value("p99_ms", n)) for n, name in bars]
        return title, svg.bar_chart(title, subtitle, shown, colors)
    ticks = [label.rpartition(", ")[2].split(" ")[0] for label in labels]

    def unit(n: float) -> str:
        return f"{n:g} ms"

    return title, svg.line_chart(title, subtitle, ticks, series, unit, colors)


def bars_of(
    summary: list[Entry], part: str, metric: str, colors: dict[str, int], more_is_better: bool
) -> tuple[str, list[tuple[str, float, str]]] | None:
    labels = labels_of(summary, "idle", part)
    if not labels:
        return None
    series = figures(summary, "idle", labels[-1:], metric)
    bars = sorted(((line[0], name) for name, line in series.items()), reverse=more_is_better)
    return labels[-1], [(name, n, words.value(metric, n)) for n, name in bars if n > 0]


def memory(summary: list[Entry], colors: dict[str, int]) -> tuple[str, str] | None:
    found = bars_of(summary, "", "bytes_a_connection", colors, False)
    if not found or not found[1]:
        return None
    title = "Memory of an idle connection"
    subtitle = f"The server's own memory over that without any, {found[0]}; less is better"
    return title, svg.bar_chart(title, subtitle, found[1], colors)


def connects(summary: list[Entry], colors: dict[str, int]) -> tuple[str, str] | None:
    found = bars_of(summary, " 5,000", "connects_per_s", colors, True)
    if not found or not found[1]:
        return None
    title = "Connects a second"
    subtitle = f"TCP, handshake and join, 100 at a time, {found[0]}; more is better"
    return title, svg.bar_chart(title, subtitle, found[1], colors)
