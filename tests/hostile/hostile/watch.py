"""What the bench watches of its nodes from outside, all the time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

from support.canang_process import CanangProcess, http_request
from support.raw_websocket import request_head

MEMORY_EVERY_S = 0.02
PROBE_EVERY_S = 0.25
PROBE_TIMEOUT_S = 5.0
TRY_AGAIN_S = 0.1
LET_IN = b"HTTP/1.1 101"


class Watch:
    """Two threads that start nothing: resident memory of all nodes, /healthz of the first one."""

    def __init__(self, nodes: Sequence[CanangProcess]) -> None:
        self._nodes = nodes
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=work.__name__, daemon=True)
            for work in (self._watch_memory, self._watch_health)
        ]
        self.peak_bytes = [0] * len(nodes)
        self.slowest_probe_s = 0.0
        self.probes = 0
        self.failed_probes: list[str] = []

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _watch_memory(self) -> None:
        while not self._stop.wait(MEMORY_EVERY_S):
            for n, node in enumerate(self._nodes):
                self.peak_bytes[n] = max(self.peak_bytes[n], resident_bytes(node))

    def _watch_health(self) -> None:
        port = self._nodes[0].internal_port
        while not self._stop.wait(PROBE_EVERY_S):
            began = time.monotonic()
            self.probes += 1
            try:
                status = http_request(port, "/healthz", timeout=PROBE_TIMEOUT_S).status
                if status != 200:
                    self.failed_probes.append(f"status {status}")
            except OSError as error:
                self.failed_probes.append(str(error))
            self.slowest_probe_s = max(self.slowest_probe_s, time.monotonic() - began)


def resident_bytes(node: CanangProcess) -> int:
    """0 when it does not run any more, which others will notice."""
    try:
        return node.rss_bytes()
    except OSError:
        return 0


def newcomer(node: CanangProcess, path: str, patience_s: float) -> float | None:
    """How long a client that tries again takes to become a member; None where it never does."""
    began = time.monotonic()
    while True:
        if _is_let_in(node, path, began + patience_s - time.monotonic()):
            return time.monotonic() - began
        if time.monotonic() - began >= patience_s:
            return None
        time.sleep(TRY_AGAIN_S)


def _is_let_in(node: CanangProcess, path: str, timeout_s: float) -> bool:
    timeout_s = max(0.05, timeout_s)
    try:
        with socket.create_connection(("127.0.0.1", node.port), timeout_s) as client:
            client.sendall(request_head(path))
            return client.recv(len(LET_IN)) == LET_IN
    except OSError:
        return False
