"""A simulation of the roster: who notices a change among the nodes, when, and what that costs in calls.

It plays the rules of cluster/rooms/redis_roster.cpp, redis_reaper.cpp and scripts/lease.lua for one partition, in a
time of its own. Which moments nodes tick at is drawn from a seed.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field

LEASE_S, RENEW_S, TICK_S, LOCK_S = 10.0, 2.0, 0.1, 5.0


@dataclass
class Outcome:
    """Times in seconds after the change; counts of all nodes and of one partition."""

    first_noticed_s: float = 0.0
    buried_s: float = 0.0  # until no node sees a dead one any more
    known_to_all_s: float = 0.0  # until each node has a roster without the dead ones and with the new ones
    claims: int = 0  # calls that ask to take a dead node's members away
    reapings: int = 0  # of these, that did
    renewals: int = 0  # from the change until all know


@dataclass(order=True)
class _Event:
    at: float
    number: int
    what: str = field(compare=False)
    node: int = field(compare=False)


class Roster:
    """`nodes` live; at 0 so many of them are killed and so many others come."""

    def __init__(self, nodes: int, seed: int, reap_s: float = 0.01) -> None:
        self.random = random.Random(seed)
        self.reap_s = reap_s  # to take a dead node's members out of the rooms of the partition
        self.ends: dict[int, float] = {}  # of leases
        self.locks: dict[int, float] = {}
        self.living = set(range(nodes))
        self.events: list[_Event] = []
        self.count = 0
        for node in range(nodes):
            self.ends[node] = self.random.uniform(0, RENEW_S) - RENEW_S + LEASE_S
            self._renew_at(node, self.ends[node] - LEASE_S + RENEW_S)

    def change(self, killed: int, added: int, limit_s: float = 60.0) -> Outcome:
        dead = set(self.random.sample(sorted(self.living), killed))
        self.living -= dead
        fresh = set(range(len(self.ends), len(self.ends) + added))
        for node in fresh:
            self._renew_at(node, self.random.uniform(0, TICK_S))
        self.living |= fresh
        outcome, knowing = Outcome(), set()
        while len(knowing) < len(self.living) or not dead.isdisjoint(self.ends):
            event = heapq.heappop(self.events)
            if event.at > limit_s:
                raise RuntimeError("the nodes do not agree")
            if event.what == "bury":
                self.ends.pop(event.node, None)
                outcome.buried_s = event.at
            elif event.node in self.living:
                outcome.renewals += len(knowing) < len(self.living)
                seen = self._renew(event.node, event.at, outcome)
                if event.node not in knowing and seen.isdisjoint(dead) and fresh <= seen:
                    knowing.add(event.node)
                    outcome.known_to_all_s = event.at
        return outcome

    def _renew(self, node: int, now: float, outcome: Outcome) -> set[int]:
        """One call of lease.lua, and what a node does with the answer. A node takes those with a lease for living."""
        self.ends[node] = now + LEASE_S
        self._renew_at(node, now + RENEW_S + self.random.uniform(0, TICK_S))
        lapsed = {other for other, end in self.ends.items() if end < now}
        for other in lapsed:
            outcome.claims += 1
            outcome.first_noticed_s = outcome.first_noticed_s or now
            if self.locks.get(other, 0.0) <= now:
                self.locks[other] = now + LOCK_S
                outcome.reapings += 1
                self._push(now + self.reap_s, "bury", other)
        return set(self.ends) - lapsed

    def _renew_at(self, node: int, at: float) -> None:
        self._push(at, "renew", node)

    def _push(self, at: float, what: str, node: int) -> None:
        self.count += 1
        heapq.heappush(self.events, _Event(at, self.count, what, node))
