"""What parts of the manifests have to say to each other, which no schema knows."""

from __future__ import annotations

import re

import yaml
from manifests import MANIFESTS, Manifests, selects

MARGIN_S = 10


def seconds(duration: str) -> int:
    found = re.fullmatch(r"(\d+)s", duration)
    assert found, f"{duration} is not in seconds"
    return int(found[1])


def test_a_drain_ends_before_the_kubelet_kills(overlay: Manifests) -> None:
    environment = overlay.environment()
    drain = sum(seconds(environment[f"CANANG_DRAIN_{part}"]) for part in ("GRACE", "PERIOD"))
    assert overlay.pod()["terminationGracePeriodSeconds"] >= drain + MARGIN_S


def test_unready_is_noticed_within_the_drains_grace(overlay: Manifests) -> None:
    probe = overlay.container()["readinessProbe"]
    noticed = probe["periodSeconds"] * probe["failureThreshold"]
    assert noticed < seconds(overlay.environment()["CANANG_DRAIN_GRACE"])


def test_a_rollout_adds_a_node_before_it_takes_one_away(overlay: Manifests) -> None:
    strategy = overlay.one("Deployment")["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_probes_ask_the_internal_port_and_liveness_does_not_depend_on_redis(
    overlay: Manifests,
) -> None:
    container = overlay.container()
    paths = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    for probe, path in paths.items():
        assert container[probe]["httpGet"] == {"path": path, "port": "internal"}


def test_a_node_that_hangs_is_restarted_soon_but_not_for_a_stutter(overlay: Manifests) -> None:
    probe = overlay.container()["livenessProbe"]
    patience = probe["periodSeconds"] * (probe["failureThreshold"] - 1) + probe["timeoutSeconds"]
    assert patience >= 10
    killed = probe["periodSeconds"] + patience + probe["terminationGracePeriodSeconds"]
    assert killed <= 20


def test_a_lost_machine_is_given_up_at_once(overlay: Manifests, trial: Manifests) -> None:
    pods = [overlay.pod()] + [
        d["spec"]["template"]["spec"] for d in trial.documents if d["kind"] == "Deployment"
    ]
    for pod in pods:
        patience = {t["key"]: t["tolerationSeconds"] for t in pod["tolerations"]}
        assert patience["node.kubernetes.io/unreachable"] == 0
        assert 10 <= patience["node.kubernetes.io/not-ready"] <= 60


def test_ports_are_those_that_the_server_listens_on(overlay: Manifests) -> None:
    environment, ports = overlay.environment(), overlay.container()["ports"]
    by_name = {port["name"]: port["containerPort"] for port in ports}
    # The public default is every address, the internal one the loopback.
    assert by_name["http"] == 8000 and "CANANG_LISTEN" not in environment
    assert environment["CANANG_INTERNAL_LISTEN"] == f"0.0.0.0:{by_name['internal']}"


def test_workers_are_set_where_no_cpu_limit_says_how_many(overlay: Manifests) -> None:
    assert "cpu" not in overlay.container()["resources"]["limits"]
    assert int(overlay.environment()["CANANG_WORKERS"]) >= 1


def test_services_and_budget_select_the_nodes_and_nothing_else(overlay: Manifests) -> None:
    selectors = [
        overlay.one("Service")["spec"]["selector"],
        overlay.one("Service", "canang-internal")["spec"]["selector"],
        overlay.one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
    ]
    for deployment in overlay.of_kind("Deployment"):
        name = deployment["metadata"]["name"]
        for selector in selectors:
            assert selects(selector, overlay.pod_labels(name)) == (name == "canang")


def test_the_pod_monitor_selects_the_nodes_and_their_port(
    overlay: Manifests, monitoring: Manifests
) -> None:
    spec = monitoring.one("PodMonitor")["spec"]
    assert selects(spec["selector"]["matchLabels"], overlay.pod_labels())
    assert spec["podMetricsEndpoints"][0]["port"] in [
        port["name"] for port in overlay.container()["ports"]
    ]
    # The alerts select by the job that this label makes.
    assert overlay.pod_labels()[spec["jobLabel"]] == "canang"


def test_nothing_may_talk_but_what_is_named(overlay: Manifests) -> None:
    policies = {p["metadata"]["name"]: p["spec"] for p in overlay.of_kind("NetworkPolicy")}
    denied = policies.pop("default-deny")
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    rules = policies["canang"]["ingress"]
    # By number: not every network plugin knows ports by their names.
    ports = {port["name"]: port["containerPort"] for port in overlay.container()["ports"]}
    wanted = [[{"port": ports["http"]}], [{"port": ports["internal"]}]]
    assert [rule["ports"] for rule in rules] == wanted
    assert "from" not in rules[0]
    # Both in one: of a namespace that may scrape, not every pod.
    assert rules[1]["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"canang/may-scrape": "true"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
        }
    ]


def test_only_the_nodes_reach_the_trials_redis(trial: Manifests) -> None:
    [rule] = trial.one("NetworkPolicy", "redis")["spec"]["ingress"]
    [peer] = rule["from"]
    assert selects(peer["podSelector"]["matchLabels"], trial.pod_labels())
    assert not selects(peer["podSelector"]["matchLabels"], trial.pod_labels("redis"))
    [rule] = trial.one("NetworkPolicy", "canang-to-redis")["spec"]["egress"]
    assert selects(rule["to"][0]["podSelector"]["matchLabels"], trial.pod_labels("redis"))


def test_nodes_come_quickly_and_go_one_by_one(production: Manifests) -> None:
    spec = production.one("HorizontalPodAutoscaler")["spec"]
    assert spec["minReplicas"] >= 3
    assert "replicas" not in production.one("Deployment")["spec"]
    down, up = spec["behavior"]["scaleDown"], spec["behavior"]["scaleUp"]
    assert down["stabilizationWindowSeconds"] == 600
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 300}]
    assert up["stabilizationWindowSeconds"] == 0


def test_the_autoscaler_aims_below_what_a_node_refuses(production: Manifests) -> None:
    metrics = production.one("HorizontalPodAutoscaler")["spec"]["metrics"]
    [target] = [int(m["pods"]["target"]["averageValue"]) for m in metrics if m["type"] == "Pods"]
    assert target <= int(production.environment()["CANANG_MAX_CONNECTIONS"]) / 2


def test_images_have_a_version_that_kustomize_sets(overlay: Manifests) -> None:
    for deployment in overlay.of_kind("Deployment"):
        image = overlay.container(deployment["metadata"]["name"])["image"]
        assert re.fullmatch(r"[a-z]+:[0-9]+\.[0-9.]+(-\w+)?", image), image


def test_the_readmes_rule_for_the_metrics_adapter_serves_the_autoscalers_metric(
    production: Manifests,
) -> None:
    text = (MANIFESTS / "README.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.S)
    [rules] = [yaml.safe_load(block)["rules"] for block in blocks if "seriesQuery" in block]
    metrics = production.one("HorizontalPodAutoscaler")["spec"]["metrics"]
    [wanted] = [m["pods"]["metric"]["name"] for m in metrics if m["type"] == "Pods"]
    [rule] = rules
    assert rule["seriesQuery"].startswith(wanted + "{")
    assert set(rule["resources"]["overrides"]) == {"namespace", "pod"}
