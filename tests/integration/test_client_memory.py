"""What the server holds in memory for its clients is what it counts, and has a limit."""

import pytest

from support.canang_process import sanitized
from support.clients import close_all, open_client, receive
from support.raw_websocket import BINARY, RawWebSocket, frame_head
from support.waiting import wait_until

MIB = 1 << 20


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
    canang = start_canang(workers=1, history_size=4, history_bytes="64KiB")
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
    canang = start_canang(max_message_bytes="8MiB")  # the limit is 1 MiB
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
    canang = start_canang(env={"CANANG_SLOW_CONSUMER_GRACE": "20s"}, outbox_limit="256KiB")
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
    canang = start_canang(slow_consumer_grace="500ms", outbox_limit="256KiB")
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
