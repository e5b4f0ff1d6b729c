"""The attacks, by name: which programs make them, and what is asked of a node meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Attack:
    name: str
    what: str
    programs: tuple[str, ...]  # of attackers/main.py, a process each
    shows: Mapping[str, int] = field(default_factory=dict)  # what is done a second, at least
    admits: bool = True  # it leaves the node room for others: who comes meanwhile is let in
    keeps_history: bool = False  # what it published may be kept when it is over
    slowness: float = 1.0  # how many times as long its windows are
    files: int | None = None  # the node's limit of open files
    redis: bool = False  # each node has one
    is_for_all: bool = True  # it is one of those that are made all at once


ONE_BY_ONE = (
    Attack(
        "unread-histories",
        "joiners that ask for full histories of escaped bytes and do not read",
        ("unread_histories",),
        {"opened": 50},
        admits=False,
        keeps_history=True,
    ),
    Attack(
        "pinned-buffers",
        "members that do not read, while small and large messages pass",
        ("pinned_buffers",) * 2,
        {"bytes": 200_000},
        admits=False,
        keeps_history=True,
    ),
    Attack(
        "unfinished-messages",
        "messages without an end, in one piece and in fragments",
        ("unfinished_messages",) * 4,
        {"bytes": 10_000_000},
        admits=False,
        slowness=1.5,
    ),
    Attack(
        "endless-rooms",
        "ever new rooms with 128 empty messages each",
        ("endless_rooms",) * 3,
        {"opened": 200},
        keeps_history=True,
    ),
    Attack(
        "colliding-names",
        "rooms and users with colliding and with very long names",
        ("colliding_names",),
        {"opened": 100},
    ),
    Attack(
        "silent-connections",
        "more silent connections and slow headers than the node has open files",
        ("silent_connections",),
        {"opened": 200},
        files=2048,
    ),
    Attack(
        "flood",
        "publishers that send large, small and empty messages, pings and fragments without a pause",
        ("bystanders", "flood"),
        {"bytes": 500_000},
        keeps_history=True,
    ),
    Attack(
        "made-up-positions",
        "joins of honest rooms with positions that never were",
        ("made_up_positions",),
        {"opened": 100},
        redis=True,
    ),
    Attack(
        "made-up-sessions",
        "messages in requests of their own, to sessions and nodes that never were",
        ("made_up_sessions",) * 2,
        {"opened": 200, "bytes": 2_000_000},
        redis=True,
        is_for_all=False,  # the others take all that two processors can do
    ),
    Attack("garbage", "bytes at random, bad requests, bad frames", ("garbage",), {"opened": 100}),
    Attack("storm", "connections that end at once, at every moment", ("storm",), {"opened": 200}),
    Attack(
        "trickle",
        "members that read and write a byte at a time",
        ("trickle",),
        {"bytes read": 500},
    ),
)

ALL_AT_ONCE = Attack(
    "all-at-once",
    "the others together",
    tuple(
        program
        for attack in ONE_BY_ONE
        if attack.is_for_all
        for program in dict.fromkeys(attack.programs)
    ),
    {"opened": 300, "bytes": 1_000_000},
    admits=False,
    keeps_history=True,
)

ATTACKS = {attack.name: attack for attack in (*ONE_BY_ONE, ALL_AT_ONCE)}
