"""Writes what a run showed: results.json, the plot, and a page that tells it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness import machine

from support.figures import Figure

from . import plot
from .rolling import Outcome
from .settings import Settings

TITLES = {
    "roll": "Nodes restarted in turn, 3 to 2 and back to 4",
    "wedge": "A node whose subscription to Redis is wedged",
    "crowd": "A crowded node drained, with clients that never read",
}
INTRODUCTION = """# A rollout under load

Written by `./dev rollout`: nodes on one Redis, Debian's HAProxy in front of them (least
connections, health checks on `/readyz` every 500 ms), {clients:,} clients in {rooms} rooms that
come back as the chat page does and resume where they were, {rate} publications and
{deliveries:,} deliveries a second. `--drain-grace` is {grace:g} s, `--drain-period` {period:g} s.
Every client's log was judged by an offline checker. Nodes, HAProxy, Redis and clients shared
{machine}.
"""
BALANCE = """\
Least connections places new connections and moves no other: a node that comes late stays empty
until clients come or come back, or until fuller nodes shed some (`--rebalance-after`).
"""
PLOT = "rollout.svg"


def write(directory: Path, outcomes: dict[str, Outcome], settings: Settings) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    facts = machine.facts()
    roll = outcomes.get("roll")
    if roll:
        subtitle = f"{settings.clients:,} clients, {settings.rate} publications a second"
        chart = plot.time_chart("A rollout under load", subtitle, roll.samples, roll.marks)
        (directory / PLOT).write_text(chart, encoding="utf-8")
    page = _page(outcomes, settings, facts)
    (directory / "README.md").write_text(page, encoding="utf-8")
    results = _results(outcomes, settings, facts)
    text = json.dumps(results, indent=1)
    flat = re.sub(r"\[\s+([-\d.]+),\s+([-\d.]+),\s+([-\d.]+)\s+\]", r"[\1, \2, \3]", text)
    (directory / "results.json").write_text(flat + "\n", encoding="utf-8")


def _page(outcomes: dict[str, Outcome], settings: Settings, facts: dict[str, Any]) -> str:
    parts = [
        INTRODUCTION.format(
            clients=settings.clients,
            rooms=settings.rooms,
            rate=settings.rate,
            deliveries=settings.rate * settings.members,
            grace=settings.grace_s,
            period=settings.period_s,
            machine=f"{facts['cores']} cores of {facts['cpu']}, {facts['system']}",
        )
    ]
    for name, outcome in outcomes.items():
        parts.append(f"## {TITLES[name]}\n")
        if name == "roll":
            parts.append(f"![Connections and deliveries of each node]({PLOT})\n")
        parts.append(_table(outcome.figures))
        if outcome.spreads:
            parts.append(_spreads(outcome))
    return "\n".join(parts)


def _table(figures: list[Figure]) -> str:
    rows = ["| figure | measured | limit | |", "|---|---|---|---|"]
    rows += [f"| {' | '.join(figure.words())} |" for figure in figures]
    return "\n".join(rows) + "\n"


def _spreads(outcome: Outcome) -> str:
    """The balance, as it was."""
    names = sorted({name for _, spread in outcome.spreads for name in spread})
    rows = [f"| connections | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for what, spread in outcome.spreads:
        cells = " | ".join(f"{spread[name]:,}" if name in spread else "" for name in names)
        rows.append(f"| {what} | {cells} |")
    return "\n".join([*rows, "", BALANCE])


def _results(
    outcomes: dict[str, Outcome], settings: Settings, facts: dict[str, Any]
) -> dict[str, Any]:
    return {
        "machine": facts,
        "settings": asdict(settings),
        "parts": {
            name: {
                "figures": [asdict(f) | {"holds": f.holds} for f in outcome.figures],
                "faults": outcome.faults[:100],
                "connections": [{"when": what, "nodes": n} for what, n in outcome.spreads],
                "samples": _series(outcome),
            }
            for name, outcome in outcomes.items()
        },
    }


def _series(outcome: Outcome) -> dict[str, list[tuple[float, float, float]]]:
    """By node: seconds since the first scrape, connections, deliveries since its start."""
    times = [s.when for line in outcome.samples.values() for s in line]
    return {
        name: [(round(s.when - min(times), 2), s.connections, s.deliveries) for s in line]
        for name, line in outcome.samples.items()
    }
