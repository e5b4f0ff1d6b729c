"""What the server holds in memory for its clients is what it counts, and has limits: each one's, and a node's."""

import contextlib

import pytest

from support.canang_process import WITHOUT_RATES, sanitized
from support.clients import close_all, open_client, receive
from support.raw_websocket import BINARY, Ended, RawWebSocket, frame_head
from support.waiting import wait_until

MIB = 1 << 20


def held(canang):
    metrics = canang.metrics()
    return metrics["canang_outbox_memory_bytes"] + metrics["canang_inbox_bytes"]


def closed_over_budget(canang):
    return canang.metrics().total("canang_closes_total", reason="over_budget")


def fill(canang, author, size, until):
    """Publishes messages of `size` bytes, numbered, until the condition holds; how many there were."""
    sent = 0
    while not until():
        assert sent < 4000, "the outboxes do not fill"
        for _ in range(5):
            author.send_binary(sent.to_bytes(4, "big") + bytes(size - 4))
            sent += 1
        wait_until(
            lambda: canang.metrics()["canang_publications_total"] >= sent, "they are published"
        )
    return sent


def read_all(reader, count, size):
    for n in range(count):
        got = reader.read_data().payload
        assert len(got) == size and int.from_bytes(got[:4], "big") == n, f"message {n}"


@pytest.mark.skipif(sanitized(), reason="judges memory")
def test_small_messages_that_wait_do_not_hold_the_large_buffers_that_they_came_in(start_canang):
    """One member reads nothing, and publishes what it does not want back itself."""
    canang = start_canang(workers=1, history_size=4, history_bytes="64KiB", **WITHOUT_RATES)
    deaf = RawWebSocket(canang.port, "/ws/pin?echo=false", receive_buffer=2048)
    other = RawWebSocket(canang.port, "/ws/pin?echo=false")
    canang.wait_members(2)
    fill(canang, other, 16_000, lambda: canang.metrics()["canang_outbox_bytes"] > 0)
    before = canang.rss_bytes()
    large = frame_head(BINARY, 65_000) + bytes(65_000)
    grown = 0
    for n in range(1500):
        other.send_binary(b"t")
        deaf.send(large * 3)
        other.send_binary(b"t")
        for _ in range(3):
            assert len(other.read_data().payload) == 65_000
        if n % 50 == 49:
            grown = canang.rss_bytes() - before
            assert grown < 48 * MIB, f"{grown / MIB:.0f} MiB more after {n} rounds"
    assert canang.metrics().closes() == {}, "three thousand bytes are no reason"
    print(f"{grown / MIB:.1f} MiB more")
    deaf.reset()
    other.close()


async def test_members_that_read_get_one_message_over_the_outbox_limit_and_stay(start_canang):
    canang = start_canang(max_message_bytes="8MiB", **WITHOUT_RATES)  # the limit is 1 MiB
    author = await open_client(canang.url("/ws/files?echo=false"))
    members = [await open_client(canang.url("/ws/files")) for _ in range(4)]
    await canang.members_are(5)
    for letter in (b"a", b"b"):
        await author.send(letter * (7 * MIB))
        for member in members:
            assert await receive(member, 20) == letter * (7 * MIB)
    await author.send("and a small one")
    for member in members:
        assert await receive(member) == "and a small one"
    assert canang.metrics().closes() == {}
    await close_all(author, *members)


def test_a_member_that_pauses_for_less_than_its_grace_gets_everything(start_canang):
    canang = start_canang(
        env={"CANANG_SLOW_CONSUMER_GRACE": "20s"}, outbox_limit="256KiB", **WITHOUT_RATES
    )
    slow = RawWebSocket(canang.port, "/ws/slow", receive_buffer=4096)
    author = RawWebSocket(canang.port, "/ws/slow?echo=false")
    canang.wait_members(2)
    sent = fill(
        canang,
        author,
        20_000,
        lambda: canang.metrics().closes() or canang.metrics()["canang_outbox_bytes"] > 500_000,
    )
    read_all(slow, sent, 20_000)
    assert canang.metrics().closes() == {}
    canang.wait_metric("canang_outbox_bytes", 0)
    slow.close()
    author.close()


def test_a_member_that_does_not_read_is_closed_when_its_grace_is_over(start_canang):
    canang = start_canang(slow_consumer_grace="500ms", outbox_limit="256KiB", **WITHOUT_RATES)
    slow = RawWebSocket(canang.port, "/ws/slow", receive_buffer=4096)
    author = RawWebSocket(canang.port, "/ws/slow?echo=false")
    canang.wait_members(2)
    fill(
        canang,
        author,
        20_000,
        lambda: canang.metrics().closes() or canang.metrics()["canang_outbox_bytes"] > 400_000,
    )
    wait_until(lambda: canang.metrics().closes() == {("1008", "slow_consumer"): 1}, "it is closed")
    slow.close()
    author.close()


def test_over_the_budget_the_largest_goes_and_a_slow_reader_stays(start_canang):
    limits = {"outbox_budget": "8MiB", "outbox_limit": "64MiB"}
    canang = start_canang(workers=1, ping_interval="1m", **limits, **WITHOUT_RATES)
    slow = RawWebSocket(canang.port, "/ws/slow", receive_buffer=4096)
    author = RawWebSocket(canang.port, "/ws/slow?echo=false")
    canang.wait_members(2)
    waiting = fill(canang, author, 60_000, lambda: held(canang) > MIB)

    hogs = [RawWebSocket(canang.port, f"/ws/{n}", receive_buffer=4096) for n in range(3)]
    flooders = [RawWebSocket(canang.port, f"/ws/{n}?echo=false") for n in range(3)]
    canang.wait_members(8)
    before = canang.metrics()["canang_publications_total"]
    highest = 0
    for n in range(400):
        for flooder in flooders:
            flooder.send_binary(bytes(60_000))
        wait_until(
            lambda n=n: canang.metrics()["canang_publications_total"] > before + 3 * n + 2,
            "published",
        )
        highest = max(highest, held(canang))
        if closed_over_budget(canang):
            break
    assert closed_over_budget(canang) == 1, "one is enough"
    assert highest <= 8 * MIB + 300_000
    canang.wait_members(7)
    read_all(slow, waiting, 60_000)
    author.send_binary(waiting.to_bytes(4, "big"))
    assert slow.read_data().payload == waiting.to_bytes(4, "big")
    canang.wait_log("outbox-budget")
    for client in (slow, author, *flooders, *hogs):
        client.close()


def test_what_a_whole_room_waits_for_counts_once_for_the_budget(start_canang):
    canang = start_canang(workers=1, outbox_budget="4MiB", outbox_limit="64MiB", **WITHOUT_RATES)
    members = [RawWebSocket(canang.port, "/ws/large", receive_buffer=4096) for _ in range(12)]
    author = RawWebSocket(canang.port, "/ws/large?echo=false")
    canang.wait_members(13)
    sent = fill(
        canang, author, 60_000, lambda: canang.metrics()["canang_outbox_bytes"] > 10 * MIB
    )
    assert held(canang) < 4 * MIB
    read_all(members[7], sent, 60_000)
    assert canang.metrics().closes() == {}
    for client in (author, *members):
        client.reset()


def test_unfinished_messages_count_for_the_budget(start_canang):
    canang = start_canang(
        workers=1, outbox_budget="8MiB", max_message_bytes="4MiB", **WITHOUT_RATES
    )
    member = RawWebSocket(canang.port, "/ws/calm")
    before = canang.rss_bytes()
    clients = [RawWebSocket(canang.port, f"/ws/{n}") for n in range(20)]
    for client in clients:
        with contextlib.suppress(Ended):
            client.send(frame_head(BINARY, 2 * MIB) + bytes(MIB))
    wait_until(lambda: closed_over_budget(canang) >= 10, "some are closed")
    wait_until(lambda: held(canang) <= 8 * MIB, "what is left is within the budget")
    assert canang.metrics()["canang_inbox_bytes"] > 3 * MIB, "not more than it must"
    if not sanitized():
        assert canang.rss_bytes() - before < 40 * MIB
    codes = {code for code, _ in canang.metrics().closes()}
    assert codes == {"1013"}
    member.send_text("undisturbed")
    assert member.read_data().payload == b"undisturbed"
    for client in (member, *clients):
        client.close()
    canang.wait_metric("canang_inbox_bytes", 0)


@pytest.mark.skipif(sanitized(), reason="judges memory")
def test_memory_over_its_limit_takes_from_the_budget(start_canang):
    other = start_canang(workers=1, **WITHOUT_RATES)
    used = other.metrics()["canang_memory_used_bytes"]
    if used > 2 * other.rss_bytes():
        pytest.skip("what counts here is the memory of a group with others in it")
    limit = int(used) + 16 * MIB
    canang = start_canang(
        workers=1,
        memory_limit=limit,
        outbox_budget="32MiB",
        outbox_limit="128MiB",
        **WITHOUT_RATES,
    )
    assert canang.metrics()["canang_outbox_budget_bytes"] == 32 * MIB
    hog = RawWebSocket(canang.port, "/ws/hog", receive_buffer=4096)
    author = RawWebSocket(canang.port, "/ws/hog?echo=false")
    canang.wait_members(2)
    fill(
        canang,
        author,
        60_000,
        lambda: closed_over_budget(canang) or canang.metrics()["canang_outbox_bytes"] > 28 * MIB,
    )
    wait_until(lambda: closed_over_budget(canang) == 1, "it is closed below the whole budget")
    assert canang.metrics()["canang_outbox_bytes"] == 0
    hog.close()
    author.close()


def test_the_budget_is_a_quarter_of_the_memory_limit_or_what_is_said(start_canang):
    budgets = [
        start_canang(**options).metrics()["canang_outbox_budget_bytes"]
        for options in ({"memory_limit": "64GiB"}, {"outbox_budget": "1MiB"}, {"outbox_budget": 0})
    ]
    assert budgets == [16384 * MIB, MIB, 0]
