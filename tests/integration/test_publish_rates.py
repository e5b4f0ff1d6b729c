"""How much a client may publish, and a room: who is over it is read later, and closed when it goes on."""

import contextlib
import select
import threading
import time

import pytest

from support.canang_process import CanangProcess
from support.raw_websocket import BINARY, CLOSE, PING, PONG, Ended, RawWebSocket, frame
from support.waiting import wait_until

# All a quarter of the defaults, to be light for a machine that is busy.
RATE = 256 << 10
QUARTER = {"publish_bytes_rate": RATE, "outbox_limit": "256KiB"}
MEMBER_BYTES_A_SECOND = 625_000  # where it is 20 Mbit/s by default
SIZE = 16384
LARGE = frame(BINARY, b"z" * SIZE)
OVERUSE_S = 10.0  # after so long on end a client is closed
TOLERANCE = 1.05


class Member:
    """Reads at a pace of its own in a thread, until the test is over."""

    def __init__(self, canang: CanangProcess, path: str) -> None:
        self.socket = RawWebSocket(canang.port, path, receive_buffer=16384)
        self.bytes = 0
        self.ended = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._over.is_set():
            try:
                got = self.socket.read_frame(1)
            except TimeoutError:
                continue
            except Ended as end:
                self.ended = str(end)
                return
            if got.opcode == CLOSE:
                self.ended = f"{got.close_code} {got.close_reason}"
                return
            if got.opcode == PING:
                self.socket.send(frame(PONG, got.payload))
                continue
            self.bytes += len(got.payload)
            self._over.wait(len(got.payload) / MEMBER_BYTES_A_SECOND)

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()
        self.socket.close()


class Flooder(RawWebSocket):
    """Sends the same frames over and over, as fast as they are taken, and forgets what it gets."""

    def __init__(self, canang: CanangProcess, path: str, data: bytes) -> None:
        super().__init__(canang.port, path)
        self._data = memoryview(data)
        self._at = 0
        self.last = b""  # of what it got

    def push(self, seconds: float) -> float:
        """The time until the connection ended, or it was over."""
        began = time.monotonic()
        self.socket.setblocking(False)
        while (passed := time.monotonic() - began) < seconds:
            readable, writable, _ = select.select([self.socket], [self.socket], [], 0.1)
            try:
                if readable:
                    got = self.socket.recv(1 << 20)
                    if not got:
                        break
                    self.last = (self.last + got)[-100:]
                if writable:
                    sent = self.socket.send(self._data[self._at :])
                    self._at = (self._at + sent) % len(self._data)
            except BlockingIOError:
                continue
            except OSError:
                break
        return passed


@pytest.mark.timeout(90)
def test_a_flood_reaches_slow_members_at_its_rate_and_is_closed_when_it_goes_on(start_canang):
    canang = start_canang(workers=1, **QUARTER)
    with contextlib.ExitStack() as stack:
        members = [stack.enter_context(Member(canang, "/ws/flooded")) for _ in range(20)]
        canang.wait_members(20)
        with Flooder(canang, "/ws/flooded?echo=false", LARGE) as flooder:
            canang.wait_members(21)
            held = flooder.push(4)
            assert held >= 4, "closed, though it may have been a burst"
            taken = canang.metrics()["canang_publications_total"] * SIZE
            allowed = (0.5 + 4 * TOLERANCE) * RATE
            assert 0.7 * allowed < taken < 1.2 * allowed
            took = held + flooder.push(OVERUSE_S)
            assert OVERUSE_S - 2 < took < OVERUSE_S + 3
            wait_until(lambda: canang.metrics().closes(), "it is counted")
            assert canang.metrics().closes() == {("1008", "rate_limited"): 1}
            assert flooder.last == b"\x88\x0e\x03\xf0publish rate", "it is told"
        published = canang.metrics()["canang_publications_total"] * SIZE
        wait_until(
            lambda: all(member.bytes == published for member in members),
            "every member has all that was published",
            20,
        )
        assert [member.ended for member in members] == [""] * 20


@pytest.mark.timeout(60)
def test_a_client_that_sends_at_its_rate_stays(start_canang):
    canang = start_canang(publish_rate=200)
    with RawWebSocket(canang.port, "/ws/steady?echo=false") as steady:
        began = time.monotonic()
        sent = 0
        while (passed := time.monotonic() - began) < OVERUSE_S + 4:
            due = int(200 * (1 + passed))  # a burst of a second's worth first
            steady.send(frame(BINARY, b"x") * (due - sent))
            sent = due
            time.sleep(0.02)  # its rhythm, not a wait
        wait_until(
            lambda: canang.metrics()["canang_publications_total"] == sent, "all is published"
        )
        assert canang.metrics().closes() == {}


@pytest.mark.timeout(60)
def test_a_flood_of_pings_is_read_later_and_closed_when_it_goes_on(start_canang):
    canang = start_canang(publish_rate=1000)
    with Flooder(canang, "/ws/pings", frame(PING, b"p" * 100) * 100) as flooder:
        before = canang.metrics()["canang_received_bytes_total"]
        flooder.push(3)
        read = canang.metrics()["canang_received_bytes_total"] - before
        assert read < 3.6 * TOLERANCE * 1000 * 106 + (1 << 18), "read faster than it may send"
        flooder.push(OVERUSE_S)
        wait_until(
            lambda: canang.metrics().closes() == {("1008", "rate_limited"): 1}, "it is closed"
        )


def test_a_rate_of_0_is_no_limit(start_canang):
    off = {"publish_rate": 0, "publish_bytes_rate": 0, "room_publish_rate": 0}
    canang = start_canang(**off, room_publish_bytes_rate=0)
    with RawWebSocket(canang.port, "/ws/free?echo=false") as free:
        began = time.monotonic()
        for _ in range(20):
            free.send(frame(BINARY, b"x") * 1000)
        for _ in range(640):
            free.send(LARGE)
        wait_until(lambda: canang.metrics()["canang_publications_total"] == 20_640, "all is taken")
        assert time.monotonic() - began < 8, "20 s at the default rates"
        assert canang.metrics().closes() == {}


@pytest.mark.timeout(90)
def test_many_who_keep_to_their_rate_are_held_to_the_rooms_together(start_canang):
    """Two publishers of three quarters of the room's rate each: members get no more than that."""
    rates = {"publish_bytes_rate": RATE * 3 // 4, "room_publish_bytes_rate": RATE}
    canang = start_canang(workers=2, **rates)
    with contextlib.ExitStack() as stack:
        members = [stack.enter_context(Member(canang, "/ws/busy")) for _ in range(4)]
        publishers = [
            stack.enter_context(Flooder(canang, "/ws/busy?echo=false", LARGE)) for _ in range(2)
        ]
        canang.wait_members(6)
        began = time.monotonic()
        threads = [threading.Thread(target=one.push, args=(6,)) for one in publishers]
        for thread in threads:
            thread.start()
        most = 0
        while any(thread.is_alive() for thread in threads):
            most = max(most, canang.metrics()["canang_room_waiting_bytes"])
            time.sleep(0.1)
        passed = time.monotonic() - began
        taken = canang.metrics()["canang_publications_total"] * SIZE
        allowed = (0.5 + passed * TOLERANCE) * RATE
        assert 0.6 * allowed < taken < 1.2 * allowed
        assert 0 < most < 2 * 1.1 * (1 << 20), "what clients may have unanswered"
        assert canang.metrics().closes() == {}
        wait_until(
            lambda: canang.metrics()["canang_room_waiting_bytes"] == 0, "all is published", 20
        )
        assert [member.ended for member in members] == [""] * 4
