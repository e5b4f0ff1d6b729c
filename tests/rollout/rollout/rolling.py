"""Each node restarted in turn, then three nodes to two and back to four, all under load."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from support.canang_process import cpu_seconds_of
from support.figures import Figure
from support.load_clients import Clients

from . import judge
from .scraper import Sample, Scraper
from .settings import BALANCE_TIMEOUT_S, FULLEST_LIMIT, Settings
from .stage import Stage

NAMES = ["node1", "node2", "node3", "node4"]
Tell = Callable[[str], None]


@dataclass
class Outcome:
    """What a run showed."""

    figures: list[Figure] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)  # when, what was done
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    spreads: list[tuple[str, dict[str, int]]] = field(default_factory=list)  # connections a node

    @property
    def holds(self) -> bool:
        return all(figure.holds for figure in self.figures)


def roll_and_scale(
    directory: Path, settings: Settings, tell: Tell, scales: bool = True, restarts: int = 3
) -> Outcome:
    outcome = Outcome()
    with Stage(directory, settings, NAMES) as stage:
        run = _Run(stage, outcome, tell)
        stage.start(*NAMES[:3])
        with Scraper(stage.ports) as scraper:
            clients = stage.start_clients()
            clients.wait_connected()
            used = Cpu(stage, clients)
            run.pause("all in their rooms")
            cpu_figures = used.figures()
            rolled = time.monotonic()
            for name in NAMES[:restarts]:
                run.restart(name, "restarted")
            scaled = time.monotonic()
            if scales:
                run.scale()
            grown = time.monotonic()
            if scales and settings.rebalance_s > 0:
                outcome.figures += run.balance()
            ended = time.monotonic()
        journal = clients.finish()
        outcome.samples = scraper.samples
        tell("judging what the clients wrote down")
        outcome.faults = journal.faults()
        outcome.figures += judge.delivery_figures(journal, outcome.faults)
        outcome.figures += cpu_figures
        if restarts:
            outcome.figures += judge.away_figures(journal, rolled, scaled, "restarts")
        if scales:
            outcome.figures += judge.away_figures(journal, scaled, grown, "scaling")
        if scales and settings.rebalance_s > 0:
            outcome.figures += judge.away_figures(journal, grown, ended, "balancing")
        for drained in stage.drained:
            samples = scraper.samples[drained.name]
            outcome.figures += judge.drain_figures(journal, samples, drained, settings)
        slowest = max(sample.took_s for line in scraper.samples.values() for sample in line)
        outcome.figures.append(Figure("slowest scrape of /metrics", slowest, unit="s"))
    return outcome


class Cpu:
    """What each part uses of the machine, from here on."""

    def __init__(self, stage: Stage, clients: Clients) -> None:
        self._pids = {
            "the nodes": [node.pid for node in stage.nodes.values()],
            "HAProxy": [stage.haproxy.process.pid],
            "Redis": [stage.redis.process.pid],
            "the clients": [clients.process.pid],
        }
        self._began, self._before = time.monotonic(), self._used()

    def _used(self) -> dict[str, float]:
        return {name: sum(map(cpu_seconds_of, pids)) for name, pids in self._pids.items()}

    def figures(self) -> list[Figure]:
        after, lasted = self._used(), time.monotonic() - self._began
        return [
            Figure(f"undisturbed: CPU of {name}", 100 * (after[name] - before) / lasted, unit="%")
            for name, before in self._before.items()
        ]


class _Run:
    def __init__(self, stage: Stage, outcome: Outcome, tell: Tell) -> None:
        self._stage, self._outcome, self._tell = stage, outcome, tell

    def mark(self, what: str) -> None:
        self._outcome.marks.append((time.monotonic(), what))
        self._tell(what)

    def pause(self, what: str) -> None:
        """Normal service for some time, so that one thing does not hide in the next."""
        time.sleep(self._stage.settings.pause_s)
        spread = {
            name: int(node.metrics()["canang_connections"])
            for name, node in sorted(self._stage.nodes.items())
        }
        self._outcome.spreads.append((what, spread))
        self._tell(f"{what}: connections {spread}")

    def restart(self, name: str, why: str) -> None:
        self.mark(f"restart {name}")
        self._drain(name, why)
        self._stage.start(name)
        self.pause(f"after the restart of {name}")

    def scale(self) -> None:
        """The fullest one goes: leaving is then worth watching."""
        name = self.fullest()
        self.mark("3 to 2")
        self._drain(name, "taken away")
        self.pause("with two nodes")
        self.mark("2 to 4")
        self._stage.start(name, "node4")
        self.pause("with four nodes")

    def balance(self) -> list[Figure]:
        """Nodes with more than their share shed some: the new ones get theirs, sooner or later."""
        began = time.monotonic()

        def excess() -> float:
            counts = [s.sessions for s in self._stage.haproxy.states().values() if s.is_up]
            return max(counts) / (sum(counts) / len(counts))

        while excess() > FULLEST_LIMIT and time.monotonic() - began < BALANCE_TIMEOUT_S:
            time.sleep(1)
        took = time.monotonic() - began
        self.pause("once they had shed")
        return [
            Figure("balancing: time that it took", took, unit="s"),
            Figure("balancing: the fullest node then", excess(), FULLEST_LIMIT, "times the mean"),
        ]

    def fullest(self) -> str:
        states = self._stage.haproxy.states()
        return max(self._stage.nodes, key=lambda name: states[name].sessions)

    def _drain(self, name: str, why: str) -> None:
        drained = self._stage.drain(name, why)
        self._tell(
            f"{name}: {drained.had} connections, exit {drained.code} after {drained.took_s:.1f} s"
        )
