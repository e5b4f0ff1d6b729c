"""Pods of our own: they run programs of the image `load:lab`."""

from __future__ import annotations

import time
from typing import Any

from support.waiting import wait_until

from .cluster import Failed, Json, condition, get, kubectl
from .load_image import NAME as IMAGE

START_TIMEOUT_S = 60.0
NOTHING = ("python3", "-c", "import signal; signal.pause()")
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def container(name: str, command: tuple[str, ...], **more: Any) -> Json:
    return {
        "name": name,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "securityContext": RESTRICTED,
    } | more


def pod(
    name: str,
    of: str,
    *containers: Json,
    labels: dict[str, str] | None = None,
    machine: str | None = None,
    **spec: Any,
) -> Json:
    """In the namespace `of`; passes the restricted profile."""
    metadata = {"name": name, "namespace": of, "labels": {"lab": "load"} | (labels or {})}
    made: Json = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": list(containers) or [container("idle", NOTHING)],
    }
    if machine:
        made["nodeName"] = machine
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": made | spec}


def wait_running(name: str, of: str) -> Json:
    def runs() -> Json | None:
        found = get("pod", name, "-n", of)
        if found["status"].get("phase") in ("Failed", "Succeeded"):
            raise Failed(f"{name} ended: {kubectl('logs', name, '-n', of, fails=True).out[-500:]}")
        states = found["status"].get("containerStatuses", [])
        return found if states and all("running" in s["state"] for s in states) else None

    return wait_until(runs, f"pod {name} runs", START_TIMEOUT_S, 0.3)


def python(name: str, of: str, code: str, *arguments: str, timeout: float = 60) -> str:
    """Runs it in the pod's first container."""
    command = ("exec", name, "-n", of, "--", "python3", "-c", code, *arguments)
    return kubectl(*command, timeout=timeout).out


def delete(of: str, *which: str) -> None:
    kubectl("delete", "pod", "-n", of, *which, "--ignore-not-found", "--wait=true")


def is_ready(found: Json) -> bool:
    return condition(found, "Ready") == "True"


def restarts(found: Json) -> int:
    return sum(s["restartCount"] for s in found["status"].get("containerStatuses", []))


def now() -> float:
    """The clock of journals and samples: all pods are processes of this machine."""
    return time.monotonic()
