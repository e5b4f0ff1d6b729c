"""Connections and deliveries of every node over time, by a pod that scrapes as Prometheus does.

It asks the headless Service for the nodes' addresses, and passes the network policy because of its
labels.
"""

from __future__ import annotations

import json

from rollout.scraper import Sample, read_sample

from . import pods
from .cluster import apply, kubectl, namespace
from .watch import Watch

NAMESPACE = "observers"
SCRAPE_LABELS = {"canang/may-scrape": "true"}
PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
NAME = "scraper"
SCRIPT = """
import concurrent.futures, json, socket, sys, time, urllib.request
WANTED = ("canang_connections ", "canang_deliveries_total ", "canang_closes_total{code=\\"1012\\"")
def scrape(address):
    began = time.monotonic()
    try:
        with urllib.request.urlopen(f"http://{address}:9000/metrics", timeout=2) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return
    took = time.monotonic() - began
    body = "\\n".join(line for line in lines if line.startswith(WANTED))
    print(json.dumps([address, began, took, body]), flush=True)
due = time.monotonic()
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    while True:
        try:
            found = socket.getaddrinfo(sys.argv[1], 9000, socket.AF_INET, socket.SOCK_STREAM)
        except OSError:
            found = []
        for address in {entry[4][0] for entry in found}:
            pool.submit(scrape, address)
        due += 1
        time.sleep(max(0.0, due - time.monotonic()))
"""


class Scraper:
    def __init__(self, watch: Watch, of: str = "canang", service: str = "canang-internal") -> None:
        self._watch = watch
        self._service = f"{service}.{of}.svc.cluster.local"

    def __enter__(self) -> Scraper:
        apply(namespace(NAMESPACE, SCRAPE_LABELS))
        pods.delete(NAMESPACE, NAME)
        command = ("python3", "-c", SCRIPT, self._service)
        apply(pods.pod(NAME, NAMESPACE, pods.container("scraper", command), labels=PROMETHEUS))
        pods.wait_running(NAME, NAMESPACE)
        return self

    def __exit__(self, *_: object) -> None:
        pods.delete(NAMESPACE, NAME)

    def samples(self, tail: int = -1) -> dict[str, list[Sample]]:
        """By pod, in the order in which they came; the last `tail` lines, or all."""
        said = kubectl("logs", NAME, "-n", NAMESPACE, f"--tail={tail}").out
        names, found = self._watch.names(), {}
        for line in said.splitlines():
            address, when, took, body = json.loads(line)
            sample = read_sample(when, took, body.encode())
            found.setdefault(names.get(address, address), []).append(sample)
        return found

    def connections(self) -> dict[str, int]:
        """Of the pods that serve, just now."""
        serving = {seen.name for seen in self._watch.serving()}
        recent = self.samples(tail=4 * max(1, len(self._watch.now())))
        fresh = pods.now() - 5
        return {
            name: int(line[-1].connections)
            for name, line in sorted(recent.items())
            if name in serving and line[-1].when > fresh
        }
