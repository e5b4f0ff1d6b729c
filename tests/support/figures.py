"""A measured figure, its limit, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    what: str
    value: float | None  # None: could not be measured, which is a miss
    limit: float | None = None  # None: told, not judged
    unit: str = ""
    at_least: bool = False  # else: at most

    @property
    def holds(self) -> bool:
        if self.limit is None:
            return True
        if self.value is None:
            return False
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def verdict(self) -> str:
        return "" if self.limit is None else "holds" if self.holds else "MISSED"

    def words(self) -> tuple[str, str, str, str]:
        limit = ""
        if self.limit is not None:
            limit = f"{'at least' if self.at_least else 'at most'} {_number(self.limit)}"
        value = "-" if self.value is None else _with_unit(self.value, self.unit)
        return self.what, value, f"{limit} {self.unit}".strip() if limit else "", self.verdict


def _with_unit(value: float, unit: str) -> str:
    if unit == "s" and 0 < value < 1:
        return f"{1000 * value:.3g} ms"
    return f"{_number(value)} {unit}".strip()


def _number(value: float) -> str:
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.1f}"


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of the values do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def busiest_second(times: Iterable[float]) -> int:
    """The most of the times that fall within any one second."""
    ordered = sorted(times)
    most = first = 0
    for last, when in enumerate(ordered):
        while when - ordered[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def table(figures: Iterable[Figure]) -> str:
    """For a terminal."""
    rows = [("figure", "measured", "limit", "verdict"), *(figure.words() for figure in figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * (sum(widths) + 6), *lines[1:]])
