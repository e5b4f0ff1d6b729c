"""The judge of comings and goings: each kind of fault, planted in logs that are right otherwise."""

from __future__ import annotations

import pytest
from support.journal import Entry, Got, Joined
from support.member import Member
from support.presence_judge import presence_faults

ROOM = [(1, "joined", "ann"), (2, "joined", "bob"), (4, "left", "bob"), (5, "joined", "bob")]


def member(name: str, first: int = 0, room: list[tuple[int, str, str]] = ROOM) -> Member:
    made = Member(name, "r", [])
    log: list[Entry] = [Joined("e", first, False), Got("e", 3, "a message")]
    for offset, kind, user in room:
        if offset > first:
            log.append(Got("e", offset, f"{kind} n/{user}", True))
            made.events.append((kind, user))
    made.log = log
    return made


def test_what_is_right_is_no_fault():
    members = [member("early"), member("late", 3)]
    assert presence_faults(members, ["ann", "bob"]) == []


@pytest.mark.parametrize(
    ("room", "present", "found"),
    [
        ([*ROOM, (6, "joined", "ann")], ["ann", "bob"], "ann, who is there"),
        ([*ROOM, (6, "left", "ann"), (7, "left", "ann")], ["bob"], "ann, who is not there"),
        ([*ROOM, (6, "left", "ann")], ["ann", "bob"], "ann, who is there"),
        (ROOM, ["bob"], "ann, who is not there"),
        (ROOM[1:], ["ann", "bob"], "ann, who is there: []"),
        ([(1, "left", "ann"), *ROOM[1:]], ["bob"], "ann, who is not there"),
    ],
    ids=["twice", "left twice", "falsely left", "still there", "untold", "never joined"],
)
def test_turns_and_ends_are_judged(room, present, found):
    [fault] = presence_faults([member("m", room=room)], present)
    assert fault.startswith(found)


def test_who_lacks_an_event_is_found():
    [fault] = presence_faults([member("all"), member("lacks", room=ROOM[:-1])], ["ann", "bob"])
    assert fault.startswith("lacks lacks [(5,")


def test_an_offset_that_is_two_events_is_found():
    other = [*ROOM[:2], (4, "left", "ann"), ROOM[3]]
    faults = presence_faults([member("one"), member("other", room=other)], ["ann", "bob"])
    assert len(faults) == 1 and faults[0].startswith("4 is ")
