"""Attacks on the node's time and descriptors, by coming and going."""

from __future__ import annotations

import json
import struct
from urllib.parse import quote

from herd import Herd
from wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    GOODBYE,
    PING,
    TEXT,
    Pace,
    Target,
    frame,
    frame_head,
    request,
    reset,
)

# -- those that say nothing, or hardly anything ----------------------------------------------------

SILENT = 2500
SLOW = 2  # which of the openings goes on, a byte at a time
DRIPS_A_TICK = 40


def silent_connections(target: Target) -> None:
    """Nothing, half a request, a page and then nothing; and headers that come a byte at a time."""
    openings = [
        b"",
        b"GET /ws/lobby HT",
        request("/ws/lobby")[:-2] + b"X-Slow: ",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]
    herd = Herd(target, SILENT, lambda n: openings[n % len(openings)], 2000)
    while True:
        herd.tend()
        slow = [held for held in herd if held.number % len(openings) == SLOW]
        for held in target.chance.sample(slow, min(len(slow), DRIPS_A_TICK)):
            target.say(held.socket, b"x")
        target.rest(0.02)


# -- what is no request, and no frame --------------------------------------------------------------

VISITORS = 100
BAD_REQUESTS = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    b"PUT /ws/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
    b"GET /ws/x HTTP/1.1\r\n" + b"A: b\r\n" * 4000 + b"\r\n",
    b"GET /" + b"%" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /ws/%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50,
    request("/ws/x", "Sec-WebSocket-Key: another"),
    request("/ws/x", "Host: another"),
    request("/ws/x?since=nothing"),
    request("/ws/x", "Sec-WebSocket-Protocol: " + ",".join("abcdefghijklmnopqrstuvwxyz" * 2)),
]
BAD_FRAMES = [
    b"\x81\x05hello",  # not masked
    b"\xf1\x80\0\0\0\0",  # reserved bits
    frame(0x3),
    frame(0xB),
    frame(PING, bytes(126)),
    frame(PING, b"x", fin=False),
    frame(CONTINUATION, b"x"),
    frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"),
    frame(TEXT, b"\xff\xfe"),
    frame(CLOSE, b"\x03"),
    frame(CLOSE, struct.pack(">H", 1006)),
    frame_head(BINARY, 1 << 62),
    frame_head(BINARY, 65_537),
    b"\x82\xff" + struct.pack(">Q", 1 << 63) + bytes(4),
    b"\x82\xfe\x00\x05\0\0\0\0hello",  # the long form of a short length
]


def garbage(target: Target) -> None:
    """Whatever should not come; some at random."""
    good = request("/ws/lobby")

    def opening(n: int) -> bytes:
        if n % 3 == 0:
            return target.chance.randbytes(target.chance.randrange(1, 2000))
        if n % 3 == 1:
            return BAD_REQUESTS[n // 3 % len(BAD_REQUESTS)]
        return good + BAD_FRAMES[n // 3 % len(BAD_FRAMES)]

    herd = Herd(target, VISITORS, opening, 800, lifetime_s=0.5)
    while True:
        herd.tend()
        target.rest(0.005)


# -- coming and going ------------------------------------------------------------------------------


def storm(target: Target) -> None:
    """Connections that end at once, at every moment of their opening, in every way."""
    asks = [request(f"/ws/{target.new_name()}") for _ in range(10)]
    pace, n = Pace(1500), 0
    while True:
        for _ in range(pace.due()):
            n += 1
            s = target.connect()
            if s is None:
                continue
            said = [b"", b"GET ", asks[n % 10], asks[n % 10] + frame(TEXT, b"hello")][n // 2 % 4]
            if said:
                target.say(s, said)
            if n % 2:
                reset(s)
            else:
                s.close()
        target.rest(0.005)


# -- names -----------------------------------------------------------------------------------------

# Halves of names that a hash without a key, the usual library's std::hash, gives the same value.
HALVES = (b"\xcd\x94z^\xc6\x81\xca\xad".decode(), b"\xcd\x947xagr<".decode())
BITS = 14


def colliding_names(target: Target) -> None:
    """Rooms and users with names made up to collide; others as long as a name may be."""

    def colliding(n: int) -> str:
        return "".join(2 * HALVES[n >> bit & 1] for bit in range(BITS))

    def opening(n: int) -> bytes:
        if n % 4 == 0:
            room = target.new_name().ljust(127, "\x7e") * 2
            return request(f"/ws/{room[:255]}?user={'u' * 255}") + GOODBYE
        name = quote(colliding(target.chance.getrandbits(BITS)))
        return request(f"/ws/{name}?user={name}&history=1") + frame(TEXT, b"x") + GOODBYE

    herd = Herd(target, VISITORS, opening, 800, lifetime_s=2.0)
    while True:
        herd.tend()
        target.rest(0.005)


# -- positions -------------------------------------------------------------------------------------

RETURNERS = 500
HONEST_ROOMS = 50  # load-0 and so on
EPOCH_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def made_up_positions(target: Target) -> None:
    """Into the rooms of the honest, each time as if it had missed something."""

    def opening(n: int) -> bytes:
        epoch = "".join(target.chance.choices(EPOCH_LETTERS, k=10))
        offset = target.chance.choice([0, 1, 7, 10**6, 2**53])
        return request(f"/ws/load-{n % HONEST_ROOMS}?since={epoch}:{offset}") + GOODBYE

    herd = Herd(target, RETURNERS, opening, 600, lifetime_s=3.0)
    while True:
        herd.tend()
        target.rest(0.005)


# -- sessions --------------------------------------------------------------------------------------

SPEAKERS = 200
HEXADECIMAL = "0123456789abcdef"
LARGEST_SAID = 60_000


def made_up_sessions(target: Target) -> None:
    """What is said in requests of its own, to sessions that never were: of this node, and of others that never were."""

    def opening(n: int) -> bytes:
        node = "".join(target.chance.choices(EPOCH_LETTERS, k=10))
        session = "".join(target.chance.choices(HEXADECIMAL, k=32)) + str(n % 3)
        data = "x" * target.chance.choice([2, 2, 2, 1000, LARGEST_SAID])
        body = json.dumps({"node": node, "session": session, "data": data})
        head = f"POST /emulation HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        return (head + body).encode()

    herd = Herd(target, SPEAKERS, opening, 600, lifetime_s=1.0)
    while True:
        herd.tend()
        target.rest(0.005)
