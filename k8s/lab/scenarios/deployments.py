"""The manifests of k8s/ as a user would apply them, with the images that the lab has."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from support.waiting import wait_until

from . import load, pods
from .cluster import REPOSITORY, WORK, Answer, Json, get, kubectl, machines, run
from .watch import SERVERS

NAMESPACE = "canang"
ROLLOUT_TIMEOUT_S = 180
IMAGES = [
    {"name": "canang", "newName": "canang", "newTag": "lab"},
    {"name": "redis", "newName": "redis", "newTag": "lab"},
]


def overlay(name: str, *of: str, files: dict[str, str] | None = None, **more: object) -> Path:
    """An overlay of ours over those of k8s/overlays: a folder for `kubectl apply -k`."""
    folder = WORK / "overlays" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in (files or {}).items():
        (folder / file).write_text(text)
    bases = [os.path.relpath(REPOSITORY / "k8s" / "overlays" / base, folder) for base in of]
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": [*bases, *(files or {})],
        "images": IMAGES,
    } | more
    (folder / "kustomization.yaml").write_text(json.dumps(kustomization, indent=1))
    return folder


def settings(*literals: str) -> list[Json]:
    """`CANANG_...=...` besides those of the base, or instead: the `configMapGenerator` of an overlay."""
    return [{"name": "canang", "behavior": "merge", "literals": list(literals)}]


def apply(folder: Path) -> Answer:
    return kubectl("apply", "-k", str(folder))


def rolled_out(of: str = NAMESPACE, name: str = "canang", timeout: int = ROLLOUT_TIMEOUT_S) -> None:
    target = f"deployment/{name}"
    kubectl(
        *("rollout", "status", target, "-n", of, f"--timeout={timeout}s"), timeout=timeout + 10
    )


def servers(of: str = NAMESPACE) -> list[Json]:
    """Those that are not leaving."""
    found = get("pods", "-n", of, "-l", SERVERS)["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def remove(of: str = NAMESPACE) -> None:
    kubectl("delete", "namespace", of, "--ignore-not-found", "--timeout=150s", timeout=160)


def trial() -> None:
    """Two fresh nodes and their Redis, whatever was there before, and nobody connected."""
    uncordon_all()
    pods.delete(load.NAMESPACE, "--all")
    if not _is_trial():
        remove()
    apply(overlay("trial", "trial"))
    _replace_restarted()
    rolled_out(name="redis")
    rolled_out()
    wait_until(_are_two, "two nodes, and none that leaves", 90, 0.5)


def _are_two() -> bool:
    found = get("pods", "-n", NAMESPACE, "-l", SERVERS)["items"]
    return len(found) == 2 and all(map(pods.is_ready, found))


def _is_trial() -> bool:
    """Otherwise what is there would not be replaced by applying the trial."""
    have = kubectl("get", "deployment,hpa", "-n", NAMESPACE, "-o", "name", fails=True).out.split()
    return sorted(have) == ["deployment.apps/canang", "deployment.apps/redis"]


def _replace_restarted() -> None:
    """The kubelet waits longer before each restart, and what is measured is the first."""
    old = [pod["metadata"]["name"] for pod in servers() if pods.restarts(pod)]
    if old:
        kubectl("delete", "pod", "-n", NAMESPACE, *old, "--wait=false")


def uncordon_all() -> None:
    for machine in machines():
        kubectl("uncordon", machine)


def objects_of(answer: Answer) -> int:
    """What `kubectl apply` has created, by its own lines."""
    return len(re.findall(r" created$", answer.out, re.M))


def go_module(module: str) -> Path:
    """The folder of a module that k8s/tools/go.mod pins."""
    tools = str(REPOSITORY / "k8s" / "tools")
    run(["go", "-C", tools, "mod", "download", module], timeout=300)
    return Path(run(["go", "-C", tools, "list", "-m", "-f", "{{.Dir}}", module]).out.strip())
