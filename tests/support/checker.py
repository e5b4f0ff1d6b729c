"""Judges what clients of a cluster logged. Knows nothing of servers: it reads logs.

A log is a list of entries in the order in which one client got them, over all its connections:
`Joined` for a join frame, `Got` for a publication.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Joined:
    epoch: str
    offset: int
    recovered: bool


@dataclass(frozen=True)
class Got:
    epoch: str
    offset: int
    data: str


Log = Sequence[Joined | Got]


def faults_of(logs: Mapping[str, Log], acknowledged: Iterable[str] = ()) -> list[str]:
    """What is wrong with the logs of one room's members, in words; empty when nothing is.

    - a client's publications follow each other and its join frames without a gap;
    - a `recovered` join continues exactly where the client was;
    - nothing comes twice to one client;
    - one position is the same publication for everybody;
    - after their last loss, all who were never told of a loss have every acknowledged publication.
    """
    faults: list[str] = []
    meaning: dict[tuple[str, int], tuple[str, str]] = {}
    for name, log in logs.items():
        faults += _faults_of_one(name, log, meaning)
    for name, log in logs.items():
        if any(isinstance(entry, Joined) and not entry.recovered for entry in log[1:]):
            continue  # it knows that it may lack something
        had = {entry.data for entry in log if isinstance(entry, Got)}
        missing = [data for data in acknowledged if data not in had]
        if missing:
            faults.append(f"{name} lacks {len(missing)} acknowledged ones: {missing[:5]}")
    return faults


def _faults_of_one(
    name: str, log: Log, meaning: dict[tuple[str, int], tuple[str, str]]
) -> list[str]:
    faults: list[str] = []
    at: tuple[str, int] | None = None
    had: set[str] = set()
    for entry in log:
        if isinstance(entry, Joined):
            if entry.recovered and at is not None and entry.offset != at[1]:
                faults.append(f"{name} was at {at} and is recovered to {entry}")
            at = (entry.epoch, entry.offset)
            continue
        here = (entry.epoch, entry.offset)
        if at is None:
            faults.append(f"{name} got {entry} before it was told where it is")
        elif here != (at[0], at[1] + 1):
            faults.append(f"{name} was at {at} and got {entry}")
        at = here
        if entry.data in had:
            faults.append(f"{name} got {entry} a second time")
        had.add(entry.data)
        whose, other = meaning.setdefault(here, (name, entry.data))
        if other != entry.data:
            faults.append(f"{here} is {entry.data!r} to {name} and {other!r} to {whose}")
    return faults
