"""What the bench is run with, and the figures that a node must reach."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Settings:
    """The short form, which is in ./dev test. The node is nearly idle under the honest load."""

    rooms: int = 50
    members: int = 10  # a room
    rate: int = 400  # publications a second, in all
    ramp_up: int = 2000  # first connections a second
    seed: int = 1
    windows: int = 3  # of each kind, in turns: the second node attacked, then the first one
    window_s: float = 1.5
    calm_s: float = 1.0  # the windows before and after
    memory_limit_mib: int = 256
    workers: int = 2

    @property
    def clients(self) -> int:
        return self.rooms * self.members

    @property
    def memory_bound(self) -> float:
        """Resident memory that a node never exceeds."""
        return 1.1 * self.memory_limit_mib * MIB


# Honest members' p99 may be twice that of the control. Below the floor a ratio says nothing: one
# pause of the scheduler on a busy machine is longer than what is measured.
P99_RATIO = 2.0
P99_FLOOR_S = 0.020
# Less than this share of the offered publications: their clients were not served, or starved.
OFFERED_SHARE = 0.5
LOG_LIMIT_MIB = 1  # what attackers may have a node write to its log, in a test of some seconds
PROBE_LIMIT_S = 2.0  # for /healthz, at any time
NEWCOMER_LIMIT_S = 3.0  # for a client that comes while an attack goes on that leaves it room
RECOVERY_LIMIT_S = 10.0  # until all is normal again
# What may be left of an attack then, besides the histories that it published.
MEMORY_SLACK_MIB = 32
