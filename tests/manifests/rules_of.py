"""Prints the rules of the PrometheusRules in a file of manifests, as Prometheus reads them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml


def groups_of(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rules = [document for document in documents if document["kind"] == "PrometheusRule"]
    return [group for document in rules for group in document["spec"]["groups"]]


if __name__ == "__main__":
    text = Path(sys.argv[1]).read_text()
    groups = groups_of([document for document in yaml.safe_load_all(text) if document])
    if not groups:
        raise SystemExit(f"{sys.argv[1]} has no PrometheusRule")
    print(yaml.safe_dump({"groups": groups}, sort_keys=False), end="")
