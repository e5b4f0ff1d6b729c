"""Which scenarios there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .run import Run


class Skipped(Exception):
    """It cannot be played here; says why."""


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str  # as the table in the documentation has it
    play: Callable[[Run], None]
    is_short: bool  # part of --short
    machines: int  # that it needs at least


SCENARIOS: dict[str, Scenario] = {}

# In which they are played: those of the trial one after another, then what replaces it.
ORDER = (
    *("trial", "restricted", "policies", "restart", "kill", "hang", "bad-option", "drain", "budget"),
    *("upgrade", "scale", "memory", "machine", "monitoring", "autoscale", "chart", "production"),
)


def in_order() -> list[Scenario]:
    return [SCENARIOS[name] for name in ORDER]


def scenario(
    name: str, title: str, *, short: bool = False, machines: int = 2
) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    def take(play: Callable[[Run], None]) -> Callable[[Run], None]:
        assert name in ORDER and name not in SCENARIOS, name
        SCENARIOS[name] = Scenario(name, title, play, short, machines)
        return play

    return take
