"""Bad input after the upgrade. Each costs only the one that sent it."""

import contextlib
import random
import struct
import time

import pytest
from websockets.exceptions import ConnectionClosed

from support.canang_process import sanitized
from support.clients import open_client, receive
from support.raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Ended,
    Frame,
    RawWebSocket,
    close_frame,
    frame,
    frame_head,
)
from support.waiting import wait_until

KIB = 1024
MAX = 64 * KIB


@pytest.fixture
def witness(canang):
    """A member of the same room that must not notice anything."""
    with RawWebSocket(canang.port, "/ws/frames") as client:
        canang.wait_members(1)
        yield client
        canang.wait_metric("canang_connections", 1)
        canang.wait_members(1)
        client.send_text("still here?")
        while client.read_data() != Frame(TEXT, b"still here?"):
            pass  # what the sender said before its error


@pytest.fixture
def sender(canang, witness):
    with RawWebSocket(canang.port, "/ws/frames?echo=false") as client:
        canang.wait_members(2)
        yield client


PROTOCOL_ERRORS = [
    pytest.param(frame(TEXT, "x", mask=None), id="unmasked text"),
    pytest.param(frame(PING, "x", mask=None), id="unmasked ping"),
    pytest.param(frame(CLOSE, b"\x03\xe8", mask=None), id="unmasked close"),
    *(pytest.param(frame(TEXT, "x", rsv=bit), id=f"reserved bit {bit}") for bit in (1, 2, 4, 7)),
    pytest.param(frame(PING, "x", rsv=4), id="reserved bit on a ping"),
    pytest.param(
        frame(TEXT, "x", fin=False) + frame(CONTINUATION, "x", rsv=4), id="reserved bit later"
    ),
    *(
        pytest.param(frame(opcode, "x"), id=f"opcode {opcode:#x}")
        for opcode in (0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF)
    ),
    pytest.param(frame(CONTINUATION, "x"), id="continuation of nothing"),
    pytest.param(frame(CONTINUATION, "x", fin=False), id="unfinished continuation of nothing"),
    pytest.param(frame(TEXT, "x", fin=False) + frame(TEXT, "x"), id="text inside a message"),
    pytest.param(frame(TEXT, "x", fin=False) + frame(BINARY, "x"), id="binary inside a message"),
    pytest.param(
        frame(TEXT, "x", fin=False) + frame(CONTINUATION, "x") + frame(CONTINUATION, "x"),
        id="continuation after the end",
    ),
    pytest.param(frame_head(BINARY, 1 << 63, length_bits=64), id="length with the high bit"),
    pytest.param(frame_head(BINARY, (1 << 64) - 1, length_bits=64), id="length of all ones"),
    pytest.param(frame(BINARY, "x", length_bits=16), id="1 byte with a 16-bit length"),
    pytest.param(frame(BINARY, "x" * 125, length_bits=16), id="125 bytes with a 16-bit length"),
    pytest.param(frame(BINARY, "x" * 200, length_bits=64), id="200 bytes with a 64-bit length"),
    pytest.param(frame(PING, "x" * 126), id="ping of 126 bytes"),
    pytest.param(frame(PONG, "x" * 126), id="pong of 126 bytes"),
    pytest.param(frame(CLOSE, b"\x03\xe8" + b"x" * 124), id="close of 126 bytes"),
    pytest.param(frame_head(PING, 1 << 20), id="ping of 1 MiB"),
    pytest.param(frame(PING, "x", fin=False), id="fragmented ping"),
    pytest.param(frame(PONG, "x", fin=False), id="fragmented pong"),
    pytest.param(frame(CLOSE, b"\x03\xe8", fin=False), id="fragmented close"),
    pytest.param(frame(CLOSE, b"\x03"), id="close of 1 byte"),
    *(
        pytest.param(close_frame(code), id=f"close code {code}")
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    ),
]


@pytest.mark.parametrize("data", PROTOCOL_ERRORS)
def test_a_protocol_error_is_answered_with_1002(canang, sender, data):
    sender.send(data)
    sender.expect_failed(1002)
    wait_until(lambda: canang.metrics().closes() == {("1002", "protocol_error"): 1}, "counted once")


NOT_UTF8 = [
    pytest.param([b"\xff"], id="0xff"),
    pytest.param([b"fine until \x80"], id="lone continuation byte"),
    pytest.param([b"\xc0\xaf"], id="overlong 2"),
    pytest.param([b"\xe0\x80\xaf"], id="overlong 3"),
    pytest.param([b"\xed\xa0\x80"], id="surrogate"),
    pytest.param([b"\xf4\x90\x80\x80"], id="over U+10FFFF"),
    pytest.param([b"cut \xe2\x82"], id="cut off at the end"),
    pytest.param([b"a" * 5000 + b"\xff" + b"a" * 5000], id="in the middle of much"),
    pytest.param([b"\xe2", b"\x82", b"A"], id="broken over three fragments"),
    pytest.param([b"\xe2\x82", b"A"], id="broken over two fragments"),
    pytest.param([b"\xf0\x9d", b"\x84"], id="cut off over two fragments"),
    pytest.param([b"fine", b"", b"\xc3"], id="cut off in the last fragment"),
    pytest.param([b"cut \xc3", b""], id="cut off before an empty last fragment"),
    pytest.param([b"\xe2", b"\x82", b""], id="cut off in the middle before an empty last fragment"),
    pytest.param([b"\xed", b"\xa0\x80"], id="surrogate over two fragments"),
]


@pytest.mark.parametrize("parts", NOT_UTF8)
def test_text_that_is_not_utf8_is_answered_with_1007(canang, sender, parts):
    for n, part in enumerate(parts):
        last = n == len(parts) - 1
        sender.send(frame(CONTINUATION if n else TEXT, part, fin=last))
    sender.expect_failed(1007)
    wait_until(lambda: canang.metrics().closes() == {("1007", "bad_payload"): 1}, "counted once")


@pytest.mark.parametrize("cut", range(1, 10))
def test_utf8_may_be_split_anywhere(canang, witness, cut):
    data = "é€𝄞".encode()
    with RawWebSocket(canang.port, "/ws/frames?echo=false") as sender:
        canang.wait_members(2)
        sender.send(frame(TEXT, data[:cut], fin=False) + frame(CONTINUATION, data[cut:]))
        assert witness.read_data() == Frame(TEXT, data)


def test_binary_need_not_be_utf8(witness, sender):
    sender.send_binary(b"\xff\xfe\x80")
    assert witness.read_data() == Frame(BINARY, b"\xff\xfe\x80")


def test_a_close_reason_that_is_not_utf8_is_an_error(sender):
    sender.send(close_frame(1000, b"\xff\xfe"))
    assert sender.read_close().close_code in (1002, 1007)
    sender.expect_end()


def test_a_close_with_the_longest_reason_is_answered(sender):
    sender.send(close_frame(1000, "r" * 123))
    assert sender.read_close().close_code == 1000
    sender.expect_end()


@pytest.mark.parametrize("data", [frame(0x3, "x"), frame(TEXT, b"\xff"), frame_head(TEXT, MAX + 1)])
def test_nothing_that_follows_an_error_is_published(canang, witness, sender, data):
    sender.send(frame(TEXT, "before") + data + frame(TEXT, "ghost") * 5)
    sender.read_close()
    canang.wait_members(1)
    witness.send_text("marker")
    got = [witness.read_data().payload]
    while got[-1] != b"marker":
        got.append(witness.read_data().payload)
    assert b"ghost" not in got
    assert got[0] == b"before", "what came before the error was fine"


def test_an_unfinished_message_of_a_failed_connection_is_not_published(witness, sender, canang):
    sender.send(frame(TEXT, "half", fin=False) + frame(CONTINUATION, "more", rsv=1))
    sender.expect_failed(1002)
    canang.wait_members(1)
    witness.send_text("marker")
    assert witness.read_data().payload == b"marker"


# -- size --------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_message_of_just_the_limit_passes(witness, sender, opcode):
    sender.send(frame(opcode, b"x" * MAX))
    assert witness.read_data() == Frame(opcode, b"x" * MAX)


def test_fragments_of_just_the_limit_pass(witness, sender):
    sender.send(frame(BINARY, b"x" * (MAX // 2), fin=False))
    sender.send(frame(CONTINUATION, b"y" * (MAX // 2)))
    assert witness.read_data() == Frame(BINARY, b"x" * (MAX // 2) + b"y" * (MAX // 2))


@pytest.mark.parametrize(
    "length", [MAX + 1, 1 << 20, 1 << 31, 1 << 32, (1 << 62) + 5, (1 << 63) - 1]
)
def test_a_message_over_the_limit_is_refused_by_its_header_alone(canang, sender, length):
    before = canang.rss_bytes()
    sender.send(frame_head(BINARY, length))
    sender.expect_failed(1009)
    wait_until(lambda: canang.metrics().closes() == {("1009", "too_big"): 1}, "counted once")
    if not sanitized():
        assert canang.rss_bytes() - before < 8 << 20


@pytest.mark.parametrize("size", [MAX + 1, 300_000, 3_000_000])
async def test_a_proper_client_learns_that_its_message_was_too_big(canang, size):
    """The close frame must reach a client that is still sending: no reset over unread bytes."""
    for _ in range(5):
        client = await open_client(canang.url("/ws/big"))
        with contextlib.suppress(ConnectionClosed):  # while sending, or later
            await client.send(b"x" * size)
        with pytest.raises(ConnectionClosed) as closed:
            await receive(client)
        assert closed.value.rcvd is not None, "no close frame arrived"
        assert closed.value.rcvd.code == 1009
    canang.wait_metric("canang_connections", 0)


def test_fragments_that_grow_over_the_limit_are_refused(canang, sender):
    for n in range(4):
        sender.send(frame(CONTINUATION if n else BINARY, b"x" * (16 * KIB), fin=False))
    sender.send(frame_head(CONTINUATION, 1, fin=False))
    sender.expect_failed(1009)


def test_very_many_small_fragments_are_refused_over_the_limit(sender):
    sender.send(frame(TEXT, "x", fin=False))
    with contextlib.suppress(Ended):
        for _ in range(200):
            sender.send(frame(CONTINUATION, "x" * 100, fin=False) * 20)
    assert sender.read_close().close_code == 1009


def test_a_big_header_sent_by_many_costs_no_memory(canang):
    """Announcing a message of the limit may not cost the limit before it is sent."""
    clients = [RawWebSocket(canang.port, f"/ws/{n % 5}") for n in range(300)]
    canang.wait_members(300)
    before = canang.rss_bytes()
    for client in clients:
        client.send(frame_head(BINARY, MAX))
        client.send(b"x")
    canang.wait_metric("canang_connections", 300)
    if not sanitized():
        assert canang.rss_bytes() - before < 300 * MAX // 2
    for client in clients:
        client.close()
    canang.wait_metric("canang_connections", 0)


# -- floods ------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"p" * 125, b""], ids=["125 bytes", "empty"])
def test_a_ping_flood_from_a_client_that_never_reads_is_bounded(canang, witness, payload):
    before = canang.rss_bytes()
    flood = frame(PING, payload) * 1000
    with RawWebSocket(canang.port, "/ws/flood", receive_buffer=4096) as client:
        until = time.monotonic() + 4
        sent = 0
        while time.monotonic() < until and sent < 64 << 20:
            taken = client.send_what_fits(flood, 1)
            sent += taken
            if taken < len(flood):
                break
        grown = canang.rss_bytes() - before
    if not sanitized():
        assert grown < 16 << 20, f"{grown >> 10} KiB after {sent >> 10} KiB of pings"
    witness.send_text("alive")
    assert witness.read_data().payload == b"alive"


def test_pings_between_everything_are_all_answered_in_order(sender, witness):
    count = 300
    data = b"".join(frame(PING, str(n)) + frame(TEXT, f"t{n}") for n in range(count))
    sender.send(data)
    for n in range(count):
        assert sender.read_frame() == Frame(PONG, str(n).encode())
    for n in range(count):
        assert witness.read_data().payload == f"t{n}".encode()


def test_unasked_pongs_are_ignored(sender, witness):
    sender.send(frame(PONG, "never asked") * 100 + frame(PONG) + frame(TEXT, "after"))
    assert witness.read_data().payload == b"after"


@pytest.mark.timeout(90)
def test_random_bytes_after_the_handshake_end_only_their_sender(canang, witness):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(150):
        with RawWebSocket(canang.port, "/ws/garbage") as client:
            # Mostly legal beginnings: pure noise ends at its first bits.
            data = bytearray(dice.randbytes(dice.randrange(1, 300)))
            if dice.random() < 0.7:
                kind = dice.choice((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
                fin = dice.random() < 0.7
                data = bytearray(frame(kind, bytes(data[: dice.randrange(1, 125)]), fin=fin)) + data
            for _ in range(dice.randrange(3)):
                data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            with contextlib.suppress(Ended):
                client.send(bytes(data))
                client.finish_sending()
                client.read_to_end()
    canang.wait_metric("canang_connections", 1)


def test_a_close_code_is_answered_even_behind_a_flood_of_frames(canang, witness):
    with RawWebSocket(canang.port, "/ws/other") as client:
        client.send(frame(TEXT, "x") * 1000 + struct.pack(">BB", 0x88, 0x80) + b"\0\0\0\0")
        close = client.read_close()
        assert close.close_code in (None, 1000, 1005)
        client.expect_end()
