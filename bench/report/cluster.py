"""The results of ./dev bench cluster as Markdown and plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import markdown, plots, svg, words

Entry = dict[str, Any]
TITLES = {"cluster-room": "One room of 1,000", "cluster-rooms": "100 rooms of 10"}
CALLS = "publish_calls_a_message"


def cpu(name: str) -> Any:
    return lambda entry: words.percent(entry.get(name))


EXTRA = [
    ("p50", markdown.metric_text("p50_ms")),
    ("p99", markdown.metric_text("p99_ms")),
    ("Canang to it, p99", markdown.metric_ratio("p99_ms")),
    ("publish calls a message", markdown.metric_text(CALLS)),
    ("CPU: publishing node", cpu("publishing_cpu")),
    ("delivering node", cpu("delivering_cpu")),
    ("Redis", cpu("redis_cpu")),
    ("load", cpu("load_cpu")),
]
markdown.EXTRA |= dict.fromkeys(TITLES, EXTRA)

HOW = """\
Two nodes of each server share one Redis: they and Redis run on core 0, `canang-load` on core 1 of the
same machine, for all alike (Go's with `GOMAXPROCS=1`). The publishers are connected to one node, the
members that are measured to the other, so every delivery has gone through Redis. A message is in
flight until the last member of its room to join, on the other node, has it; the next one leaves then.
In each round a case is measured on one server after the other, with all processes freshly started;
then the next case. A figure is the median over the rounds, a ratio the median of the ratios round by
round, with the smallest and the largest in parentheses: Canang's figure divided by the other's.

Publish calls a message: what nodes call in Redis to publish, by `INFO commandstats` over the measured
time, divided by the messages in it. A script that publishes is one call, and so is a `PUBLISH`
without a script."""

HONEST = """\
- Every message is checked by the load generator (room, sequence, order, text).
- With one core for both nodes and Redis, what one of them saves the others can use: the figures say
  what a message costs in all, not what many machines would do.
- Canang keeps each room's last 128 messages in Redis; centrifuge does so only as `centrifuge-128`,
  Socket.IO's adapter never.
- Canang takes the messages of a room that it has read in one turn to Redis in one call, and its
  delivering node writes them to each member in one `send`. That needs several messages at once: with
  one in flight there is nothing to gather.
- The sender's own node delivers without Redis in Socket.IO; what is measured here is the other node."""


def in_short(summary: list[Entry], _peers: list[str] | None = None) -> str:
    """A row a case: who of the others is best, and Canang's ratio to that one."""
    rows = [["", "deliveries/s", "to the best of the others", "p99", "to the best of the others"]]
    rows[0] += ["publish calls a message"]
    for e in summary:
        if e["peer"] != "canang" or "deliveries_per_s" not in e["metrics"]:
            continue
        others = [o for o in summary if o["case"] == e["case"] and o["peer"] != "canang"]
        row = [e["label"]]
        for metric, most in (("deliveries_per_s", True), ("p99_ms", False)):
            row.append(markdown.metric_text(metric)(e))
            row.append(best_ratio(others, metric, most))
        calls = "own_" + CALLS if "own_" + CALLS in e["metrics"] else CALLS
        rows.append([*row, markdown.metric_text(calls)(e)])
    return markdown.table(rows) if len(rows) > 1 else ""


def best_ratio(others: list[Entry], metric: str, most: bool) -> str:
    found = [o for o in others if metric in o["metrics"] and metric in o["ratio"]]
    if not found:
        return ""
    choose = max if most else min
    best = choose(found, key=lambda o: o["metrics"][metric]["median"])
    return f"{words.ratio(best['ratio'][metric])} {best['peer']}"


def write_plots(summary: list[Entry], peers: list[str], directory: Path) -> list[tuple[str, str]]:
    colors = {name: i % len(svg.COLORS) for i, name in enumerate(peers)}
    labels = plots.labels_of(summary, "cluster-room")
    ticks = [label.rpartition(", ")[2] for label in labels]
    written = []
    for name, metric, title, better, unit in (
        ("deliveries", "deliveries_per_s", "Deliveries a second", "more", words.count),
        ("p99", "p99_ms", "99th percentile of the latency", "less", lambda n: f"{n:g} ms"),
    ):
        series = plots.figures(summary, "cluster-room", labels, metric)
        if len(labels) < 2 or not series:
            continue
        full = f"{title} over two nodes, one room of 1,000, 64 B"
        subtitle = f"Published on one node, measured on the other; {better} is better"
        chart = svg.line_chart(full, subtitle, ticks, series, unit, colors)
        (directory / f"{name}.svg").write_text(chart, encoding="utf-8")
        written.append((f"{name}.svg", full))
    return written


def document(results: dict[str, Any], plots_written: list[tuple[str, str]]) -> str:
    short = in_short(results["summary"])
    said = "Canang, and in parentheses the spread of the ratios."
    return markdown.document(
        "Benchmarks of a cluster", "./dev bench cluster", results,
        [said, short] if short else [], plots_written, TITLES, f"{HOW}\n\n{HONEST}",
        more=f", Redis {results['redis']}",
    )  # fmt: skip
