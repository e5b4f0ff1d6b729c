"""What a rollout is tried with, and the figures that it must reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The full form, unless said otherwise."""

    rooms: int = 300
    members: int = 20  # a room
    rate: int = 500  # publications a second, in all
    crowd: int = 15_000  # connections of a node whose drain is crowded
    ramp_up: int = 600  # first connections a second
    grace_s: float = 5.0
    period_s: float = 25.0
    rebalance_s: float = 30.0  # as --rebalance-after; 0: no node sheds, and nobody waits for it
    pause_s: float = 3.0  # of normal service between two things that are done to the cluster
    seed: int = 1

    @property
    def clients(self) -> int:
        return self.rooms * self.members

    @property
    def closes_limit(self) -> float | None:
        """Percent a second; a period that is too short for it can't be held to it."""
        return CLOSES_A_SECOND_LIMIT_PERCENT if self.period_s >= SHORTEST_EVEN_PERIOD_S else None

    @property
    def exit_limit_s(self) -> float:
        return self.grace_s + self.period_s + EXIT_MARGIN_S


EXIT_MARGIN_S = 2.0
AWAY_P99_LIMIT_S = 2.0
CLOSES_A_SECOND_LIMIT_PERCENT = 10.0  # of all that a drained node closes
# Closes are spread over four fifths of the period, and at random moments.
SHORTEST_EVEN_PERIOD_S = 15.0
FEW_CLOSES = 100  # beneath this a share says nothing: one connection is over 1 %
READINESS_LIMIT_S = 10.0
FULLEST_LIMIT = 1.2  # times the mean, once new nodes have got their share
BALANCE_TIMEOUT_S = 180.0
CHECK_MARGIN_S = 2.0  # two failed checks of the load balancer, and this one's own polling
