"""What rooms and histories may take of a node: how many rooms, how much memory, and who gives way."""

import time
from contextlib import contextmanager

import pytest

from support.asking import ask, history_of
from support.canang_process import sanitized
from support.raw_websocket import TEXT, RawWebSocket, frame
from support.waiting import wait_until

MIB = 1 << 20
ROOMS = 200  # of 400 KB


@contextmanager
def members_of(canang, rooms):
    members = [RawWebSocket(canang.port, f"/ws/{room}") for room in rooms]
    try:
        yield members
    finally:
        for member in members:
            member.close()


def write(canang, room, messages):
    """Publishes them in the room and leaves it."""
    with RawWebSocket(canang.port, f"/ws/{room}?echo=false") as author:
        author.send(b"".join(frame(TEXT, message) for message in messages))
        author.close_normally()


def fill(canang, rooms, message, count=128):
    """`count` messages in each of the rooms; whoever wrote them has left."""
    wanted = canang.metrics()["canang_publications_total"] + len(rooms) * count
    for room in rooms:
        write(canang, room, [message] * count)
    canang.wait_metric("canang_publications_total", wanted, timeout=20)


def rss_of_empty(canang):
    """Resident memory once the start has been digested."""
    with members_of(canang, ["warm"]):
        canang.wait_members(1)
    canang.wait_members(0)
    return canang.rss_bytes()


def test_a_room_too_many_is_refused_and_the_others_can_be_joined(start_canang):
    canang = start_canang(max_rooms=5)
    with members_of(canang, [f"r{n}" for n in range(5)]) as members:
        canang.wait_members(5)
        assert canang.metrics()["canang_rooms_known"] == 5
        refused = ask(canang, "/ws/one-more")
        assert refused.status == 503
        assert refused.headers["retry-after"] == "1"
        assert b"as many rooms as it may" in refused.body
        metrics = canang.metrics()
        assert metrics.total("canang_handshakes_rejected_total", reason="rooms") == 1
        assert metrics["canang_rooms_limit"] == 5
        for _ in range(20):
            assert ask(canang, "/ws/another").status == 503
        assert len(canang.wait_log("--max-rooms")) == 1, "one line a minute"
        assert ask(canang, "/ws/r3").status == 101
        members[0].send_text("still here")
        assert members[0].read_data().payload == b"still here"
        members[4].close_normally()
        wait_until(lambda: ask(canang, "/ws/one-more").status == 101, "r4 gives way")


def test_rooms_that_only_have_a_history_give_way_the_oldest_first(start_canang):
    canang = start_canang(max_rooms=10, workers=1, room_linger="0s")
    fill(canang, [f"kept{n}" for n in range(10)], b"x", 3)
    canang.wait_metric("canang_rooms", 0)
    canang.wait_metric("canang_rooms_known", 10)
    with members_of(canang, [f"new{n}" for n in range(4)]):
        canang.wait_members(4)
        metrics = canang.metrics()
        assert metrics["canang_rooms_known"] == 10
        wait_until(
            lambda: canang.metrics().total("canang_rooms_forgotten_total", reason="rooms") == 4,
            "four rooms are forgotten",
        )
        assert history_of(canang, "kept9") == 3
        assert history_of(canang, "kept4") == 3


def test_empty_messages_in_many_rooms_stay_within_the_budget(start_canang):
    canang = start_canang(history_budget="8MiB", room_linger="0s")
    before = rss_of_empty(canang)
    fill(canang, [f"room{n}" for n in range(1500)], b"")
    canang.wait_metric("canang_rooms", 0, timeout=10)
    wait_until(
        lambda: canang.metrics().total("canang_rooms_forgotten_total", reason="budget") > 900,
        "rooms lose their histories",
    )
    assert canang.metrics()["canang_history_bytes"] == 0, "of payload"
    kept = canang.metrics().total("canang_memory_bytes", owner="history")
    assert 7 * MIB < kept <= 8 * MIB
    grown = canang.rss_bytes() - before
    print(f"1,500 rooms of 128 empty messages: {grown / MIB:.1f} MiB more, {kept / MIB:.1f} counted")
    if not sanitized():
        assert grown < 14 * MIB, "histories, rooms, and what the allocator keeps for a second"
    assert history_of(canang, "room1499") == 128
    assert history_of(canang, "room0") == 0


def test_a_room_with_members_keeps_its_history_whatever_is_done_in_others(start_canang):
    canang = start_canang(history_budget="1MiB", room_linger="0s", workers=1)
    with members_of(canang, ["ours"]) as (member,):
        member.send_text("ours")
        assert member.read_data().payload == b"ours"
        fill(canang, [f"room{n}" for n in range(200)], b"")
        assert history_of(canang, "ours") == 1


@pytest.mark.skipif(sanitized(), reason="a sanitizer keeps what is freed")
def test_histories_give_way_when_memory_is_over_its_limit(start_canang):
    """Filled with histories far over its limit, it admits again by itself, with the newest still there."""
    probe = start_canang(workers=2)
    limit = rss_of_empty(probe) + 40 * MIB
    canang = start_canang(
        workers=2, memory_limit=limit, history_budget="256MiB", room_linger="0s", max_rooms=0
    )
    with members_of(canang, [f"room{n}?echo=false" for n in range(ROOMS)]) as authors:
        for author in authors:
            author.send(frame(TEXT, b"x" * 20_000) * 20)
        canang.wait_metric("canang_publications_total", 20 * ROOMS, timeout=20)
        wait_until(lambda: ask(canang, "/ws/asks").status == 503, "it is full", 5)
        assert canang.metrics().total("canang_rooms_forgotten_total", reason="memory") == 0
    full = time.monotonic()
    wait_until(lambda: ask(canang, "/ws/asks").status == 101, "it admits again", 8)
    took = time.monotonic() - full
    print(
        f"full with {ROOMS} rooms; admits again after {took:.1f} s, "
        f"{canang.rss_bytes() / MIB:.0f} MiB of {limit / MIB:.0f}"
    )
    assert took < 5 or sanitized()
    wait_until(  # loops tell of it once a second
        lambda: canang.metrics().total("canang_rooms_forgotten_total", reason="memory") > 0,
        "it is shown that rooms were forgotten",
        3,
    )
    metrics = canang.metrics()
    assert metrics.total("canang_memory_bytes", owner="history") > 5 * MIB, "not all had to go"
