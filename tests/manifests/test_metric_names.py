"""Alerts, dashboard and autoscaler name only what /metrics of a running node really has."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable

import pytest
from charts import PRODUCTION, render_chart
from expressions import Expression, alert_rules, alerts_of, dashboard_of, panels_of, parse
from manifests import REPOSITORY, Manifests
from support.canang_process import CanangProcess, Metrics
from support.clients import open_client, receive

# Given by Prometheus, not by the server.
OF_PROMETHEUS = {"up"}
AGGREGATION = r"(5 \* )?(sum|min|max|count|histogram_quantile)\b"
LABELS_OF_THE_TARGET = {"namespace", "pod", "job", "instance", "container"}


class Known:
    """What one scrape of a node in a cluster shows: its metrics, and the labels of each."""

    def __init__(self, metrics: Metrics) -> None:
        self.values: dict[str, dict[str, set[str]]] = {}
        for family in metrics.families:
            for sample in family.samples:
                labels = self.values.setdefault(sample.name, {})
                for label, value in sample.labels.items():
                    labels.setdefault(label, set()).add(value)
        # Closes are counted from the first one of a kind on; the page says which kinds there are.
        page = (REPOSITORY / "docs" / "metrics.md").read_text()
        reasons = re.search(r"^Reasons of `canang_closes_total`: (.*?)\.$", page, re.M | re.S)
        assert reasons
        self.values["canang_closes_total"]["reason"] |= set(re.findall(r"`(\w+)`", reasons[1]))

    def faults_of(self, expression: Expression) -> Iterable[str]:
        metrics = {selector["metric"] for selector in expression.selectors}
        for metric in sorted(metrics - OF_PROMETHEUS - set(self.values)):
            yield f"{expression.where}: no metric {metric}"
        grouped = set(expression.labels) - LABELS_OF_THE_TARGET
        for label in sorted(grouped):
            for metric in sorted(metrics & set(self.values)):
                if label not in self.values[metric]:
                    yield f"{expression.where}: {metric} has no label {label}"
        for metric, label, kind, value in expression.uses():
            if metric in self.values and label not in LABELS_OF_THE_TARGET:
                yield from self._faults_of_matcher(expression.where, metric, label, kind, value)

    def _faults_of_matcher(
        self, where: str, metric: str, label: str, kind: str, value: str
    ) -> Iterable[str]:
        known = self.values[metric].get(label)
        if known is None:
            yield f"{where}: {metric} has no label {label}"
            return
        # Of an alternation each part has to mean something.
        parts = value.split("|") if "~" in kind else [re.escape(value)]
        for part in parts:
            if not any(re.fullmatch(part, one) for one in known):
                yield f"{where}: {metric} never has {label}={part!r}"


@pytest.fixture
def known(start_canang: Callable[..., CanangProcess], start_redis: Callable[..., object]) -> Known:
    """A node on a real Redis, of which one client has joined, published and left."""
    node = start_canang(redis=start_redis().url)  # type: ignore[attr-defined]

    async def visit() -> None:
        client = await open_client(node.url("/ws/kitchen"))
        await client.send("dinner is ready")
        await receive(client)
        await client.close()

    asyncio.run(visit())
    node.wait_metric("canang_connections", 0)
    return Known(node.metrics())


def test_alerts_name_only_metrics_and_labels_that_a_node_has(
    known: Known, monitoring: Manifests
) -> None:
    faults = [fault for e in alerts_of(monitoring) for fault in known.faults_of(e)]
    assert not faults, "\n".join(faults)


def test_the_dashboard_names_only_metrics_and_labels_that_a_node_has(
    known: Known, monitoring: Manifests
) -> None:
    faults = [fault for e in panels_of(monitoring) for fault in known.faults_of(e)]
    assert not faults, "\n".join(faults)


def test_the_autoscaler_goes_by_a_metric_that_a_node_has(
    known: Known, production: Manifests
) -> None:
    metrics = production.one("HorizontalPodAutoscaler")["spec"]["metrics"]
    names = [metric["pods"]["metric"]["name"] for metric in metrics if metric["type"] == "Pods"]
    assert names
    assert set(names) - set(known.values) == set()


def test_keda_asks_for_a_metric_that_a_node_has(known: Known) -> None:
    spec = render_chart(PRODUCTION, "ci/ways-in.yaml").one("ScaledObject")["spec"]
    queries = [t["metadata"]["query"] for t in spec["triggers"] if t["type"] == "prometheus"]
    [expression] = parse({"KEDA": query for query in queries})
    assert expression.selectors
    assert list(known.faults_of(expression)) == [], "\n".join(known.faults_of(expression))


def test_names_that_no_node_has_are_found(known: Known) -> None:
    planted = parse(
        {
            "a": "canang_conections > 0",
            "b": 'canang_gaps_total{result="vanished"}',
            "c": 'canang_gaps_total{outcome="lost"}',
            "d": "sum by (room) (canang_connections)",
            "e": 'canang_closes_total{reason=~"drain|tired"}',
            "f": 'sum by (shard) (canang_redis_up{job="canang"}) + up',
        }
    )
    assert [list(known.faults_of(expression)) for expression in planted] == [
        ["a: no metric canang_conections"],
        ["b: canang_gaps_total never has result='vanished'"],
        ["c: canang_gaps_total has no label outcome"],
        ["d: canang_connections has no label room"],
        ["e: canang_closes_total never has reason='tired'"],
        [],
    ]


def test_every_alert_says_what_it_is_and_where_to_read_on(monitoring: Manifests) -> None:
    for rule in alert_rules(monitoring):
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        annotations = rule["annotations"]
        assert set(annotations) == {"summary", "description", "runbook"}, rule["alert"]
        assert annotations["runbook"] == f"docs/operations.md, {rule['alert']}"


def test_the_operators_page_says_what_to_do_about_every_alert(monitoring: Manifests) -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    missing = [rule["alert"] for rule in alert_rules(monitoring) if rule["alert"] not in page]
    assert not missing


def test_templates_of_an_alert_use_only_labels_that_its_expression_keeps(
    monitoring: Manifests,
) -> None:
    by_name = {e.where.removeprefix("alert "): e for e in alerts_of(monitoring)}
    for rule in alert_rules(monitoring):
        expression = by_name[rule["alert"]]
        used = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        if re.match(AGGREGATION, expression.text):  # which keeps no other labels
            assert used <= set(expression.labels), rule["alert"]


def test_the_dashboard_can_be_shown(monitoring: Manifests) -> None:
    dashboard = dashboard_of(monitoring)
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert at["x"] + at["w"] <= 24, f"{panel['title']} is wider than the page"
        assert not cells & taken, f"{panel['title']} covers another panel"
        taken |= cells
