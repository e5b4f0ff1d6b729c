"""Scrapes /metrics of the nodes once a second, whichever of them run."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from support.canang_process import http_request
from support.haproxy import Ports

INTERVAL_S = 1.0
SAMPLES = re.compile(
    rb"^(canang_(?:connections|deliveries_total|ready)|"
    rb'canang_closes_total\{code="1012",reason="drain"\}) (\S+)$',
    re.MULTILINE,
)


@dataclass(frozen=True)
class Sample:
    """A node at a moment; what is no gauge counts from the node's start."""

    when: float
    connections: float
    deliveries: float
    drain_closes: float
    took_s: float


def read_sample(when: float, took_s: float, body: bytes) -> Sample:
    values = {name.decode().split("{")[0]: float(value) for name, value in SAMPLES.findall(body)}
    return Sample(
        when,
        values["canang_connections"],
        values["canang_deliveries_total"],
        values.get("canang_closes_total", 0.0),
        took_s,
    )


class Scraper:
    """A thread of its own; nothing is started from it."""

    def __init__(self, ports: Mapping[str, Ports]) -> None:
        self._ports = ports
        self.samples: dict[str, list[Sample]] = {name: [] for name in ports}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scraper", daemon=True)

    def __enter__(self) -> Scraper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += INTERVAL_S
            for name, at in self._ports.items():
                self._scrape(name, at.internal)

    def _scrape(self, name: str, port: int) -> None:
        began = time.monotonic()
        try:
            answer = http_request(port, "/metrics", timeout=2)
        except OSError:
            return  # it does not run
        if answer.status == 200:
            sample = read_sample(began, time.monotonic() - began, answer.body)
            self.samples[name].append(sample)
