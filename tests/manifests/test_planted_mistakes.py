"""Each kind of check finds a mistake of its kind: one is planted in a copy of the manifests, and
`k8s/check` fails with it for that reason. The copy without a mistake passes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from manifests import MANIFESTS, REPOSITORY
from support.process_lifetime import die_with_parent

CHECK = REPOSITORY / "k8s" / "check"

# step, file, what is there, what is planted, what the check says of it
MISTAKES = {
    "a resource that is not there": (
        *("render", "base/kustomization.yaml"),
        *("  - deployment.yaml\n", "  - deployments.yaml\n"),
        "deployments.yaml",
    ),
    "a field that does not exist": (
        *("schemas", "base/deployment.yaml"),
        *("minReadySeconds: 10", "minReadySecond: 10"),
        r"minReadySecond",
    ),
    "a value of the wrong type": (
        *("schemas", "overlays/production/horizontalpodautoscaler.yaml"),
        *("minReplicas: 3", 'minReplicas: "three"'),
        r"minReplicas",
    ),
    "a field that no PodMonitor has": (
        *("schemas", "overlays/monitoring/podmonitor.yaml"),
        *("scrapeTimeout: 5s", "scrapeTimeouts: 5s"),
        r"scrapeTimeouts",
    ),
    "a privileged container": (
        *("security", "base/deployment.yaml"),
        *("allowPrivilegeEscalation: false", "privileged: true"),
        r"canang.*violates restricted.*privileged",
    ),
    "a pod that may run as root": (
        *("security", "overlays/trial/redis.yaml"),
        *("runAsNonRoot: true", "runAsNonRoot: false"),
        r"redis.*violates restricted.*runAsNonRoot",
    ),
    "no limits": (
        *("lint", "base/deployment.yaml"),
        *("            limits:\n              memory: 512Mi\n", "            limits:\n"),
        r"Memory limit is not set",
    ),
    "a writable root file system": (
        *("lint", "base/deployment.yaml"),
        *("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"),
        r"writable root filesystem",
    ),
    "a service that selects nothing": (
        *("lint", "base/service.yaml"),
        *("    app.kubernetes.io/component: server\n  ports", "    tier: none\n  ports"),
        r"selector does not match any pods",
    ),
    "a template that is no template": (
        *("render", "chart/templates/service.yaml"),
        *('{{- include "canang.metadata"', '{{- includes "canang.metadata"'),
        r'function "includes" not defined',
    ),
    "a field that no HTTPRoute has": (
        *("schemas", "chart/templates/httproute.yaml"),
        *("- backendRefs:", "- backendRef:"),
        r"backendRef\b",
    ),
    "a field that no ScaledObject has": (
        *("schemas", "chart/templates/scaledobject.yaml"),
        *("maxReplicaCount:", "maxReplicas:"),
        r"maxReplicas",
    ),
    "a test of the chart that may run as root": (
        *("security", "chart/templates/_helpers.tpl"),
        *("runAsNonRoot: true", "runAsNonRoot: false"),
        r"Pod canang-test violates restricted.*runAsNonRoot",
    ),
    "a writable root file system, in the chart": (
        *("lint", "chart/templates/_helpers.tpl"),
        *("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"),
        r"chart-trial:.*writable root filesystem",
    ),
    "a chart that helm would warn of": (
        *("lint", "chart/templates/service.yaml"),
        *('printf "%s-internal"', 'printf "%s_internal"'),
        r"chart-trial: .*canang_internal.*1 chart\(s\) failed",
    ),
    "an expression that is no PromQL": (
        *("alerts", "overlays/monitoring/prometheusrule.yaml"),
        *('expr: up{job="canang"} == 0', 'expr: up{job="canang" == 0'),
        r"could not parse expression",
    ),
    "a label in a template that is misspelt": (
        *("alerts", "overlays/monitoring/prometheusrule.yaml"),
        *("Node {{ $labels.pod }} does not", "Node {{ $label.pod }} does not"),
        r"undefined variable",
    ),
    "an alert that waits too long": (
        *("alerts", "overlays/monitoring/prometheusrule.yaml"),
        *(
            'canang_redis_up{job="canang"}) == 0\n          for: 1m',
            'canang_redis_up{job="canang"}) == 0\n          for: 9m',
        ),
        r"exp: .*CanangRedisAway.*got: ",
    ),
    "a metric that no node has, in an alert": (
        *("tests", "overlays/monitoring/prometheusrule.yaml"),
        *('expr: canang_headroom_ratio{', 'expr: canang_legroom_ratio{'),
        r"alert CanangHeadroomLow: no metric canang_legroom_ratio",
    ),
    "a label that its metric never has, in an alert": (
        *("tests", "overlays/monitoring/prometheusrule.yaml"),
        *('result="lost"', 'result="gone"'),
        r"CanangMessagesLost: canang_gaps_total never has result='gone'",
    ),
    "a metric that no node has, in the dashboard": (
        *("tests", "overlays/monitoring/dashboard.json"),
        *("sum(canang_rooms{", "sum(canang_chambers{"),
        r"panel 'Rooms on nodes' A: no metric canang_chambers",
    ),
    "a metric that no node has, in the autoscaler": (
        *("tests", "overlays/production/horizontalpodautoscaler.yaml"),
        *("name: canang_connections", "name: canang_clients"),
        r"canang_clients",
    ),
    "an option that does not exist": (
        *("tests", "base/canang.env"),
        *("CANANG_WORKERS=2", "CANANG_WORKERS=2\nCANANG_WORKER_COUNT=2"),
        r"CANANG_WORKER_COUNT",
    ),
    "a flag that does not exist": (
        *("tests", "base/deployment.yaml"),
        *("          envFrom:", "          args: [--drain-speed=9]\n          envFrom:"),
        r"--drain-speed",
    ),
    "an option's value that the server refuses": (
        *("tests", "overlays/trial/kustomization.yaml"),
        *("redis://redis:6379", "http://redis:6379"),
        r"--redis: 'redis' is no Redis URL",
    ),
    "a chart that probes otherwise than the overlays": (
        *("tests", "chart/templates/deployment.yaml"),
        *("periodSeconds: 2\n", "periodSeconds: 3\n"),
        r"Deployment canang: \S+readinessProbe/periodSeconds: 2 in the overlays, 3 in the chart",
    ),
    "a chart whose values for production are others": (
        *("tests", "chart/values-production.yaml"),
        *("accept-rate: 1000", "accept-rate: 2000"),
        r"ConfigMap canang: /data/CANANG_ACCEPT_RATE: '1000' in the overlays, '2000' in the chart",
    ),
    "an overlay that has what the chart has not": (
        *("tests", "overlays/trial/redis.yaml"),
        *("    - name: redis\n      port: 6379\n", "    - name: redis\n      port: 6379\n      protocol: TCP\n"),
        r"Service canang-redis: /spec/ports/0/protocol: 'TCP' in the overlays, 'nothing' in the chart",
    ),
    "a metric that no node has, for KEDA": (
        *("tests", "chart/templates/scaledobject.yaml"),
        *("sum(canang_connections{", "sum(canang_customers{"),
        r"KEDA: no metric canang_customers",
    ),
    "a drain that the kubelet would cut short": (
        *("tests", "base/deployment.yaml"),
        *("terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: 30"),
        r"FAILED \S+test_a_drain_ends_before_the_kubelet_kills",
    ),
}


# These fail in tests/manifests, and can be planted all at once: a run of it takes some seconds.
MISTAKES_OF_NAMES = {name: m for name, m in MISTAKES.items() if m[0] == "tests"}
OTHER_MISTAKES = {name: m for name, m in MISTAKES.items() if m[0] != "tests"}


def copy_of_the_manifests(directory: Path) -> Path:
    copy = directory / "k8s"
    # The chart's links to other files lead to the copies of these.
    shutil.copytree(MANIFESTS, copy, symlinks=True, ignore=shutil.ignore_patterns("tools", "check"))
    return copy


def plant(copy: Path, file: str, right: str, wrong: str) -> None:
    text = (copy / file).read_text()
    assert right in text, "the mistake has nowhere to be planted"
    (copy / file).write_text(text.replace(right, wrong, 1))


def check(copy: Path, *steps: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(CHECK), "--of", str(copy), *steps],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        preexec_fn=die_with_parent,
        check=False,
    )


def failed_with(done: subprocess.CompletedProcess[str], step: str, message: str) -> None:
    assert done.returncode == 1, done.stdout
    assert done.stdout.endswith(f"k8s/check: failed: {step}\n"), done.stdout
    assert re.search(message, done.stdout, re.S), done.stdout


def test_a_copy_without_a_mistake_passes(tmp_path: Path) -> None:
    done = check(copy_of_the_manifests(tmp_path), "render", "schemas", "security", "lint", "alerts")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mistake", OTHER_MISTAKES)
def test_a_planted_mistake_is_found(mistake: str, tmp_path: Path) -> None:
    step, file, right, wrong, message = OTHER_MISTAKES[mistake]
    copy = copy_of_the_manifests(tmp_path)
    plant(copy, file, right, wrong)
    failed_with(check(copy, step), step, message)


@pytest.fixture(scope="module")
def all_names_wrong(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    copy = copy_of_the_manifests(tmp_path_factory.mktemp("names"))
    for _, file, right, wrong, _ in MISTAKES_OF_NAMES.values():
        plant(copy, file, right, wrong)
    return check(copy, "tests")


@pytest.mark.parametrize("mistake", MISTAKES_OF_NAMES)
def test_a_planted_wrong_name_is_found(
    mistake: str, all_names_wrong: subprocess.CompletedProcess[str]
) -> None:
    step, _, _, _, message = MISTAKES_OF_NAMES[mistake]
    failed_with(all_names_wrong, step, message)
