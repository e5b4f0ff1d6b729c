"""What helm makes of the chart, and what it says of values that are wrong."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import yaml
from manifests import BINARIES, MANIFESTS, Manifests

CHART = MANIFESTS / "chart"
PRODUCTION = "values-production.yaml"


def helm(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BINARIES / "helm"), *arguments], input=stdin, capture_output=True, text=True, check=False
    )


def template(
    *files: str, values: dict[str, Any] | None = None, release: str = "canang"
) -> subprocess.CompletedProcess[str]:
    """`files` are the chart's own. `values` go on top of them."""
    options = [option for file in files for option in ("--values", str(CHART / file))]
    where = ("template", release, str(CHART), "--namespace", "canang")
    return helm(*where, *options, "--values", "-", stdin=yaml.safe_dump(values or {}))


def render_chart(
    *files: str, values: dict[str, Any] | None = None, release: str = "canang"
) -> Manifests:
    done = template(*files, values=values, release=release)
    assert done.returncode == 0, done.stderr
    return Manifests(done.stdout)


def refusal(*files: str, values: dict[str, Any]) -> str:
    """What helm says of them, in one line."""
    done = template(*files, values=values)
    assert done.returncode != 0, "nothing was refused"
    return re.sub(r"\s+", " ", done.stderr)


def is_hook(document: dict[str, Any]) -> bool:
    return "helm.sh/hook" in document["metadata"].get("annotations", {})


def environment_of_chart(**values: Any) -> dict[str, str]:
    return render_chart(values=values).environment()
