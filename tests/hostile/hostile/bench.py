"""One attack from beginning to end: honest members, the attack, the control, and what is left."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from support.canang_process import CanangProcess
from support.figures import Figure
from support.waiting import wait_until

from . import judge
from .attacks import Attack
from .latency import Window, latencies_of
from .settings import MIB, NEWCOMER_LIMIT_S, RECOVERY_LIMIT_S, Settings
from .stage import Stage
from .watch import Watch, newcomer, resident_bytes

Tell = Callable[[str], None]
KNOWN_ROOM = "/ws/load-0"
NEW_ROOM = "/ws/somewhere-else"
NEWCOMER_TRY_S = 0.5
CONNECTIONS = re.compile(rb"^canang_connections (\S+)$", re.MULTILINE)
# For the nodes to see that the attackers of a window have gone, before the next one begins.
PARTING_S = 3.0
# Who said more than the rates allow is not read for up to 10 s, and its end is not seen before.
STRAGGLERS = 10


@dataclass
class Outcome:
    """What an attack showed."""

    attack: Attack
    figures: list[Figure] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def missed(self) -> list[Figure]:
        return [figure for figure in self.figures if not figure.holds]


@dataclass
class Seen:
    """What is measured in the course of it."""

    calm: Window | None = None
    control: list[Window] = field(default_factory=list)
    attacked: list[Window] = field(default_factory=list)
    after: Window | None = None
    control_tally: Counter[str] = field(default_factory=Counter)
    tally: Counter[str] = field(default_factory=Counter)
    newcomers_s: list[float | None] = field(default_factory=list)
    over: float = 0.0
    memory_before: int = 0
    memory_after: int = 0
    recovered_s: float | None = None
    not_recovered: str = ""
    exit_codes: list[int] = field(default_factory=list)
    log_bytes: int = 0
    longest_turn_s: float = 0.0  # the upper bound of its bucket


def run(directory: Path, settings: Settings, attack: Attack, tell: Tell) -> Outcome:
    outcome, seen = Outcome(attack), Seen()
    with Stage(directory, settings, attack) as stage:
        first, second = stage.nodes
        course = _Course(stage, seen)
        with Watch(stage.nodes) as watch:
            seen.calm = _pause(settings.calm_s)
            seen.memory_before = resident_bytes(first)
            for turn in range(settings.windows):
                tell(f"{attack.name}: {turn + 1} of {settings.windows}")
                course.control(second)
                course.attack(first)
            course.recover(first)
            seen.after = _pause(settings.calm_s)
        journal = stage.clients.finish()
        seen.longest_turn_s = longest_turn(first)
        seen.exit_codes = [node.stop() for node in stage.nodes]
        seen.log_bytes = first.stdout_path.stat().st_size
        windows = [seen.calm, *seen.control, *seen.attacked, seen.after]
        latencies = latencies_of(stage.clients.journal_path, windows, settings.members)
        outcome.faults = journal.faults()
        outcome.figures = [
            *judge.latency_figures(latencies, settings),
            *judge.honest_figures(journal, outcome.faults),
            *judge.node_figures(seen, watch, settings, attack),
            *judge.attack_figures(seen, settings, attack),
        ]
    return outcome


def _pause(seconds: float) -> Window:
    began = time.monotonic()
    time.sleep(seconds)
    return Window(began, time.monotonic())


class _Course:
    """The steps of it."""

    def __init__(self, stage: Stage, seen: Seen) -> None:
        self._stage, self._seen = stage, seen

    def control(self, node: CanangProcess) -> None:
        attackers = self._stage.strike(node)
        self._seen.control.append(_pause(self._stage.window_s))
        self._seen.control_tally += attackers.end()
        self._part(node, 0)

    def attack(self, node: CanangProcess) -> None:
        began = time.monotonic()
        attackers = self._stage.strike(node)
        _pause(self._stage.window_s * 3 / 4)
        patience_s = NEWCOMER_LIMIT_S if self._stage.attack.admits else NEWCOMER_TRY_S
        self._seen.newcomers_s.append(newcomer(node, KNOWN_ROOM, patience_s))
        _pause(max(0.0, began + self._stage.window_s - time.monotonic()))
        self._seen.attacked.append(Window(began, time.monotonic()))
        self._seen.tally += attackers.end()
        self._seen.over = time.monotonic()
        self._part(node, self._stage.settings.clients)

    def _part(self, node: CanangProcess, expected: int) -> None:
        """Windows shall not overlap. That a node takes long to notice is judged elsewhere."""
        end = time.monotonic() + PARTING_S
        while time.monotonic() < end and not _has(node, expected):
            time.sleep(0.05)

    def recover(self, node: CanangProcess) -> None:
        seen = self._seen

        def is_normal() -> bool:
            seen.memory_after = resident_bytes(node)
            seen.not_recovered = self._abnormal(node)
            return not seen.not_recovered

        try:
            left = seen.over + RECOVERY_LIMIT_S - time.monotonic()
            wait_until(is_normal, "all is as before", left, 0.1)
            seen.recovered_s = time.monotonic() - seen.over
        except AssertionError:
            pass  # the figure tells

    def _abnormal(self, node: CanangProcess) -> str:
        settings, seen = self._stage.settings, self._seen
        if seen.memory_after > judge.memory_bound_after(seen, settings, self._stage.attack):
            return f"{seen.memory_after / MIB:.0f} MiB are resident"
        if not _has(node, settings.clients):
            return "there are other connections than the honest ones"
        for path in (KNOWN_ROOM, NEW_ROOM):
            if newcomer(node, path, NEWCOMER_TRY_S) is None:
                return f"a newcomer is not let in to {path}"
        return ""


def longest_turn(node: CanangProcess) -> float:
    """The first bound of the histogram that no turn of the node exceeded."""
    buckets = node.metrics().samples("canang_turn_seconds_bucket")
    turns = max(count for _, count in buckets)
    return min(float(labels["le"]) for labels, count in buckets if count == turns)


def _has(node: CanangProcess, connections: int) -> bool:
    try:
        text = node.get_internal("/metrics").body
    except OSError:
        return False
    found = CONNECTIONS.search(text)
    return found is not None and 0 <= float(found[1]) - connections <= STRAGGLERS
