"""`canang_memory_bytes` agrees with the resident memory, whatever it is that takes it."""

import resource
import time

import pytest

from support.canang_process import sanitized
from support.raw_websocket import TEXT, RawConnection, RawWebSocket, frame, request_head
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(sanitized(), reason="judges memory")

MIB = 1 << 20
OFF_BY_AT_MOST = 0.2


@pytest.fixture(autouse=True)
def many_files():
    """As many sockets as may be, for the test and the server that it starts."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Figures:
    """Resident memory and what is counted of it, once both stand still."""

    def __init__(self, canang):
        seen = []

        def stands_still():
            seen.append((canang.rss_bytes(), canang.metrics().total("canang_memory_bytes")))
            time.sleep(0.4)  # counted once a second; the allocator gives back within two
            last = seen[-6:]
            rss = [figure[0] for figure in last]
            return (
                len(last) == 6
                and len({figure[1] for figure in last}) == 1
                and max(rss) - min(rss) < MIB
            )

        wait_until(stands_still, "memory stands still", 20)
        self.rss, self.counted = seen[-1]


def check(canang, before, what):
    after = Figures(canang)
    rss, counted = after.rss - before.rss, after.counted - before.counted
    owners = {
        labels["owner"]: f"{value / MIB:.1f}"
        for labels, value in canang.metrics().samples("canang_memory_bytes")
    }
    print(f"{what}: resident +{rss / MIB:.1f} MiB, counted +{counted / MIB:.1f} MiB {owners}")
    assert rss > 4 * MIB, "too little to tell"
    assert abs(counted - rss) <= OFF_BY_AT_MOST * rss


def start(start_canang, **options):
    """A server that has served somebody: what it allocates once is there."""
    canang = start_canang(history_budget=0, max_rooms=0, room_linger="0s", **options)
    for n in range(8):
        publish(canang, f"warm{n}", [b"x" * 5000] * 4)
    canang.wait_metric("canang_rooms", 0)
    return canang, Figures(canang)


def publish(canang, room, messages):
    with RawWebSocket(canang.port, f"/ws/{room}?echo=false") as author:
        author.send(b"".join(frame(TEXT, message) for message in messages))
        author.close_normally()


def join_many(canang, paths):
    """A connection for each path, all of them members."""
    crowd = []
    for at in range(0, len(paths), 100):
        arriving = [RawConnection(canang.port) for _ in paths[at : at + 100]]
        for client, path in zip(arriving, paths[at : at + 100], strict=True):
            client.send(request_head(path))
        for client in arriving:
            assert client.read_response().status == 101
        crowd += arriving
    canang.wait_members(len(paths), timeout=20)
    return crowd


def leave(crowd):
    for client in crowd:
        client.close()


@pytest.mark.parametrize("name", ["short{}", "long" + "x" * 100 + "{}"])
def test_of_many_rooms_with_a_member_each(start_canang, name):
    canang, before = start(start_canang)
    crowd = join_many(canang, [f"/ws/{name.format(n)}?user=user{n}" for n in range(6000)])
    check(canang, before, "6,000 rooms with a member each")
    leave(crowd)


@pytest.mark.parametrize(
    ("rooms", "count", "size"), [(800, 128, 0), (800, 128, 100), (8000, 1, 30), (100, 8, 60_000)]
)
def test_of_histories(start_canang, rooms, count, size):
    canang, before = start(start_canang)
    for n in range(rooms):
        publish(canang, f"room{n}", [b"x" * size] * count)
    canang.wait_metric("canang_rooms", 0, timeout=20)
    check(canang, before, f"{rooms} rooms with {count} messages of {size} bytes each")


@pytest.mark.parametrize(("name", "rooms", "count"), [("r{}", 8, 3000), ("x" * 20 + "{}", 128, 200)])
def test_of_streams_of_several_rooms(start_canang, name, rooms, count):
    canang, before = start(start_canang)
    path = "/sse?" + "&".join(f"room={name.format(n)}" for n in range(rooms))
    crowd = []
    for _ in range(count):
        crowd.append(RawConnection(canang.port))
        crowd[-1].send(request_head(path))
    canang.wait_members(count * rooms, timeout=20)
    check(canang, before, f"{count} streams of {rooms} rooms each")
    leave(crowd)


def test_of_idle_connections_in_one_room(start_canang):
    canang, before = start(start_canang)
    crowd = join_many(canang, ["/ws/crowd"] * 6000)
    check(canang, before, "6,000 idle connections")
    leave(crowd)
