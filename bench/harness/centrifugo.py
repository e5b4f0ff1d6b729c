"""Centrifugo's protocol on both sides: Canang, Centrifugo, and the library that it is built on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from report import centrifugo as pages

from . import peers
from .peers import Peer
from .scenarios import (
    FORMATS,
    QUICK,
    Bench,
    Case,
    idle_case,
    in_dialect,
    latency_case,
    throughput_case,
)
from .side import Side

IN_FLIGHT = (1, 32, 128)
IDLE = 5000
PEERS = ("centrifugo", "centrifuge")
LIMIT_S = 450.0  # so that all of it, the page too, takes eight minutes


def rooms_case(rooms: int, in_flight: int) -> Case:
    label = f"{rooms:,} rooms of 10, 64 B, {in_flight} in flight a room"
    return Case(
        "many-rooms", label, "traffic", rooms=rooms, members=10, in_flight=in_flight, times=QUICK
    )


def memory_case(joins: bool) -> Case:
    """Memory differs little between rounds, and takes long: one is enough."""
    case = idle_case(IDLE, QUICK, rounds=1)
    where = "all in one room" if joins else "in no room"
    return replace(case, label=f"{case.label}, {where}", joins=joins)


def cases(is_quick: bool) -> list[Case]:
    """One format after the other; memory at the end, so that time cuts off nothing else."""
    in_flight = IN_FLIGHT[:2] if is_quick else IN_FLIGHT
    traffic = [
        *(throughput_case(64, n, QUICK) for n in in_flight),
        *(rooms_case(100, n) for n in in_flight),
        *([] if is_quick else [rooms_case(1000, 1)]),
        latency_case(0.6, QUICK),
    ]
    idle = [memory_case(joins=False), memory_case(joins=True)]
    chosen = list(FORMATS)
    return [in_dialect(case, name) for part in (traffic, idle) for name in chosen for case in part]


def candidates(binary: Path) -> list[Peer]:
    ours = replace(peers.canang(binary), dialect=next(iter(FORMATS)), path="/")
    found = {peer.name: peer for peer in peers.all_peers()}
    titles = {
        "centrifugo": "Centrifugo, memory engine, its default settings",
        "centrifuge": "centrifuge, the library that Centrifugo is built on, its default settings",
    }
    return [ours, *(replace(found[name], title=titles[name]) for name in PEERS)]


SIDE = Side(
    name="centrifugo",
    description="Measures Canang and Centrifugo in Centrifugo's protocol: bench/README.md.",
    cases=cases,
    candidates=candidates,
    bench=Bench,
    pages=pages,
    rounds=3,
    limit_s=LIMIT_S,
)
