"""What becomes of the servers' pods over time, as the API server tells it."""

from __future__ import annotations

import json
import subprocess
import threading
from dataclasses import dataclass

from support.process_lifetime import die_with_parent
from support.waiting import wait_until

from . import pods
from .cluster import LAB, REPOSITORY, Json

START_TIMEOUT_S = 30
SERVERS = "app.kubernetes.io/name=canang,app.kubernetes.io/component=server"


@dataclass(frozen=True)
class Seen:
    """A pod at a moment."""

    when: float
    name: str
    machine: str
    address: str
    restarts: int
    is_ready: bool
    is_leaving: bool
    is_gone: bool
    oom_killed: bool

    @property
    def serves(self) -> bool:
        return self.is_ready and not self.is_leaving and not self.is_gone


def seen_of(when: float, change: str, pod: Json) -> Seen:
    statuses = pod["status"].get("containerStatuses", [])
    ends = [
        s.get(state, {}).get("terminated", {}).get("reason")
        for s in statuses
        for state in ("state", "lastState")
    ]
    return Seen(
        when=when,
        name=pod["metadata"]["name"],
        machine=pod["spec"].get("nodeName", ""),
        address=pod["status"].get("podIP", ""),
        restarts=pods.restarts(pod),
        is_ready=pods.is_ready(pod),
        is_leaving="deletionTimestamp" in pod["metadata"],
        is_gone=change == "DELETED",
        oom_killed="OOMKilled" in ends,
    )


class Watch:
    """A `kubectl get --watch` and a thread that reads it, for as long as the block."""

    def __init__(self, of: str = "canang") -> None:
        self._namespace = of
        self.history: list[Seen] = []  # in order; appended to by the thread alone
        self._thread = threading.Thread(target=self._read, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._process = subprocess.Popen(
            [
                *(str(LAB), "kubectl", "get", "pods", "-n", self._namespace, "-l", SERVERS),
                *("--watch", "--output-watch-events", "-o", "json"),
            ],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=die_with_parent,
        )
        self._thread.start()
        wait_until(lambda: self.history, "the pods that there are", START_TIMEOUT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:  # each is an event
            event = json.loads(line)
            self.history.append(seen_of(pods.now(), event["type"], event["object"]))

    def now(self) -> dict[str, Seen]:
        """The last of each pod that is still there."""
        latest = {seen.name: seen for seen in list(self.history)}
        return {name: seen for name, seen in latest.items() if not seen.is_gone}

    def serving(self) -> list[Seen]:
        return [seen for seen in self.now().values() if seen.serves]

    def least_serving(self, since: float, until: float = float("inf")) -> int:
        """The fewest that were ready and not leaving at any moment from then on."""
        serve: dict[str, bool] = {}
        least: int | None = None
        for seen in list(self.history):
            if seen.when > until:
                break
            if seen.when > since and least is None:
                least = sum(serve.values())
            serve[seen.name] = seen.serves
            if least is not None:
                least = min(least, sum(serve.values()))
        return sum(serve.values()) if least is None else least

    def first_unready(self, name: str, since: float) -> float:
        """When; infinity if it never was from then on."""
        found = (s.when for s in list(self.history) if s.name == name and s.when > since and not s.serves)
        return next(found, float("inf"))

    def restarted(self) -> int:
        """Of all pods that were seen."""
        latest = {seen.name: seen.restarts for seen in list(self.history)}
        return sum(latest.values())

    def oom_killed(self) -> int:
        return len({seen.name for seen in list(self.history) if seen.oom_killed})

    def names(self) -> dict[str, str]:
        """By address. In a run of minutes no address is given twice (host-local goes round)."""
        return {seen.address: seen.name for seen in list(self.history) if seen.address}
