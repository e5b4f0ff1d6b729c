"""The PromQL of alerts and dashboard, parsed by Prometheus' own parser."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from manifests import BINARIES, Manifests

# What Grafana puts in for its variables, as far as the parser minds.
GRAFANA_INTERVAL = re.compile(r"\$__(rate_)?interval\b")


@dataclass
class Expression:
    where: str
    text: str
    selectors: list[dict[str, Any]]
    labels: list[str]  # that it aggregates or joins by

    def uses(self) -> Iterator[tuple[str, str, str, str]]:
        """(metric, label, kind of match, value) of each matcher."""
        for selector in self.selectors:
            for m in selector["matchers"]:
                yield selector["metric"], m["label"], m["kind"], m["value"]


def parse(texts: dict[str, str]) -> list[Expression]:
    """{where: text}; fails with all that do not parse."""
    lines = "\n".join(json.dumps(GRAFANA_INTERVAL.sub("5m", text)) for text in texts.values())
    parser = [str(BINARIES / "promql")]
    done = subprocess.run(parser, input=lines, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(texts)
    wrong = [f"{w}: {a['error']}" for w, a in zip(texts, answers, strict=True) if "error" in a]
    assert not wrong, "\n".join(wrong)
    return [
        Expression(where, text, answer["selectors"], answer["labels"])
        for (where, text), answer in zip(texts.items(), answers, strict=True)
    ]


def alert_rules(monitoring: Manifests) -> list[dict[str, Any]]:
    return [
        rule
        for document in monitoring.of_kind("PrometheusRule")
        for group in document["spec"]["groups"]
        for rule in group["rules"]
    ]


def alerts_of(monitoring: Manifests) -> list[Expression]:
    return parse({f"alert {rule['alert']}": rule["expr"] for rule in alert_rules(monitoring)})


def dashboard_of(monitoring: Manifests) -> dict[str, Any]:
    return json.loads(monitoring.one("ConfigMap", "canang-dashboard")["data"]["canang.json"])


def panels_of(monitoring: Manifests) -> list[Expression]:
    dashboard = dashboard_of(monitoring)
    texts = {
        f"panel {panel['title']!r} {target['refId']}": target["expr"]
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    }
    texts |= {f"annotation {a['name']!r}": a["expr"] for a in dashboard["annotations"]["list"]}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((.*), *\w+\)", variable["query"]["query"])
            assert found, variable
            texts[f"variable {variable['name']}"] = found[1]
    return parse(texts)
