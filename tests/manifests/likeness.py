"""Compares what the chart renders with what the overlays do, save for the differences that are named here."""

from __future__ import annotations

import copy
import re
from typing import Any

from charts import is_hook

Objects = dict[tuple[str, str], dict[str, Any]]

INSTANCE = "app.kubernetes.io/instance"
# Labels of objects that only a chart has, and those that each of its objects has while the overlays spare them.
OF_HELM = {INSTANCE, "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart"}
OF_EVERY_OBJECT = {f"app.kubernetes.io/{label}" for label in ("name", "component", "part-of")}

# The chart's names begin with the release's: its namespace may have more than one, and other things.
RENAMED = {
    ("NetworkPolicy", "default-deny"): "canang-default-deny",
    ("NetworkPolicy", "redis"): "canang-redis",
    ("Deployment", "redis"): "canang-redis",
    ("Service", "redis"): "canang-redis",
}
REDIS = {"redis://redis:6379": "redis://canang-redis:6379"}


def objects_of_overlays(documents: list[dict[str, Any]]) -> Objects:
    """Under the chart's names. The namespace is whoever's who installs the chart."""
    objects: Objects = {}
    for document in copy.deepcopy(documents):
        kind, name = document["kind"], document["metadata"]["name"]
        if kind == "Namespace":
            continue
        name = RENAMED.get((kind, name), _without_hash(kind, name))
        document["metadata"]["name"] = name
        if kind == "Deployment":
            _change_config_maps(document)
        if kind == "ConfigMap" and "CANANG_REDIS" in document["data"]:
            url = document["data"]["CANANG_REDIS"]
            document["data"]["CANANG_REDIS"] = REDIS.get(url, url)
        objects[kind, name] = document
    return objects


def _without_hash(kind: str, name: str) -> str:
    """kustomize puts one behind the name of the options; the chart an annotation into the pods."""
    return re.sub(r"^canang-[a-z0-9]{10}$", "canang", name) if kind == "ConfigMap" else name


def _change_config_maps(deployment: dict[str, Any]) -> None:
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        for source in container.get("envFrom", []):
            source["configMapRef"]["name"] = _without_hash("ConfigMap", source["configMapRef"]["name"])


def objects_of_chart(documents: list[dict[str, Any]]) -> Objects:
    """Without what only a chart can have: hooks, the labels by which releases are told apart, checksums."""
    objects: Objects = {}
    for document in copy.deepcopy(documents):
        if is_hook(document):
            continue
        kind, name = document["kind"], document["metadata"]["name"]
        labels = document["metadata"]["labels"]
        document["metadata"]["labels"] = {k: v for k, v in labels.items() if k not in OF_HELM}
        if (kind, name) == ("NetworkPolicy", "canang-default-deny"):
            # The overlays own their namespace, a release owns only its pods.
            assert document["spec"]["podSelector"] == {"matchLabels": {INSTANCE: "canang"}}
            document["spec"]["podSelector"] = {}
        _forget_instance(document["spec"] if "spec" in document else {})
        if kind == "Deployment":
            _forget_checksums(document["spec"]["template"]["metadata"])
        objects[kind, name] = document
    return objects


def _forget_instance(part: Any) -> None:
    if isinstance(part, dict):
        part.pop(INSTANCE, None)
        for value in part.values():
            _forget_instance(value)
    elif isinstance(part, list):
        for value in part:
            _forget_instance(value)


def _forget_checksums(metadata: dict[str, Any]) -> None:
    rest = {k: v for k, v in metadata.pop("annotations", {}).items() if not k.startswith("checksum/")}
    if rest:
        metadata["annotations"] = rest


def leaves(part: Any, path: str = "") -> dict[str, Any]:
    """Of an object: every path in it, with what is there. Empty maps and lists are leaves too."""
    if isinstance(part, dict) and part:
        pairs = [(f"{path}/{key}", value) for key, value in part.items()]
    elif isinstance(part, list) and part:
        pairs = [(f"{path}/{index}", value) for index, value in enumerate(part)]
    else:
        return {path: part}
    return {at: leaf for where, value in pairs for at, leaf in leaves(value, where).items()}


def differences(overlays: list[dict[str, Any]], chart: list[dict[str, Any]]) -> list[str]:
    """A line for each, none when both say the same."""
    wanted, found = objects_of_overlays(overlays), objects_of_chart(chart)
    lines = [f"only in the overlays: {kind} {name}" for kind, name in sorted(set(wanted) - set(found))]
    lines += [f"only in the chart: {kind} {name}" for kind, name in sorted(set(found) - set(wanted))]
    for key in sorted(set(wanted) & set(found)):
        here, there = wanted[key], found[key]
        more = set(there["metadata"]["labels"]) - set(here["metadata"].get("labels", {}))
        for label in more & OF_EVERY_OBJECT:
            del there["metadata"]["labels"][label]
        if not there["metadata"]["labels"]:
            del there["metadata"]["labels"]
        left, right = leaves(here), leaves(there)
        lines += [
            f"{' '.join(key)}: {path}: {left.get(path, 'nothing')!r} in the overlays, "
            f"{right.get(path, 'nothing')!r} in the chart"
            for path in sorted(left.keys() | right.keys())
            # Booleans are not the numbers that they equal, nor are texts.
            if repr(left.get(path, ...)) != repr(right.get(path, ...))
        ]
    return lines
