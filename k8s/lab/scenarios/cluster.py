"""The cluster, by the commands of k8s/lab/lab."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
LAB = REPOSITORY / "k8s" / "lab" / "lab"
STATE = REPOSITORY / "build" / "kubernetes"
WORK = STATE / "scenarios"  # what is made for them: manifests, certificates, journals

Json = dict[str, Any]


class Failed(Exception):
    """A command did not do what it was told."""


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def warnings(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.strip()]


def run(
    command: Sequence[str], *, stdin: str | None = None, timeout: float = 120, fails: bool = False
) -> Answer:
    """`fails`: that it may, and the answer says so."""
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=timeout, cwd=REPOSITORY
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"not within {timeout} s: {' '.join(command[-8:])}") from None
    if done.returncode and not fails:
        raise Failed(f"{' '.join(command[-8:])}: {done.stderr.strip() or done.stdout.strip()}")
    return Answer(done.returncode, done.stdout, done.stderr)


def kubectl(*arguments: str, **how: Any) -> Answer:
    return run([str(LAB), "kubectl", *arguments], **how)


def lab(*arguments: str, **how: Any) -> Answer:
    return run([str(LAB), *arguments], **how)


def get(*arguments: str) -> Json:
    """What `kubectl get` has of it. Without a name: a list, with `items`."""
    return json.loads(kubectl("get", *arguments, "-o", "json").out)


def apply(*objects: Json) -> Answer:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    return kubectl("apply", "-f", "-", stdin=text)


def machines() -> list[str]:
    """Those that are ready."""
    return [
        node["metadata"]["name"]
        for node in get("nodes")["items"]
        if condition(node, "Ready") == "True"
    ]


def condition(thing: Json, kind: str) -> str:
    found = (c for c in thing.get("status", {}).get("conditions", []) if c["type"] == kind)
    return next((c["status"] for c in found), "Unknown")


def namespace(name: str, labels: dict[str, str] | None = None) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels or {}},
    }


def secret(name: str, of: str, files: dict[str, str]) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": of},
        "stringData": files,
    }


def pid_of(pod: Json) -> str:
    """The server's process, as its machine numbers it."""
    uid, machine = pod["metadata"]["uid"], pod["spec"]["nodeName"]
    find = f"for p in $(pgrep -x canang); do grep -q {uid} /proc/$p/cgroup && echo $p; done; true"
    found = lab("exec-node", machine, "sh", "-c", find).out.split()
    if len(found) != 1:
        raise Failed(f"{pod['metadata']['name']} has the processes {found}")
    return found[0]


def signal_server(pod: Json, signal: str) -> None:
    lab("exec-node", pod["spec"]["nodeName"], "kill", f"-{signal}", pid_of(pod))
