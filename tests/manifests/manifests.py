"""What kustomize makes of an overlay, and questions to it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
# Another copy, when a mistake has been planted there.
MANIFESTS = Path(os.environ.get("MANIFESTS", REPOSITORY / "k8s"))
BINARIES = REPOSITORY / "build" / "k8s" / "bin"
POD_NAME = "canang-6d5f8c7b9d-x2x7q"


class Manifests:
    def __init__(self, text: str) -> None:
        self.documents: list[dict[str, Any]] = [d for d in yaml.safe_load_all(text) if d]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [document for document in self.documents if document["kind"] == kind]

    def one(self, kind: str, name: str = "canang") -> dict[str, Any]:
        found = [d for d in self.of_kind(kind) if d["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} objects {kind}/{name}"
        return found[0]

    def pod(self, deployment: str = "canang") -> dict[str, Any]:
        return self.one("Deployment", deployment)["spec"]["template"]["spec"]

    def pod_labels(self, deployment: str = "canang") -> dict[str, str]:
        return self.one("Deployment", deployment)["spec"]["template"]["metadata"]["labels"]

    def container(self, deployment: str = "canang") -> dict[str, Any]:
        containers = self.pod(deployment)["containers"]
        assert len(containers) == 1
        return containers[0]

    def environment(self) -> dict[str, str]:
        """The variables that the server would see in a pod."""
        container = self.container()
        environment: dict[str, str] = {}
        for source in container.get("envFrom", []):
            environment |= self.one("ConfigMap", source["configMapRef"]["name"])["data"]
        for variable in container.get("env", []):
            if "value" in variable:
                environment[variable["name"]] = variable["value"]
            else:
                assert variable["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
                environment[variable["name"]] = POD_NAME
        return environment


def render(overlay: str) -> Manifests:
    command = [str(BINARIES / "kustomize"), "build", str(MANIFESTS / "overlays" / overlay)]
    return Manifests(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """As a selector by labels does; an empty one selects everything."""
    return selector.items() <= labels.items()
