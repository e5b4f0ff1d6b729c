"""Prints the rules of the PrometheusRules in a file of manifests, as Prometheus reads them."""

import sys
from pathlib import Path

import yaml


def rules_of(text: str) -> str:
    documents = [document for document in yaml.safe_load_all(text) if document]
    rules = [document for document in documents if document["kind"] == "PrometheusRule"]
    groups = [group for document in rules for group in document["spec"]["groups"]]
    if not groups:
        raise SystemExit("there is no PrometheusRule")
    return yaml.safe_dump({"groups": groups}, sort_keys=False)


if __name__ == "__main__":
    print(rules_of(Path(sys.argv[1]).read_text()), end="")
