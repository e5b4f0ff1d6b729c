"""Crowds of connections that make no request, and what others notice of them: nothing."""

import time

import pytest

from support.canang_process import run_to_end, sanitized
from support.crowd import Crowd, allow_many_files
from support.raw_websocket import Ended, RawConnection, RawWebSocket, request_head
from support.waiting import wait_until

FILES = 400  # that the server may have open
CROWD = 600
PROMPTLY_S = 2.0
MOST_CLIENTS = 12_000  # that a few MiB of memory have room for, by far
KINDS = {
    "silent": {},
    "slow headers": {"first": b"GET /ws HTTP/1.1\r\nHost: x\r\nX: ", "drip": b"x"},
    "idle after a request": {"first": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
    "refused again and again": {"first": b"GET /ws/%zz HTTP/1.1\r\nHost: x\r\n\r\n"},
}


def is_answered_promptly(canang, path):
    began = time.monotonic()
    answer = canang.get_internal(path)
    return answer.status == 200 and time.monotonic() - began < PROMPTLY_S


def joins_and_hears_itself(canang):
    with RawWebSocket(canang.port, "/ws/honest") as client:
        client.send_text("hello")
        heard = client.read_data().payload == b"hello"
        client.close_normally()
        return heard


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_a_crowd_without_requests_keeps_nobody_out(start_canang, kind, workers):
    canang = start_canang(files=FILES, workers=workers)
    member = RawWebSocket(canang.port, "/ws/before")
    before = canang.descriptors()
    with Crowd(canang.port, CROWD, **KINDS[kind]) as crowd:
        wait_until(crowd.is_complete, "the crowd is there", 20)
        for _ in range(15):
            assert is_answered_promptly(canang, "/healthz")
            assert is_answered_promptly(canang, "/readyz")
            assert joins_and_hears_itself(canang)
            time.sleep(0.1)  # the crowd goes on
        seen = canang.metrics()
        member.send_text("still here")
        assert member.read_data().payload == b"still here"
        assert canang.descriptors() - before <= 64 * workers + 8, "its places are limited"
    assert seen["canang_accept_errors_total"] == 0
    assert seen.total("canang_http_connections", port="public") <= 64 * workers
    assert crowd.most <= 64 * workers + 50, "those that were closed know it"
    displaced = seen.total("canang_http_displaced_total", port="public")
    if kind != "refused again and again":  # they leave by themselves
        assert displaced >= CROWD - 64 * workers - 10
    if kind in ("silent", "slow headers"):
        crowded = seen.total("canang_handshakes_rejected_total", reason="crowded")
        assert displaced <= crowded <= displaced + 20, "it went on between the two"
    wait_until(lambda: canang.descriptors() <= before + 2, "nothing is left of it", 5)
    member.close()


def test_a_crowd_on_the_internal_port_takes_neither_probes_nor_clients_away(start_canang):
    canang = start_canang(files=FILES)
    with Crowd(canang.internal_port, 300) as crowd:
        wait_until(crowd.is_complete, "the crowd is there", 20)
        for _ in range(15):
            assert is_answered_promptly(canang, "/healthz")
            assert joins_and_hears_itself(canang)
            time.sleep(0.1)  # the crowd goes on
        seen = canang.metrics()
    assert seen.total("canang_http_connections", port="internal") <= 64
    assert seen.total("canang_http_displaced_total", port="internal") >= 200


def test_a_full_node_still_answers_and_no_client_takes_what_is_reserved(start_canang):
    """All places of WebSocket connections are taken, those of others too, and both ports answer."""
    canang = start_canang(files=FILES, workers=1)
    limit = int(canang.metrics()["canang_connections_limit"])
    assert 150 <= limit <= FILES - 64 - 64
    allow_many_files()
    members = [RawWebSocket(canang.port, "/ws/full") for _ in range(limit)]
    with Crowd(canang.port, CROWD) as crowd:
        wait_until(crowd.is_complete, "the crowd is there", 20)
        for _ in range(5):
            assert is_answered_promptly(canang, "/healthz")
            with RawConnection(canang.port) as late:
                late.send(request_head("/ws/full"))
                assert late.read_response().status == 503
        assert canang.descriptors() <= FILES - 64, "those of the internal port are free"
    members[0].send_text("to all")
    assert all(member.read_data().payload == b"to all" for member in members)
    for member in members:
        member.close()
    assert canang.metrics()["canang_accept_errors_total"] == 0


def test_more_connections_than_open_files_allow_are_cut_with_a_warning(start_canang):
    canang = start_canang(files=FILES, max_connections=100_000)
    limit = int(canang.metrics()["canang_connections_limit"])
    assert 0 < limit < FILES - 100
    [line] = canang.wait_log("--max-connections 100000")
    assert f"{limit} are taken" in line and str(FILES) in line
    unlimited = start_canang(files=FILES, max_connections=0)
    assert unlimited.metrics()["canang_connections_limit"] == limit


def test_too_few_open_files_are_one_line_and_nothing_starts():
    refused = run_to_end(
        ["--listen=127.0.0.1:0", "--internal-listen=127.0.0.1:0", "--workers=2"], files=100
    )
    assert refused.returncode == 1
    [line] = refused.stderr.splitlines()
    assert "limit of open files is 100" in line
    assert refused.stdout == ""


# -- one address ---------------------------------------------------------------------------------


def refused_for_address(canang):
    return canang.metrics().total("canang_handshakes_rejected_total", reason="address")


def answer_to(canang, source):
    """The status that a handshake from this address gets; None where it is just closed."""
    try:
        with RawConnection(canang.port, source=source) as client:
            client.send(request_head("/ws/r"))
            return client.read_response().status
    except (Ended, ConnectionResetError):  # the latter while it connects
        return None


@pytest.mark.parametrize("workers", [1, 2])
def test_an_address_has_so_many_connections_and_others_have_theirs(start_canang, workers):
    canang = start_canang(max_connections_per_ip=4, workers=workers)
    crowded = "127.0.0.2"
    members = [RawWebSocket(canang.port, "/ws/r", source=crowded) for _ in range(3)]
    silent = RawConnection(canang.port, source=crowded)  # counts from accept on
    wait_until(lambda: canang.metrics()["canang_accepted_total"] >= 4, "it is accepted")
    with RawConnection(canang.port, source=crowded) as told:
        wait_until(
            lambda: canang.metrics().total("canang_http_connections", port="public") == 2, "it too"
        )
        assert answer_to(canang, crowded) is None, "one more is not worth an answer"
        told.send(request_head("/ws/r"))
        answer = told.read_response()
    assert answer.status == 429
    assert answer.headers["retry-after"] == "1"
    assert b"address" in answer.body
    assert refused_for_address(canang) == 2
    others = [RawWebSocket(canang.port, "/ws/r", source=f"127.0.0.{n}") for n in (3, 4, 5)]
    assert canang.get("/").status == 200
    members[0].send_text("to all")
    assert all(member.read_data().payload == b"to all" for member in [*members, *others])
    silent.close()
    members.pop().close_normally()

    wait_until(lambda: answer_to(canang, crowded) == 101, "its places are free again")
    for member in [*members, *others]:
        member.reset()
    canang.wait_metric("canang_connections", 0)
    again = [RawWebSocket(canang.port, "/ws/r", source=crowded) for _ in range(4)]
    assert refused_for_address(canang) >= 2
    for member in again:
        member.close()


def test_without_that_limit_an_address_may_have_all(start_canang):
    canang = start_canang()
    members = [RawWebSocket(canang.port, "/ws/r") for _ in range(50)]
    assert refused_for_address(canang) == 0
    for member in members:
        member.close()


# -- memory --------------------------------------------------------------------------------------


def fill(canang):
    """Idle clients, each in a room of its own, until one is refused for lack of memory."""
    crowd = []
    while len(crowd) < MOST_CLIENTS:
        some = [RawConnection(canang.port) for _ in range(50)]
        crowd += some
        for n, client in enumerate(some):
            client.send(request_head(f"/ws/room-{len(crowd)}-{n}?user=u{n}"))
        if any(client.read_response().status == 503 for client in some):
            return crowd
    raise AssertionError(f"not full with {len(crowd)} clients")


@pytest.mark.skipif(sanitized(), reason="sanitizers have an allocator of their own")
@pytest.mark.parametrize("keeps", ["for a second", "for good"])
def test_a_node_that_was_full_of_clients_and_is_empty_takes_them_again(start_canang, keeps):
    """Also where the allocator keeps what was freed: it is free all the same."""
    allow_many_files()
    env = {"MALLOC_CONF": "dirty_decay_ms:-1"} if keeps == "for good" else None
    empty = start_canang(env=env, workers=1).metrics()
    if empty["canang_memory_limit_bytes"] != 0:
        pytest.skip("the memory of the whole control group counts here, other programs' too")
    if empty["canang_connections_limit"] < MOST_CLIENTS:
        pytest.skip("more open files are needed")
    limit = int(empty["canang_memory_used_bytes"]) + (8 << 20)
    canang = start_canang(env=env, workers=1, memory_limit=limit, max_rooms=0)
    for _ in range(2):
        crowd = fill(canang)
        assert canang.metrics()["canang_headroom_ratio"] < 0.05
        for client in crowd:
            client.close()

        def comes_in():
            with RawConnection(canang.port) as client:
                client.send(request_head("/ws/me"))
                return client.read_response().status == 101

        wait_until(comes_in, "it takes one again", 5)
    assert canang.metrics().total("canang_handshakes_rejected_total", reason="memory") >= 2
