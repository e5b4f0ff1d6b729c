"""Names that a client makes up so that a hash without a key gives one value to all of them.

`std::hash` of the usual standard library is such a one: thousands of rooms then share a bucket, and each
join compares its name with all of them."""

import random
import re
import string
from urllib.parse import quote

import pytest

from support.canang_process import REPOSITORY
from support.raw_websocket import RawConnection, request_head

ROOMS = 3_000
PAIRS = 14
# MurmurHash64A mixes eight bytes at a time before it joins them to the rest. What it makes of these two
# differs in the highest bit only, which no multiplication by an odd number moves: a second such pair
# behind the first takes the difference away, whatever the seed.
HALVES = (b"\xcd\x94z^\xc6\x81\xca\xad".decode(), b"\xcd\x947xagr<".decode())


def colliding_names(count: int) -> list[str]:
    return [
        "".join(2 * HALVES[number >> bit & 1] for bit in range(PAIRS)) for number in range(count)
    ]


def random_names(count: int) -> list[str]:
    """As long, in letters that need no escape."""
    chance = random.Random(2)
    return ["".join(chance.choices(string.ascii_letters, k=16 * PAIRS)) for _ in range(count)]


def join_each(canang, names: list[str]) -> None:
    """One at a time: the room outlives its member by its history's time."""
    for name in names:
        with RawConnection(canang.port) as client:
            client.send(request_head(f"/ws/{quote(name)}?history=1"))
            assert client.read_response().status == 101


def cpu_seconds(canang) -> float:
    return canang.metrics()["process_cpu_seconds_total"]


@pytest.mark.timeout(300)
def test_rooms_whose_names_collide_cost_no_more_than_others(start_canang):
    def cost(names: list[str]) -> float:
        canang = start_canang(workers=1)
        before = cpu_seconds(canang)
        join_each(canang, names)
        spent = cpu_seconds(canang) - before
        canang.stop()
        return spent

    usual = cost(random_names(ROOMS))
    chosen = cost(colliding_names(ROOMS))
    assert chosen < 1.5 * usual, f"{chosen:.2f} s of CPU instead of {usual:.2f} s"


def test_no_table_of_the_server_hashes_text_without_a_key():
    """`cluster::name_map` and `name_set` have one: what comes later is to take them too."""
    unkeyed = re.compile(r"unordered_\w+<\s*std::(pmr::)?string|std::hash<std::string")
    found = [
        f"{file.relative_to(REPOSITORY)}:{number}"
        for folder in ("actors", "app", "cluster", "net", "web")
        for file in sorted((REPOSITORY / folder).rglob("*.[ch]pp"))
        if file.name != "name_map.hpp"
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if unkeyed.search(line)
    ]
    assert found == []
