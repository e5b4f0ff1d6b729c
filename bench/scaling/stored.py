"""The figures of a run as JSON, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .costs import Costs, costs_from
from .fit import Line, line_through

LINE = "line through"


def to_plain(value: Any) -> Any:
    """Lines as the points that they are made of, numbers with as many digits as mean anything."""
    if isinstance(value, Line):
        return {LINE: to_plain(value.points)}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    return float(f"{value:.6g}") if isinstance(value, float) else value


def from_plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {LINE}:
        return line_through({float(x): y for x, y in value[LINE].items()})
    return {key: from_plain(item) for key, item in value.items()}


def write(path: Path, run: dict[str, Any]) -> None:
    path.write_text(json.dumps(to_plain(run), indent=1) + "\n")


def read(path: Path) -> dict[str, Any]:
    return from_plain(json.loads(path.read_text()))


def costs_of(run: dict[str, Any]) -> Costs:
    return costs_from({int(n): figures for n, figures in run["figures"].items()}, run["replay"])
