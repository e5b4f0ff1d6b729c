"""permessage-deflate (RFC 7692): what is agreed on, what goes over the wire, and what a bomb may cost."""

import asyncio
import json
import signal
import ssl
import time
import zlib

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from support.canang_process import WITHOUT_RATES, sanitized
from support.certificates import Authority
from support.clients import close_all, open_client, receive, receive_many
from support.raw_websocket import (
    BINARY,
    CONTINUATION,
    PING,
    TEXT,
    RawConnection,
    RawWebSocket,
    frame,
    request_head,
)
from support.waiting import wait_until

MIB = 1 << 20
RSV1 = 4
DEFLATE = "permessage-deflate"
TAKEN = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
LONG = json.dumps([{"id": n * 7919 % 10_007, "state": "open"} for n in range(100)])


def deflated(data, level=9):
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
    assert packed.endswith(b"\x00\x00\xff\xff")
    return packed[:-4]


def bomb(size):
    """A message of so many bytes, as a client sends it."""
    return frame(BINARY, deflated(b"\x00" * size), rsv=RSV1)


def packed_bytes(canang, direction):
    return canang.metrics().total("canang_compression_packed_bytes_total", direction=direction)


def plain_bytes(canang, direction):
    return canang.metrics().total("canang_compression_plain_bytes_total", direction=direction)


@pytest.fixture
def compressing(start_canang):
    return start_canang(compression="deflate")


@pytest.fixture
def witness(compressing):
    """A member of another room that must not notice anything."""
    with RawWebSocket(compressing.port, "/ws/witness") as client:
        yield client
        client.send_text("still here?")
        assert client.read_data().payload == b"still here?"


# -- what is agreed on ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "answer"),
    [
        (DEFLATE, TAKEN),
        ("permessage-deflate; client_max_window_bits", TAKEN),
        ("x, permessage-deflate; y, permessage-deflate", TAKEN),
        ("permessage-deflate; server_max_window_bits=10", TAKEN + "; server_max_window_bits=9"),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        ("x-webkit-deflate-frame", None),
    ],
)
def test_an_offer_is_taken_or_declined(compressing, offered, answer):
    with RawWebSocket(compressing.port, extensions=offered) as client:
        assert client.extensions == answer
        client.send_text("as it is")
        assert client.read_data().payload == b"as it is"


def test_a_malformed_list_of_extensions_is_refused_where_there_is_compression(compressing, witness):
    for offered in ("permessage-deflate; =1", "a b", 'a; b="'):
        with RawConnection(compressing.port) as connection:
            connection.send(request_head(Sec_WebSocket_Extensions=offered))
            assert connection.read_response().status == 400


def test_nothing_is_agreed_on_by_default(canang):
    with RawWebSocket(canang.port, extensions=DEFLATE) as client:
        assert client.extensions is None
        client.send(frame(TEXT, deflated(b"hello"), rsv=RSV1))
        client.expect_failed(1002)


# -- what goes over the wire ---------------------------------------------------------------------


def offering(**parameters):
    return {"extensions": [ClientPerMessageDeflateFactory(**parameters)]}


@pytest.fixture(params=["plain", "tls"])
def place(request, start_canang, tmp_path):
    """A server that compresses, its URL, and what a client needs to get there."""
    if request.param == "plain":
        canang = start_canang(compression="deflate", **WITHOUT_RATES)
        return canang, f"ws://127.0.0.1:{canang.port}", {}
    directory = tmp_path / "certificates"
    directory.mkdir()
    authority = Authority(directory)
    own = authority.certify("server")
    canang = start_canang(
        compression="deflate", tls_cert=own.certificate, tls_key=own.key, **WITHOUT_RATES
    )
    context: ssl.SSLContext = authority.client()
    return canang, f"wss://localhost:{canang.port}", {"ssl": context}


async def test_all_members_get_the_same_whatever_they_agreed_on(place):
    canang, url, options = place
    clients = [
        await open_client(f"{url}/ws/many", **options, **offered)
        for offered in (
            {"compression": "deflate"},
            offering(server_max_window_bits=15),
            offering(server_max_window_bits=9, client_max_window_bits=9),
            offering(server_no_context_takeover=True, client_no_context_takeover=True),
            {},
        )
    ]
    canang.wait_members(len(clients))
    assert [len(one.protocol.extensions) for one in clients] == [1, 1, 1, 1, 0]
    messages = [LONG, "short", "", "é€😀" * 300, bytes(range(256)) * 100, LONG * 10]
    for author in clients:
        for message in messages:
            await author.send(message)
        for client in clients:
            assert await receive_many(client, len(messages)) == messages
    assert plain_bytes(canang, "sent") > 3 * packed_bytes(canang, "sent") > 0
    assert plain_bytes(canang, "received") > 3 * packed_bytes(canang, "received") > 0
    await close_all(*clients)


async def test_a_message_is_compressed_once_for_all_members(start_canang):
    canang = start_canang(compression="deflate", workers=1)
    url = f"ws://127.0.0.1:{canang.port}/ws/many"
    clients = [await open_client(url, compression="deflate") for _ in range(20)]
    canang.wait_members(20)
    await clients[0].send(LONG)
    assert [await receive(client) for client in clients] == [LONG] * 20
    wait_until(lambda: plain_bytes(canang, "sent") == len(LONG), "once")
    assert packed_bytes(canang, "sent") < len(LONG) / 3
    await clients[0].send("x" * 255)  # a byte less than the default minimum
    await clients[0].send("x" * 256)
    for client in clients:
        assert await receive_many(client, 2) == ["x" * 255, "x" * 256]
    assert plain_bytes(canang, "sent") == len(LONG) + 256
    await close_all(*clients)


async def test_a_namespace_may_have_it_and_another_not_and_that_may_change(start_canang, tmp_path):
    config = tmp_path / "canang.toml"
    config.write_text('[namespaces.feed]\ncompression = "deflate"\ncompression-min-bytes = 10\n')
    canang = start_canang(config=str(config))
    url = f"ws://127.0.0.1:{canang.port}/ws/"
    feed = await open_client(url + "feed:1", compression="deflate")
    chat = await open_client(url + "chat:1", compression="deflate")
    assert feed.protocol.extensions and chat.protocol.extensions, "rooms may change"
    for client, expected in ((chat, 0), (feed, 100)):
        await client.send("y" * 100)
        assert await receive(client) == "y" * 100
        assert plain_bytes(canang, "sent") == expected
    config.write_text('[namespaces.chat]\ncompression = "deflate"\n')
    canang.process.send_signal(signal.SIGHUP)
    canang.wait_metric("canang_config_reloads_total", 1)

    async def sent_by(client):
        before = plain_bytes(canang, "sent")
        await client.send("z" * 300)
        assert await receive(client) == "z" * 300
        return plain_bytes(canang, "sent") - before

    deadline = time.monotonic() + 10
    while await sent_by(chat) == 0:
        assert time.monotonic() < deadline, "the new settings hold"
    assert await sent_by(feed) == 0
    await close_all(feed, chat)


async def test_a_turn_of_centrifugos_protocol_is_one_compressed_frame(compressing):
    url = f"ws://127.0.0.1:{compressing.port}/connection/websocket"
    client = await open_client(url, compression="deflate")
    await client.send('{"id":1,"connect":{}}')
    assert "connect" in json.loads(await receive(client))
    await client.send('{"id":2,"subscribe":{"channel":"news"}}')
    assert "subscribe" in json.loads(await receive(client))
    await client.send(json.dumps({"id": 3, "publish": {"channel": "news", "data": LONG}}))
    said = {}
    while not {"publish", "push"} <= said.keys():
        for line in (await receive(client)).splitlines():
            said |= json.loads(line)
    assert said["push"]["pub"]["data"] == LONG
    assert 0 < packed_bytes(compressing, "sent") < plain_bytes(compressing, "sent") / 3
    await client.close()


# -- what may cost -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(bomb(64 * 1024 + 1), 1009, id="a byte over the limit"),
        pytest.param(bomb(100 * MIB), 1009, id="a bomb"),
        pytest.param(frame(BINARY, b"no deflate data", rsv=RSV1), 1007, id="garbage"),
        pytest.param(frame(BINARY, deflated(LONG.encode())[:99], rsv=RSV1), 1007, id="cut short"),
        pytest.param(frame(TEXT, deflated(b"\xff"), rsv=RSV1), 1007, id="no text"),
        pytest.param(frame(PING, b"", rsv=RSV1), 1002, id="a compressed ping"),
        pytest.param(
            frame(TEXT, b"a", fin=False) + frame(CONTINUATION, deflated(b"b"), rsv=RSV1),
            1002,
            id="a compressed continuation",
        ),
        pytest.param(frame(TEXT, deflated(b"x"), rsv=RSV1 | 2), 1002, id="RSV2"),
    ],
)
def test_what_a_client_may_not_say_costs_itself_alone(compressing, witness, data, code):
    with RawWebSocket(compressing.port, extensions=DEFLATE) as client:
        client.send(data)
        client.expect_failed(code)


def test_a_message_of_the_limit_is_taken_in_any_pieces(compressing):
    size = 64 * 1024
    packed = deflated(b"\x00" * size)
    with RawWebSocket(compressing.port, extensions=DEFLATE) as author, RawWebSocket(
        compressing.port
    ) as reader:
        compressing.wait_members(2)
        author.send(frame(BINARY, packed[:1], rsv=RSV1, fin=False))
        for byte in packed[1:]:
            author.send(frame(CONTINUATION, bytes([byte]), fin=False))
        author.send(frame(CONTINUATION))
        got = reader.read_data()
        assert (got.opcode, got.payload) == (BINARY, b"\x00" * size)


@pytest.mark.skipif(sanitized(), reason="judges memory")
def test_bombs_take_no_memory(compressing, witness):
    data = bomb(200 * MIB)
    before = compressing.rss_bytes()
    for _ in range(20):
        with RawWebSocket(compressing.port, extensions=DEFLATE) as client:
            client.send(data)
            client.expect_failed(1009)
    assert compressing.rss_bytes() - before < 8 * MIB
    assert plain_bytes(compressing, "received") <= 20 * (64 * 1024 + 1)


def test_an_unfinished_bomb_counts_as_what_has_come(compressing):
    with RawWebSocket(compressing.port, extensions=DEFLATE) as client:
        client.send(frame(BINARY, deflated(b"\x00" * 60_000), rsv=RSV1, fin=False))
        client.send(frame(PING, b"there?"))
        assert client.read_frame().payload == b"there?"
        assert compressing.metrics()["canang_inbox_bytes"] < 1024
        assert plain_bytes(compressing, "received") == 0


def test_what_is_inflated_counts_for_the_rates(start_canang):
    """Two hundred messages of 64 KiB in 20 KB: their author is not read before its rate allows it."""
    canang = start_canang(compression="deflate")
    with RawWebSocket(canang.port, "/ws/busy?echo=false", extensions=DEFLATE) as author, RawWebSocket(
        canang.port, "/ws/other"
    ) as witness:
        canang.wait_members(2)
        began = time.monotonic()
        author.send(bomb(64 * 1024) * 200)
        while time.monotonic() < began + 2:
            asked = time.monotonic()
            witness.send_text("?")
            assert witness.read_data().payload == b"?"
            assert time.monotonic() - asked < 1
            taken = plain_bytes(canang, "received")
            allowed = (time.monotonic() - began + 0.5) * MIB * 1.05 + 2 * 64 * 1024
            assert taken <= allowed
        assert taken > MIB / 2, "it is read as far as it may"


async def test_a_fast_author_of_bombs_is_closed_for_its_rate(start_canang):
    canang = start_canang(compression="deflate", publish_bytes_rate="64KiB")
    url = f"ws://127.0.0.1:{canang.port}/ws/busy?echo=false"
    client = await open_client(url, compression="deflate")
    for _ in range(40):
        await client.send(b"\x00" * 64 * 1024)
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(client.recv(), 30)
    assert closed.value.rcvd.code == 1008
