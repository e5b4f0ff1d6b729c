"""The plain dialect: rooms, and what a member gets."""

import asyncio
import json
from urllib.parse import quote

import pytest

from support.clients import close_all, open_client, receive, receive_many, receive_up_to
from support.raw_websocket import (
    BINARY,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    RawConnection,
    RawWebSocket,
    frame,
    request_head,
)


async def test_a_message_reaches_every_member_and_the_sender_once(canang):
    clients = [await open_client(canang.url("/ws/tea")) for _ in range(5)]
    await canang.members_are(5)
    await clients[2].send("water boils")
    await clients[2].send("that was all")
    for client in clients:
        assert await receive_up_to(client, "that was all") == ["water boils"]
    await close_all(*clients)


async def test_ws_without_a_room_is_the_lobby(canang):
    plain = await open_client(canang.url("/ws"))
    named = await open_client(canang.url("/ws/lobby"))
    await canang.members_are(2)
    assert canang.metrics()["canang_rooms"] == 1
    await plain.send("from plain")
    assert await receive(named) == "from plain"
    await named.send("from named")
    assert await receive_many(plain, 2) == ["from plain", "from named"]
    await close_all(plain, named)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf%C3%A9", "caf%c3%a9"),
        ("a+b", "a%2Bb"),
        ("a%2Fb", "%61%2f%62"),
        ("100%25", "%31%30%30%25"),
        ("%E9%8A%85%E9%91%BC", "%e9%8a%85%e9%91%bc"),
        ("a%20b", "%61%20b"),
        ("q%3Fhistory%3D1", "q%3fhistory%3d1"),
    ],
)
async def test_room_names_are_percent_decoded(canang, one, other):
    first = await open_client(canang.url(f"/ws/{one}"))
    second = await open_client(canang.url(f"/ws/{other}"))
    await canang.members_are(2)
    assert canang.metrics()["canang_rooms"] == 1
    await first.send("same room?")
    assert await receive(second) == "same room?"
    await close_all(first, second)


async def test_a_plus_in_a_room_name_is_not_a_space(canang):
    plus = await open_client(canang.url("/ws/a+b"))
    space = await open_client(canang.url("/ws/a%20b"))
    await canang.members_are(2)
    assert canang.metrics()["canang_rooms"] == 2
    await close_all(plus, space)


def test_a_plus_in_a_query_is_a_space(canang):
    with RawWebSocket(canang.port, "/ws/kitchen?user=Ann+Lee%2B"):
        canang.wait_members(1)
        assert '"Ann Lee+"' in canang.get_internal("/rooms/kitchen/presence").text


@pytest.mark.parametrize(
    "name",
    ["x", "x" * 255, "é" * 127 + "x", "€" * 85, "𝄞" * 63 + "abc", "lobby ", "...", "../a", '"\\', "\u00a0"],
)
def test_names_of_1_to_255_bytes_of_utf8_are_rooms(canang, name):
    with RawWebSocket(canang.port, "/ws/" + quote(name, safe="")) as client:
        client.send_text("in")
        assert client.read_data() == Frame(TEXT, b"in")


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param("", id="empty"),
        pytest.param(".", id="dot, which no browser can name"),
        pytest.param("%2e%2E", id="two dots, which no browser can name"),
        pytest.param("x" * 256, id="256 bytes"),
        pytest.param("%C3%A9" * 128, id="256 bytes in 128 characters"),
        pytest.param("a%00b", id="NUL"),
        pytest.param("a%0Ab", id="line feed"),
        pytest.param("%1F", id="unit separator"),
        pytest.param("%7F", id="DEL"),
        pytest.param("%C2%85", id="C1 control"),
        pytest.param("%FF", id="not UTF-8"),
        pytest.param("%C3", id="UTF-8 cut off"),
        pytest.param("%C0%AF", id="overlong UTF-8"),
        pytest.param("%ED%A0%80", id="surrogate"),
        pytest.param("%F4%90%80%80", id="over U+10FFFF"),
        pytest.param("%", id="lone percent"),
        pytest.param("a%2", id="half an escape"),
        pytest.param("%zz", id="not hexadecimal"),
    ],
)
def test_a_bad_room_name_is_refused_with_400_that_says_what_is_allowed(canang, encoded):
    with RawConnection(canang.port) as client:
        client.send(request_head(f"/ws/{encoded}"))
        response = client.read_response()
    assert response.status == 400
    explanation = response.body.decode().lower()
    assert all(word in explanation for word in ("255", "utf-8", "control")), explanation
    assert canang.metrics()["canang_rooms"] == 0


SIZES = [0, 1, 125, 126, 127, 4095, 65535, 65536]


@pytest.mark.parametrize("size", SIZES)
async def test_binary_comes_byte_for_byte_with_its_type(canang, size):
    data = bytes(n * 131 % 256 for n in range(size))
    sender = await open_client(canang.url("/ws/bytes"))
    member = await open_client(canang.url("/ws/bytes"))
    await canang.members_are(2)
    await sender.send(data)
    assert await receive(member) == data
    assert await receive(sender) == data
    await close_all(sender, member)


@pytest.mark.parametrize("size", SIZES)
async def test_text_comes_byte_for_byte_with_its_type(canang, size):
    text = ("gong é€𝄞" * (size // 13 + 1)).encode()[:size].decode(errors="ignore")
    text += "." * (size - len(text.encode()))
    sender = await open_client(canang.url("/ws/text"))
    member = await open_client(canang.url("/ws/text"))
    await canang.members_are(2)
    await sender.send(text)
    assert await receive(member) == text
    assert await receive(sender) == text
    await close_all(sender, member)


async def test_json_comes_unchanged(canang):
    message = '{"type":1,  "body":"hi \\u00e9", "n":1.0e3,"type":2}\n'
    client = await open_client(canang.url("/ws/json"))
    await client.send(message)
    got = await receive(client)
    assert got == message
    assert json.loads(got)["type"] == 2
    await client.close()


async def test_text_and_binary_keep_their_type_when_mixed(canang):
    messages = ["a", b"a", "", b"", b"\x00\xff", "\x00", b"b", "b"]
    sender = await open_client(canang.url("/ws/mixed"))
    member = await open_client(canang.url("/ws/mixed"))
    await canang.members_are(2)
    for message in messages:
        await sender.send(message)
    assert await receive_many(member, len(messages)) == messages
    assert await receive_many(sender, len(messages)) == messages
    await close_all(sender, member)


async def test_with_echo_false_the_sender_gets_only_what_others_send(canang):
    quiet = await open_client(canang.url("/ws/echo?echo=false"))
    other = await open_client(canang.url("/ws/echo"))
    await canang.members_are(2)
    await quiet.send("mine 1")
    await quiet.send("mine 2")
    assert await receive_many(other, 2) == ["mine 1", "mine 2"]
    await other.send("theirs")
    assert await receive(quiet) == "theirs"
    assert await receive(other) == "theirs"
    await close_all(quiet, other)


async def test_echo_false_holds_in_a_burst_of_both(canang):
    quiet = await open_client(canang.url("/ws/burst?echo=false"))
    loud = await open_client(canang.url("/ws/burst?echo=true"))
    await canang.members_are(2)
    count = 500

    async def burst(client, name):
        for n in range(count):
            await client.send(f"{name} {n}")

    await asyncio.gather(burst(quiet, "quiet"), burst(loud, "loud"))
    assert await receive_many(quiet, count) == [f"loud {n}" for n in range(count)]
    everything = await receive_many(loud, 2 * count)
    assert [m for m in everything if m.startswith("loud")] == [f"loud {n}" for n in range(count)]
    assert [m for m in everything if m.startswith("quiet")] == [f"quiet {n}" for n in range(count)]
    canang.wait_metric("canang_deliveries_total", 3 * count)
    await close_all(quiet, loud)


def test_a_fragmented_message_is_delivered_whole(canang):
    with (
        RawWebSocket(canang.port, "/ws/frag") as sender,
        RawWebSocket(canang.port, "/ws/frag") as member,
    ):
        canang.wait_members(2)
        euro = "€".encode()
        sender.send(frame(TEXT, b"one " + euro[:1], fin=False))
        sender.send(frame(CONTINUATION, euro[1:], fin=False))
        sender.send(frame(PING, b"between"))
        assert sender.read_frame() == Frame(PONG, b"between")
        sender.send(frame(CONTINUATION, b"", fin=False))
        sender.send(frame(CONTINUATION, b" end"))
        whole = Frame(TEXT, "one € end".encode())
        assert member.read_data() == whole
        assert sender.read_data() == whole


def test_fragments_of_two_senders_do_not_mix(canang):
    with (
        RawWebSocket(canang.port, "/ws/frag") as left,
        RawWebSocket(canang.port, "/ws/frag") as right,
    ):
        canang.wait_members(2)
        left.send(frame(BINARY, b"left-", fin=False))
        right.send(frame(TEXT, b"right-", fin=False))
        left.send(frame(CONTINUATION, b"left"))
        assert left.read_data() == right.read_data() == Frame(BINARY, b"left-left")
        right.send(frame(CONTINUATION, b"right"))
        assert left.read_data() == right.read_data() == Frame(TEXT, b"right-right")


def test_a_frame_right_behind_the_handshake_is_not_lost(canang):
    for _ in range(20):
        with RawWebSocket(
            canang.port, "/ws/eager", right_behind=frame(TEXT, "eager") + frame(BINARY, b"too")
        ) as client:
            assert client.read_data() == Frame(TEXT, b"eager")
            assert client.read_data() == Frame(BINARY, b"too")
        canang.wait_members(0)


def test_half_a_frame_behind_the_handshake_waits_for_its_rest(canang):
    whole = frame(TEXT, "two parts")
    with RawWebSocket(canang.port, "/ws/eager", right_behind=whole[:9]) as client:
        client.send(whole[9:])
        assert client.read_data() == Frame(TEXT, b"two parts")


def test_a_message_sent_byte_by_byte_arrives(canang):
    with RawWebSocket(canang.port, "/ws/slow") as client:
        for byte in frame(TEXT, "drip"):
            client.send(bytes([byte]))
        assert client.read_data() == Frame(TEXT, b"drip")


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(125))])
def test_a_ping_is_answered_with_its_payload(canang, payload):
    with RawWebSocket(canang.port) as client:
        client.send(frame(PING, payload))
        assert client.read_frame() == Frame(PONG, payload)


async def test_rooms_are_isolated(canang):
    names = [f"room-{n}" for n in range(10)] + ["Room-0", "room-0 ", "room-", "room-00", "lobby"]
    rooms = {
        name: [await open_client(canang.url(f"/ws/{quote(name)}")) for _ in range(3)]
        for name in names
    }
    await canang.members_are(3 * len(names))
    assert canang.metrics()["canang_rooms"] == len(names)
    count = 20

    async def talk(name):
        for n in range(count):
            await rooms[name][n % 3].send(f"{name}:{n}")

    await asyncio.gather(*(talk(name) for name in names))
    for name, members in rooms.items():
        for member in members:
            got = await receive_many(member, count)
            assert sorted(got) == sorted(f"{name}:{n}" for n in range(count))
    canang.wait_metric("canang_publications_total", count * len(names))
    canang.wait_metric("canang_deliveries_total", 3 * count * len(names))
    await close_all(*(client for members in rooms.values() for client in members))


@pytest.mark.parametrize("workers", [1, 2, 4])
async def test_all_members_see_one_order_under_concurrent_publishers(start_canang, workers):
    canang = start_canang(workers=workers)
    publishers, each, listeners = 8, 150, 6
    clients = [await open_client(canang.url("/ws/order")) for _ in range(publishers + listeners)]
    await canang.members_are(len(clients))

    async def publish(number):
        for n in range(each):
            await clients[number].send(f"{number}:{n}")

    _, *seen = await asyncio.gather(
        asyncio.gather(*(publish(number) for number in range(publishers))),
        *(receive_many(client, publishers * each) for client in clients),
    )
    for other in seen[1:]:
        assert other == seen[0], "two members saw different orders"
    for number in range(publishers):
        own = [message for message in seen[0] if message.startswith(f"{number}:")]
        assert own == [f"{number}:{n}" for n in range(each)]
    await close_all(*clients)


async def test_members_on_all_loops_get_everything(start_canang):
    canang = start_canang(workers=3)
    rooms = {
        number: [await open_client(canang.url(f"/ws/spread-{number}")) for _ in range(8)]
        for number in range(12)
    }
    await canang.members_are(96)
    assert canang.metrics()["canang_rooms"] == 12
    for number, members in rooms.items():
        for n, member in enumerate(members):
            await member.send(f"{number}/{n}")
    for number, members in rooms.items():
        expected = sorted(f"{number}/{n}" for n in range(8))
        orders = [await receive_many(member, 8) for member in members]
        assert sorted(orders[0]) == expected
        assert all(order == orders[0] for order in orders)
    await close_all(*(client for members in rooms.values() for client in members))


def test_each_worker_has_a_listening_socket_and_a_thread(start_canang):
    def listeners(server):
        wanted = f":{server.port:04X}"
        with open(f"/proc/{server.pid}/net/tcp") as table:
            rows = [line.split() for line in table][1:]
        return sum(row[1].endswith(wanted) and row[3] == "0A" for row in rows)

    one, three = start_canang(workers=1), start_canang(workers=3)
    assert listeners(one) == 1
    assert listeners(three) == 3
    assert three.threads() - one.threads() >= 2


async def test_a_member_that_came_later_gets_nothing_from_before(canang):
    early = await open_client(canang.url("/ws/late"))
    await early.send("before")
    assert await receive(early) == "before"
    late = await open_client(canang.url("/ws/late"))
    await late.send("after")
    assert await receive(late) == "after"
    await close_all(early, late)
