"""Reads what the members of a `canang-load resume` went through (bench/load/journal.hpp)."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .checker import faults_of
from .journal import Ended, Entry, Got, Joined, Opened, Sent


@dataclass(frozen=True)
class Outage:
    """From the end of a connection to the next join frame. Times are those of time.monotonic()."""

    member: int
    node: str  # that the connection was on
    code: str
    lost_s: float
    joined_s: float  # infinity: never again
    recovered: bool

    @property
    def away_s(self) -> float:
        return self.joined_s - self.lost_s


@dataclass
class Journal:
    members_a_room: int = 0
    is_whole: bool = False
    logs: dict[int, list[Entry]] = field(default_factory=dict)
    connects: list[tuple[float, int, str]] = field(default_factory=list)  # when, member, node
    outages: list[Outage] = field(default_factory=list)
    failed_attempts: list[tuple[float, str]] = field(default_factory=list)
    published: dict[str, float] = field(default_factory=dict)  # id: when
    acknowledged: dict[str, float] = field(default_factory=dict)  # when the publisher had it
    publish_errors: Counter[str] = field(default_factory=Counter)

    def faults(self) -> list[str]:
        """What is wrong with what they got, room by room; the offline checker's words."""
        faults = [] if self.is_whole else ["the journal is cut short"]
        rooms: dict[int, dict[str, list[Entry]]] = {}
        for member, log in self.logs.items():
            rooms.setdefault(member // self.members_a_room, {})[f"member {member}"] = log
        for room, logs in sorted(rooms.items()):
            # What anybody got was stored, so all must have it: acknowledged ones are among these.
            stored = {e.data for log in logs.values() for e in log if isinstance(e, Got)}
            faults += [f"room {room}: {fault}" for fault in faults_of(logs, stored)]
        return faults

    def told_of_a_loss(self) -> int:
        """Join frames, but each member's first, that say `recovered:false`."""
        joins = ([e for e in log if isinstance(e, Joined)] for log in self.logs.values())
        return sum(not join.recovered for of_member in joins for join in of_member[1:])

    def deliveries(self) -> int:
        return sum(isinstance(entry, Got) for log in self.logs.values() for entry in log)


class _Reader:
    def __init__(self) -> None:
        self.journal = Journal()
        self._node: dict[int, str] = {}
        self._lost: dict[int, tuple[str, str, float]] = {}  # node, code, when
        # What twenty members got is one object, not twenty.
        self._seen: dict[tuple[str, str, str], Got] = {}

    def read(self, lines: Iterable[str]) -> Journal:
        journal = self.journal
        for line in lines:
            words = line.split()
            if words[0] == "#":
                journal.is_whole = words[1] == "end"
                if words[1] == "rooms":
                    journal.members_a_room = int(words[4])
                continue
            if not line.endswith("\n"):
                break  # cut short in the middle
            self._take(int(words[0]) / 1e6, words[1], int(words[2]), words[3:])
        for member, lost in self._lost.items():
            journal.outages.append(Outage(member, *lost, float("inf"), False))
        return journal

    def _take(self, when: float, letter: str, member: int, rest: list[str]) -> None:
        journal = self.journal
        log = journal.logs.setdefault(member, [])
        if letter == "p":
            epoch, offset, data = rest
            got = self._seen.get((epoch, offset, data))
            if got is None:
                got = Got(epoch, int(offset), sys.intern(data))
                self._seen[epoch, offset, data] = got
            log.append(got)
            if data in journal.published and int(data.split(":")[0]) == member:
                journal.acknowledged.setdefault(got.data, when)
        elif letter == "j":
            joined = Joined(rest[0], int(rest[1]), rest[2] == "1")
            log.append(joined)
            if member in self._lost:
                lost = self._lost.pop(member)
                journal.outages.append(Outage(member, *lost, when, joined.recovered))
        elif letter == "u":
            self._node[member] = rest[0]
            log.append(Opened(rest[0], at=when))
            journal.connects.append((when, member, rest[0]))
        elif letter == "x":
            log.append(Ended(int(rest[0]), at=when))
            self._lost[member] = (self._node[member], rest[0], when)
        elif letter == "f":
            journal.failed_attempts.append((when, rest[0]))
        elif letter == "s":
            data = sys.intern(rest[0])
            log.append(Sent(data, at=when))
            journal.published[data] = when
        elif letter == "e":
            journal.publish_errors[rest[0]] += 1
        else:
            assert letter == "c", f"what is {letter!r}?"


def read_journal(path: Path) -> Journal:
    with path.open() as lines:
        return _Reader().read(lines)
