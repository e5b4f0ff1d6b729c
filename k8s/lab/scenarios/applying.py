"""Each overlay applied to an empty namespace, and what the namespace refuses."""

from __future__ import annotations

import copy
import json
import secrets
import time

from . import deployments, judging, pods
from .cluster import Answer, Failed, Json, apply, get, kubectl, namespace, secret
from .deployments import NAMESPACE
from .load import Crowd, Load
from .redis_elsewhere import redis_with_tls
from .registry import scenario
from .run import Run
from .scraper import NAMESPACE as OBSERVERS
from .scraper import PROMETHEUS, SCRAPE_LABELS

TALK_S = 5.0
FEW = Crowd(rooms=10, members=2, rate=50)
ASK = """
import sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
try:
    print(urllib.request.urlopen(request, timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


def applied(run: Run, answer: Answer) -> None:
    for line in answer.warnings:
        run.tell(f"kubectl: {line}")
    run.figure("objects made", deployments.objects_of(answer), 1, at_least=True)
    run.figure("warnings", len(answer.warnings), 0)


def talked(run: Run, url: str | None = None) -> None:
    """A few clients chat for some seconds."""
    with Load(FEW, **({"url": url} if url else {})) as load:
        time.sleep(TALK_S)  # of talk
    judging.delivered(run, load.journal())


@scenario("trial", "`apply -k` of the trial, and a chat", short=True)
def trial(run: Run) -> None:
    deployments.remove()
    began = run.mark("apply the trial")
    answer = deployments.apply(deployments.overlay("trial", "trial"))
    applied(run, answer)
    deployments.rolled_out()
    run.figure("until it is rolled out", pods.now() - began, 60, "s")
    run.figure("restarts", sum(map(pods.restarts, deployments.servers())), 0)
    run.figure("nodes", len(deployments.servers()), 2, at_least=True)
    talked(run)


@scenario("production", "`apply -k` of production: Redis over TLS, secrets, autoscaler")
def production(run: Run) -> None:
    deployments.remove()
    password, key = secrets.token_hex(16), secrets.token_hex(32)
    apply(namespace(NAMESPACE, {"pod-security.kubernetes.io/enforce": "restricted"}))
    apply(
        secret("canang-redis", NAMESPACE, redis_with_tls(password)),
        secret("canang-internal", NAMESPACE, {"key": key}),
    )
    began = run.mark("apply production")
    # The namespace is there already, as k8s/README.md says.
    applied(run, deployments.apply(deployments.overlay("production", "production")))
    run.figure("until three nodes are ready", _until_ready(run, 3, began), 90, "s")
    run.figure("restarts", sum(map(pods.restarts, deployments.servers())), 0)
    run.figure("until the autoscaler has both metrics", _until_metrics(run, began), 120, "s")
    shown = kubectl("get", "pods,configmaps,deployments", "-n", NAMESPACE, "-o", "yaml").out
    run.figure("secrets that pods and ConfigMaps show", sum(s in shown for s in (password, key)), 0)
    _ask_internal_port(run, key)
    talked(run)
    deployments.remove()
    kubectl("delete", "namespace", "elsewhere", "--wait=false")


def _until_ready(run: Run, count: int, since: float) -> float:
    def ready() -> bool:
        return sum(map(pods.is_ready, deployments.servers())) >= count

    return run.seconds_until(ready, since, f"{count} nodes are ready", 120)


def _until_metrics(run: Run, since: float) -> float:
    def known() -> bool:
        status = get("hpa", "canang", "-n", NAMESPACE)["status"]
        return {m["type"] for m in status.get("currentMetrics") or []} >= {"Pods", "Resource"}

    return run.seconds_until(known, since, "the autoscaler knows connections and CPU", 180)


def _ask_internal_port(run: Run, key: str) -> None:
    """Who may scrape still needs the key for the rest of it."""
    apply(namespace(OBSERVERS, SCRAPE_LABELS), pods.pod("asker", OBSERVERS, labels=PROMETHEUS))
    pods.wait_running("asker", OBSERVERS)
    url = f"http://canang-internal.{NAMESPACE}.svc.cluster.local:9000"
    asked = {
        "/metrics without the key": (f"{url}/metrics", "-", 200),
        "/nodes without the key": (f"{url}/nodes", "-", 401),
        "/nodes with the key": (f"{url}/nodes", key, 200),
    }
    for what, (page, bearer, wanted) in asked.items():
        run.equal(what, int(pods.python("asker", OBSERVERS, ASK, page, bearer)), wanted)
    pods.delete(OBSERVERS, "asker")


@scenario("monitoring", "`apply -k` of monitoring, beside the trial")
def monitoring(run: Run) -> None:
    deployments.trial()
    operator = deployments.go_module("github.com/prometheus-operator/prometheus-operator")
    folder = str(operator / "example" / "prometheus-operator-crd")
    kubectl("apply", "--server-side", "-f", folder)  # too big for an annotation
    kinds = ("podmonitors", "prometheusrules")
    names = [f"crd/{kind}.monitoring.coreos.com" for kind in kinds]
    kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)
    run.mark("apply monitoring")
    applied(run, kubectl("apply", "-k", "k8s/overlays/monitoring"))
    for kind in kinds:
        run.figure(kind, len(get(kind, "-n", NAMESPACE)["items"]), 1, at_least=True)
    kubectl("delete", "-k", "k8s/overlays/monitoring")


# Each breaks the profile in one way; the words are the refusal's.
BREAKS = {
    "privileged": ("container", {"privileged": True, "allowPrivilegeEscalation": True}),
    "may escalate": ("container", {"allowPrivilegeEscalation": True}),
    "keeps capabilities": ("container", {"capabilities": {}}),
    "as root": ("pod", {"runAsNonRoot": False, "runAsUser": 0}),
    "without seccomp": ("pod", {"seccompProfile": {"type": "Unconfined"}}),
    "on the machine's network": ("spec", {"hostNetwork": True}),
    "with a folder of the machine": (
        "spec",
        {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]},
    ),
}


def _broken(kind: str, change: Json) -> Json:
    made = copy.deepcopy(pods.pod("breaker", NAMESPACE))
    spec = made["spec"]
    target = {
        "container": spec["containers"][0]["securityContext"],
        "pod": spec["securityContext"],
        "spec": spec,
    }[kind]
    target.update(change)
    return made


@scenario("restricted", "Pods that break the restricted profile", short=True)
def restricted(run: Run) -> None:
    deployments.trial()
    for what, (kind, change) in BREAKS.items():
        run.equal(f"refused: {what}", _is_refused(_broken(kind, change)), 1)
    run.equal("refused: one that keeps to it", _is_refused(pods.pod("keeps", NAMESPACE)), 0)


def _is_refused(pod: Json) -> bool:
    tried = ("apply", "--dry-run=server", "-f", "-")
    answer = kubectl(*tried, stdin=json.dumps(pod), fails=True)
    if answer.code and "violates PodSecurity" not in answer.err:
        raise Failed(answer.err)
    return answer.code != 0
