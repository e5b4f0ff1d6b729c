"""The chart installs what the overlays do: every field of every object is compared."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from charts import PRODUCTION, is_hook, render_chart
from likeness import INSTANCE, OF_EVERY_OBJECT, OF_HELM, differences, leaves
from manifests import Manifests

PAIRS = {
    "trial": (["trial"], []),
    "production": (["production"], [PRODUCTION]),
    "production with monitoring": (["production", "monitoring"], [PRODUCTION, "ci/monitoring.yaml"]),
}


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the overlays render, and what the chart does."""
    overlays, files = PAIRS[request.param]
    rendered: list[Manifests] = [request.getfixturevalue(overlay) for overlay in overlays]
    return [d for m in rendered for d in m.documents], render_chart(*files).documents


def test_the_chart_installs_what_the_overlays_do(
    pair: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    found = differences(*pair)
    assert not found, "\n".join(found)


def change(part: Any, path: list[str]) -> None:
    step = int(path[0]) if isinstance(part, list) else path[0]
    if len(path) > 1:
        change(part[step], path[1:])
    else:
        part[step] = "changed"


def path_of(document: dict[str, Any], path: str) -> list[str]:
    """The steps of a path of `leaves`, whose keys may have slashes themselves."""
    steps: list[str] = []
    part: Any = document
    rest = path.removeprefix("/")
    while rest:
        if isinstance(part, list):
            step = rest.split("/")[0]
            part = part[int(step)]
        else:
            step = max((k for k in part if rest == k or rest.startswith(k + "/")), key=len)
            part = part[step]
        steps.append(step)
        rest = rest[len(step) + 1 :]
    return steps


def may_differ(steps: list[str]) -> bool:
    """What the comparison overlooks on purpose."""
    in_metadata = steps[:2] == ["metadata", "labels"]
    return (
        (in_metadata and steps[-1] in OF_HELM | OF_EVERY_OBJECT)
        or steps[-1] == INSTANCE
        or (steps[:-1] == ["spec", "template", "metadata", "annotations"])
    )


def test_no_field_of_the_chart_can_drift_unnoticed(
    pair: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    overlays, chart = pair
    overlooked = []
    for index, document in enumerate(chart):
        for path in leaves(document):
            steps = path_of(document, path)
            if is_hook(document) or may_differ(steps):
                continue
            drifted = copy.copy(chart)
            drifted[index] = copy.deepcopy(document)
            change(drifted[index], steps)
            try:
                if not differences(overlays, drifted):
                    overlooked.append(f"{document['kind']} {document['metadata']['name']}: {path}")
            except (AssertionError, TypeError, AttributeError):
                pass  # it is so wrong that comparing it fails
    assert not overlooked, "\n".join(overlooked)


def test_an_object_that_only_one_of_them_has_is_told(trial: Manifests) -> None:
    chart = render_chart().documents
    without = [d for d in chart if d["kind"] != "PodDisruptionBudget"]
    assert differences(trial.documents, without) == ["only in the overlays: PodDisruptionBudget canang"]
    fewer = [d for d in trial.documents if d["kind"] != "ServiceAccount"]
    assert differences(fewer, chart) == ["only in the chart: ServiceAccount canang"]


def test_all_that_a_release_makes_has_its_name_and_finds_its_own() -> None:
    """Two releases in one namespace share nothing."""
    files = [PRODUCTION, "ci/ways-in.yaml"]
    for chosen in ([], files, ["ci/alone.yaml"]):
        one = render_chart(*chosen)
        other = render_chart(*chosen, release="chat")
        assert all(d["metadata"]["name"].startswith("chat-canang") for d in other.documents)
        renamed = [_renamed(document) for document in one.documents]
        assert _without_checksums(renamed) == _without_checksums(other.documents)




def _renamed(part: Any, key: str = "") -> Any:
    """As the release `chat` would have it."""
    if isinstance(part, dict):
        return {k: _renamed(v, f"{key}/{k}") for k, v in part.items()}
    if isinstance(part, list):
        return [_renamed(v, f"{key}/") for v in part]
    if part == "canang" and key.endswith(INSTANCE):
        return "chat"
    if not isinstance(part, str):
        return part
    is_name = key in NAMES or any(key.endswith(end) for end in ENDS_OF_NAMES)
    if is_name and (part == "canang" or part.startswith("canang-")):
        return f"chat-{part}"
    for text in ("redis://canang-redis", "http://canang", 'pod=~"canang'):
        part = part.replace(text, text.replace("canang", "chat-canang", 1))
    return part


NAMES = {"/metadata/name", "/spec/scaleTargetRef/name", "/spec/rules//backendRefs//name"}
ENDS_OF_NAMES = ("/serviceAccountName", "/configMapRef/name", "/service/name", "/configMap/name")


def _without_checksums(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = copy.deepcopy(documents)
    for document in kept:
        if document["kind"] == "Deployment":
            document["spec"]["template"]["metadata"].pop("annotations", None)
    return kept
