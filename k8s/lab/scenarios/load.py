"""Clients in a pod: `canang-load resume`, which come in by the Service's name and come back."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from support.load_journal import Journal, read_journal
from support.waiting import wait_until

from . import pods
from .cluster import WORK, Failed, apply, get, kubectl, namespace

NAMESPACE = "clients"
URL = "ws://canang.canang.svc.cluster.local/ws"
# The chat page gives a connection up when a ping is more than 10 s late (web/client.js). Pings come
# every CANANG_PING_INTERVAL of k8s/base/canang.env, and these clients are a little less patient.
SILENCE_LIMIT_S = 15
CONNECT_TIMEOUT_S = 3
SETTLE_LIMIT_S = 60
STOP = "import os, signal; os.kill(1, signal.SIGTERM)"
PRINT = "import sys, shutil; shutil.copyfileobj(open('/journal/journal', 'rb'), sys.stdout.buffer)"


@dataclass(frozen=True)
class Crowd:
    rooms: int = 20
    members: int = 10  # a room
    rate: int = 100  # publications a second, in all
    ramp_up: int = 200  # first connections a second

    @property
    def clients(self) -> int:
        return self.rooms * self.members


class Load:
    """From its block's beginning all are in their rooms; the pod goes with the block."""

    def __init__(
        self, crowd: Crowd = Crowd(), *, url: str = URL, machine: str | None = None, name: str = "load"
    ) -> None:
        self.crowd, self.name, self._url, self._machine = crowd, name, url, machine
        self._journal: Journal | None = None

    def __enter__(self) -> Load:
        crowd = self.crowd
        command = (
            *("canang-load", "resume", "--url", self._url, "--journal", "/journal/journal"),
            *("--rooms", str(crowd.rooms), "--members", str(crowd.members)),
            *("--rate", str(crowd.rate), "--ramp-up", str(crowd.ramp_up)),
            *("--connect-timeout", f"{CONNECT_TIMEOUT_S}s"),
            *("--silence-limit", f"{SILENCE_LIMIT_S}s", "--settle-limit", f"{SETTLE_LIMIT_S}s"),
        )
        mount = {"volumeMounts": [{"name": "journal", "mountPath": "/journal"}]}
        apply(namespace(NAMESPACE))
        pods.delete(NAMESPACE, self.name)
        apply(
            pods.pod(
                self.name,
                NAMESPACE,
                pods.container("load", command, **mount),
                # Is still there to ask for the journal, once the clients have ended.
                pods.container("keeper", pods.NOTHING, **mount),
                machine=self._machine,
                volumes=[{"name": "journal", "emptyDir": {}}],
                securityContext={"fsGroup": 65532, "runAsUser": 65532, "runAsNonRoot": True},
            )
        )
        pods.wait_running(self.name, NAMESPACE)
        spare = crowd.clients / crowd.ramp_up + 30
        wait_until(self._are_connected, "all clients are in their rooms", spare, 0.5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            self.journal()
        pods.delete(NAMESPACE, self.name)

    def _are_connected(self) -> bool:
        said = kubectl("logs", self.name, "-n", NAMESPACE, "-c", "load").out
        if self._ended() is not None:
            raise Failed(f"the clients ended: {said[-500:]}")
        return f"connected {self.crowd.clients}\n" in said

    def _ended(self) -> int | None:
        states = get("pod", self.name, "-n", NAMESPACE)["status"].get("containerStatuses", [])
        state = next(s["state"] for s in states if s["name"] == "load")
        return state["terminated"]["exitCode"] if "terminated" in state else None

    def journal(self) -> Journal:
        """Publishing ends, those that are away come back, and all that they wrote down is read."""
        if self._journal is None:
            at = ("exec", self.name, "-n", NAMESPACE, "-c")
            kubectl(*at, "load", "--", "python3", "-c", STOP)
            patience = SETTLE_LIMIT_S + 30
            wait_until(lambda: self._ended() is not None, "the clients end", patience, 0.5)
            text = kubectl(*at, "keeper", "--", "python3", "-c", PRINT, timeout=180).out
            path = WORK / f"{self.name}.journal"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            self._journal = read_journal(path)
        return self._journal
