"""Judges what the members of a room were told of comings and goings. Knows nothing of servers.

For runs in which nothing is lost: an offset of a room is then one publication, in all its epochs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from .journal import Got, Joined
from .member import Member

Event = tuple[str, str]  # "joined" or "left", user


def events_by_offset(member: Member) -> dict[int, Event]:
    places = [entry.offset for entry in member.log if isinstance(entry, Got) and entry.is_event]
    return dict(zip(places, member.events, strict=True))


def first_offset(member: Member) -> int:
    return next(entry.offset for entry in member.log if isinstance(entry, Joined))


def presence_faults(members: Sequence[Member], present: Iterable[str]) -> list[str]:
    """What is wrong with the events of one room; `present` are the users that are there at the end.

    - An offset is the same event to all.
    - Nobody lacks an event that came after it first joined.
    - Each user joins first, then leaves and joins by turns, and has joined last if it is there.
    """
    faults: list[str] = []
    room: dict[int, Event] = {}
    for member in members:
        for offset, event in events_by_offset(member).items():
            if room.setdefault(offset, event) != event:
                faults.append(f"{offset} is {room[offset]}, and {event} to {member.name}")
    for member in members:
        had = events_by_offset(member)
        lacking = [o for o in sorted(room) if o > first_offset(member) and o not in had]
        if lacking:
            faults.append(f"{member.name} lacks {[(o, room[o]) for o in lacking[:5]]}")
    present = set(present)
    for user in sorted(present | {who for _, who in room.values()}):
        told = [(offset, kind) for offset, (kind, who) in sorted(room.items()) if who == user]
        is_by_turns = all(one != other for (_, one), (_, other) in pairwise(told))
        last = "joined" if user in present else "left"
        if not told or told[0][1] != "joined" or not is_by_turns or told[-1][1] != last:
            faults.append(f"{user}, who is {'' if user in present else 'not '}there: {told}")
    return faults
