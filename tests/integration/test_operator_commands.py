"""`canang health`, `canang drain`, and `POST /drain`, which they are for."""

import asyncio
import signal

import pytest

from support.canang_process import http_request, run_to_end
from support.clients import open_client
from support.raw_websocket import RawConnection, RawWebSocket
from support.waiting import wait_until


def internal_url(canang, path=""):
    return f"http://127.0.0.1:{canang.internal_port}{path}"


def test_health_says_whether_a_node_is_ready_and_alive(canang):
    ready = run_to_end(["health", internal_url(canang)])
    assert (ready.returncode, ready.stdout) == (0, '{"ready":true}\n')
    alive = run_to_end(["health", internal_url(canang, "/healthz")])
    assert (alive.returncode, alive.stdout) == (0, '{"healthy":true}\n')


def test_health_finds_the_node_of_its_own_configuration(start_canang):
    canang = start_canang(internal_listen="0.0.0.0:0")
    env = {"CANANG_INTERNAL_LISTEN": f"0.0.0.0:{canang.internal_port}"}
    assert run_to_end(["health"], env=env).returncode == 0


def test_health_of_an_unready_node_is_1_with_the_reason(start_canang):
    canang = start_canang(drain_grace="30s")
    canang.signal(signal.SIGTERM)
    wait_until(lambda: canang.get_internal("/readyz").status == 503, "unready")
    asked = run_to_end(["health", internal_url(canang)])
    assert (asked.returncode, asked.stdout) == (1, '{"ready":false,"reason":"draining"}\n')
    canang.signal(signal.SIGTERM)
    canang.wait_exit(2)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "not a url", "https://127.0.0.1:9000", "http://no.such.host.:9"]
)
@pytest.mark.parametrize("command", ["health", "drain"])
def test_who_cannot_be_asked_is_one_line_and_1(command, url):
    asked = run_to_end([command, url])
    assert asked.returncode == 1
    assert asked.stdout == ""
    assert asked.stderr.count("\n") == 1 and url in asked.stderr


def test_something_that_answers_nothing_is_given_up():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = run_to_end(["health", f"http://127.0.0.1:{silent.getsockname()[1]}"], timeout=8)
        assert asked.returncode == 1 and asked.stderr.count("\n") == 1


async def test_drain_does_what_sigterm_does(start_canang):
    canang = start_canang(drain_grace="1s")
    client = await open_client(canang.url("/ws/room"))
    await canang.members_are(1)
    ordered = await asyncio.to_thread(run_to_end, ["drain", internal_url(canang)])
    assert (ordered.returncode, ordered.stdout) == (0, '{"draining":true,"connections":1}\n')
    assert canang.get_internal("/readyz").status == 503
    assert canang.metrics()["canang_draining"] == 1
    newcomer = await open_client(canang.url("/ws/room"))  # the grace serves as before
    await client.send("still here")
    assert await asyncio.wait_for(newcomer.recv(), 2) == "still here"
    for leaving in (client, newcomer):
        await asyncio.wait_for(leaving.wait_closed(), 5)
        assert leaving.close_code == 1012
    assert await asyncio.to_thread(canang.wait_exit, 5) == 0


def test_a_second_order_changes_nothing(start_canang):
    canang = start_canang(drain_period="3s")
    with RawWebSocket(canang.port) as holdout:
        canang.wait_members(1)
        for _ in range(3):
            assert canang.get_internal("/drain", "POST").status == 202
        holdout.read_close()
        canang.signal(signal.SIGTERM)  # of whoever stops the process afterwards: no second signal
        assert canang.wait_exit(5) == 0


def test_drain_is_a_post_and_not_for_web_pages(canang):
    asked = canang.get_internal("/drain")
    assert asked.status == 405 and asked.headers["allow"] == "POST"
    headers = {"Origin": "http://example.org"}
    answer = http_request(canang.internal_port, "/drain", "POST", headers)
    assert answer.status == 403
    assert canang.get("/drain", "POST").status == 405, "the public port knows no such thing"
    assert canang.get_internal("/readyz").status == 200


def test_ctrl_c_waits_for_no_balancer(start_canang):
    canang = start_canang(drain_grace="30s")
    canang.signal(signal.SIGINT)
    assert canang.wait_exit(3) == 0


def test_a_scrape_during_a_drain_tells_how_far_it_is(start_canang):
    canang = start_canang(drain_period="3s", close_timeout="10s")
    holdouts = [RawConnection(canang.port) for _ in range(3)]
    members = [RawWebSocket(canang.port, "/ws/scrape") for _ in range(3)]
    canang.wait_members(3)
    assert canang.metrics()["canang_draining"] == 0
    canang.signal(signal.SIGTERM)
    wait_until(
        lambda: canang.metrics().total("canang_closes_total", code="1012", reason="drain") == 3,
        "the closes are counted",
    )
    seen = canang.metrics()
    assert seen["canang_draining"] == 1
    assert seen["canang_ready"] == 0
    assert seen["canang_connections"] == 3, "their clients have not answered yet"
    for member in members:
        member.read_close()
        member.close()
    assert canang.wait_exit(5) == 0
    for connection in holdouts:
        connection.close()
