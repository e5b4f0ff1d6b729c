"""A node whose subscription to Redis is wedged: connected, and nothing arrives."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections import deque
from pathlib import Path

from support.figures import Figure
from support.haproxy import NODE_HEADER
from support.proxy import SUBSCRIPTION, Proxy
from support.waiting import wait_until

from . import judge
from .rolling import NAMES, Outcome, Tell
from .settings import CHECK_MARGIN_S, READINESS_LIMIT_S, Settings
from .stage import Stage

WEDGED = "node3"
HELD_PROBES = 60  # so that least connections gives every node some of them
PATIENCE_S = 30.0
POLL_MARGIN_S = 0.2  # of looking


class ProxyThread:
    """A Proxy with a loop of its own."""

    def __init__(self, target_port: int) -> None:
        self.proxy = Proxy(target_port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.proxy.__aenter__(), self._loop).result()
        return self.proxy

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.proxy.__aexit__(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Prober:
    """New clients of the load balancer, twenty a second, and the nodes that they were sent to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.seen: list[tuple[float, str]] = []  # when it was begun, and where it came to
        self._held: deque[socket.socket] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Prober:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for probe in self._held:
            probe.close()

    def nodes_since(self, when: float) -> list[str]:
        return [node for began, node in self.seen if began >= when]

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            began = time.monotonic()
            try:
                self.seen.append((began, self._probe()))
            except OSError:
                self.seen.append((began, "none"))
            while len(self._held) > HELD_PROBES:
                self._held.popleft().close()

    def _probe(self) -> str:
        probe = socket.create_connection(("127.0.0.1", self._port), timeout=5)
        self._held.append(probe)
        probe.sendall(
            b"GET /ws/probe HTTP/1.1\r\nHost: probe\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        head = b""
        while b"\r\n\r\n" not in head:
            part = probe.recv(4096)
            if not part:
                return "none"
            head += part
        found = re.search(rf"\r\n{NODE_HEADER}: (\S+)\r\n".encode(), head, re.IGNORECASE)
        return found[1].decode() if found and head.startswith(b"HTTP/1.1 101 ") else "none"


def wedge(directory: Path, settings: Settings, tell: Tell) -> Outcome:
    outcome = Outcome()
    with (
        Stage(directory, settings, NAMES[:3]) as stage,
        ProxyThread(stage.redis.port) as proxy,
    ):
        stage.start(*NAMES[:2])
        stage.start(WEDGED, redis=proxy.url)
        clients = stage.start_clients()
        clients.wait_connected()
        with Prober(stage.haproxy.port) as prober:
            wait_until(lambda: WEDGED in prober.nodes_since(0), "a probe comes to the node", 10)
            outcome.figures += _wedge(stage, proxy, prober, tell)
        time.sleep(settings.pause_s)
        journal = clients.finish()
        outcome.faults = journal.faults()
        outcome.figures += judge.delivery_figures(journal, outcome.faults)
    return outcome


def _wedge(stage: Stage, proxy: Proxy, prober: Prober, tell: Tell) -> list[Figure]:
    limit = READINESS_LIMIT_S + CHECK_MARGIN_S
    tell(f"the subscription of {WEDGED} is wedged")
    wedged = time.monotonic()
    proxy.swallows_kind = SUBSCRIPTION
    unready_s = _seconds_until(lambda: stage.status(WEDGED) == 503, wedged)
    down_s = _seconds_until(lambda: not stage.haproxy.states()[WEDGED].is_up, wedged)
    tell(f"unready after {unready_s:.1f} s, down in HAProxy after {down_s:.1f} s")
    down = time.monotonic()
    wait_until(lambda: len(prober.nodes_since(down)) >= 40, "new clients come", PATIENCE_S)
    came = prober.nodes_since(down)
    alive = stage.status(WEDGED, "/healthz")

    mended = time.monotonic()
    proxy.swallows_kind = None
    ready_s = _seconds_until(lambda: stage.status(WEDGED) == 200, mended)
    up_s = _seconds_until(lambda: stage.haproxy.states()[WEDGED].is_up, mended)
    up = time.monotonic()
    back_s = _seconds_until(lambda: WEDGED in prober.nodes_since(up), mended)
    tell(f"ready {ready_s:.1f} s after the mending, new clients after {back_s:.1f} s")
    return [
        Figure("wedged: until unready", unready_s, READINESS_LIMIT_S + POLL_MARGIN_S, "s"),
        Figure("wedged: until HAProxy sends nobody there", down_s, limit, "s"),
        Figure("wedged: new clients meanwhile", len(came), 40, at_least=True),
        Figure("wedged: of them sent there", came.count(WEDGED), 0),
        Figure("wedged: of them sent nowhere", came.count("none"), 0),
        Figure("wedged: /healthz meanwhile", alive, 200, at_least=True),
        Figure("mended: until ready", ready_s, READINESS_LIMIT_S, "s"),
        Figure("mended: until HAProxy has it up", up_s, limit, "s"),
        Figure("mended: until new clients come there", back_s, unit="s"),
    ]


def _seconds_until(condition, since: float) -> float:
    """Infinity when it takes longer than anybody would wait."""
    try:
        wait_until(condition, "", PATIENCE_S)
    except AssertionError:
        return float("inf")
    return time.monotonic() - since
