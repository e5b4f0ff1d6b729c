"""One scenario while it is played: what it measured, and what it says meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rollout.scraper import Sample
from support.figures import Figure
from support.waiting import wait_until

from . import pods
from .cluster import STATE
from .registry import Scenario

RESULTS = STATE / "results"


@dataclass
class Run:
    scenario: Scenario
    machines: list[str]
    figures: list[Figure] = field(default_factory=list)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    marks: list[tuple[float, str]] = field(default_factory=list)  # when, what was done
    faults: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def tell(self, what: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f} s  {what}", flush=True)

    def mark(self, what: str) -> float:
        """Something is done to the cluster now."""
        self.marks.append((pods.now(), what))
        self.tell(what)
        return self.marks[-1][0]

    def figure(
        self,
        what: str,
        value: float | None,
        limit: float | None = None,
        unit: str = "",
        *,
        at_least: bool = False,
    ) -> None:
        known = value if value != float("inf") else None  # never: could not be measured
        self.figures.append(Figure(what, known, limit, unit, at_least))

    def equal(self, what: str, value: float, wanted: float) -> None:
        """Neither more nor less: told as a limit that cannot be passed in either direction."""
        self.figure(what, value, wanted, at_least=value < wanted)

    def take(self, figures: Iterable[Figure]) -> None:
        self.figures += figures

    def seconds_until(
        self,
        condition: Callable[[], bool],
        since: float,
        what: str,
        timeout: float,
        poll: float = 0.5,
    ) -> float:
        """Infinity when it takes longer than anybody would wait."""
        try:
            wait_until(condition, what, timeout, poll)
        except AssertionError:
            self.tell(f"not within {timeout:.0f} s: {what}")
            return float("inf")
        took = pods.now() - since
        self.tell(f"{what} after {took:.1f} s")
        return took

    @property
    def missed(self) -> list[Figure]:
        return [figure for figure in self.figures if not figure.holds]

    def path(self) -> Path:
        return RESULTS / f"{self.scenario.name}.jsonl"

    def write(self) -> None:
        """A line for the run, one a figure, one a sample that the plot is made of."""
        lines: list[dict[str, object]] = [
            {
                "kind": "run",
                "scenario": self.scenario.name,
                "title": self.scenario.title,
                "when": datetime.now(UTC).isoformat(timespec="seconds"),
                "took_s": round(time.monotonic() - self.began, 1),
                "machines": len(self.machines),
            }
        ]
        lines += [{"kind": "figure", "holds": f.holds} | asdict(f) for f in self.figures]
        lines += [{"kind": "fault", "text": fault} for fault in self.faults[:50]]
        lines += [{"kind": "mark", "when": when, "what": what} for when, what in self.marks]
        lines += [
            {"kind": "sample", "pod": pod} | asdict(sample)
            for pod, line in self.samples.items()
            for sample in line
        ]
        RESULTS.mkdir(parents=True, exist_ok=True)
        self.path().write_text("".join(json.dumps(line) + "\n" for line in lines))
