"""Figures as text."""

from __future__ import annotations

from typing import Any

MARKS = {"load busy": "†", "faults": "‡", "did not keep up": "§"}
LEGEND = {
    "†": "the load side used more than 95 % of its core: the server may be capable of more",
    "‡": "messages were lost, or connections closed, see the notes",
    "§": "less than 97 % of the offered messages arrived in the measured time",
    "✗": "failed, see the notes",
}


def count(n: float) -> str:
    for limit, unit in ((1e6, " M"), (1e3, " k")):
        if n >= limit * 0.9995:
            return f"{three(n / limit)}{unit}"
    return three(n)


def three(n: float) -> str:
    """Three significant digits."""
    if n >= 99.95:
        return f"{n:,.0f}"
    return f"{n:.1f}" if n >= 9.995 else f"{n:.2f}"


def value(metric: str, n: float) -> str:
    if metric == "bytes_a_connection":
        return f"{three(n / 1024)} KiB"
    if metric.endswith("_ms"):
        return f"{three(n)} ms"
    if metric.endswith("_a_message"):
        return f"{n:.3f}" if n < 0.995 else three(n)
    if metric == "p99_times":
        return f"{n:.2f} x"
    return count(n)


def ratio(r: dict[str, float] | None, with_spread: bool = True) -> str:
    if not r:
        return ""
    text = f"{three(r['median'])} x"
    if with_spread and r["n"] > 1:
        text += f" ({three(r['min'])}..{three(r['max'])})"
    return text


def marks(entry: dict[str, Any]) -> str:
    return "".join(MARKS[flag] for flag in entry["flags"] if flag in MARKS)


def percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
