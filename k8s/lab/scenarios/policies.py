"""Who reaches whom in the trial: each pair of a kind of pod and a port, tried with TCP or DNS."""

from __future__ import annotations

import json
from dataclasses import dataclass

from . import deployments, pods
from .cluster import Json, apply, get, kubectl, namespace
from .deployments import NAMESPACE
from .load import NAMESPACE as CLIENTS
from .registry import scenario
from .run import Run
from .scraper import NAMESPACE as OBSERVERS
from .scraper import PROMETHEUS, SCRAPE_LABELS

SERVER = {"app.kubernetes.io/name": "canang", "app.kubernetes.io/component": "server"}
REDIS = {"app.kubernetes.io/name": "redis", "app.kubernetes.io/component": "redis"}
LISTENED = 8080
LISTEN = ("python3", "-m", "http.server", str(LISTENED), "--directory", "/usr/bin")
# A pod with the nodes' labels would be sent clients, were it ever ready.
NEVER_READY = {"readinessGates": [{"conditionType": "lab/never"}]}

# What is dropped is never answered; what is refused was let through.
TRY = """
import concurrent.futures, json, socket, sys
def tried(target):
    name, port = target
    try:
        if port == 53:
            socket.getaddrinfo(name, 80)
        else:
            socket.create_connection((name, port), timeout=3).close()
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "silence"
    return "answered"
targets = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    print(json.dumps(list(pool.map(tried, targets))))
"""


@dataclass(frozen=True)
class Kind:
    """A pod that tries, and what it is to reach; nothing else of the targets."""

    of: str
    labels: dict[str, str]
    reaches: frozenset[str]


def kind(of: str, labels: dict[str, str], *reaches: str) -> Kind:
    return Kind(of, labels, frozenset(reaches))


KINDS = {
    "a client": kind(CLIENTS, {}, "clients' port", "Service", "elsewhere", "DNS", "API server"),
    "Prometheus": kind(
        *(OBSERVERS, PROMETHEUS),
        *("clients' port", "Service", "internal port", "elsewhere", "DNS", "API server"),
    ),
    "another pod beside Prometheus": kind(
        *(OBSERVERS, {}), *("clients' port", "Service", "elsewhere", "DNS", "API server")
    ),
    "a client with Prometheus' label": kind(
        *(CLIENTS, PROMETHEUS), *("clients' port", "Service", "elsewhere", "DNS", "API server")
    ),
    "a node": kind(NAMESPACE, SERVER, "Redis", "DNS"),
    "a pod with Redis' labels": kind(NAMESPACE, REDIS),
    "another pod of the namespace": kind(NAMESPACE, {}),
}


@scenario("policies", "Network policies: who reaches what", short=True)
def policies(run: Run) -> None:
    deployments.trial()
    apply(namespace(CLIENTS), namespace(OBSERVERS, SCRAPE_LABELS))
    names = {what: f"try-{number}" for number, what in enumerate(KINDS)}
    apply(
        *(
            pods.pod(names[what], k.of, labels=k.labels, **_spec(k))
            for what, k in KINDS.items()
        ),
        pods.pod("listener", CLIENTS, pods.container("listener", LISTEN)),
    )
    for what, k in KINDS.items():
        pods.wait_running(names[what], k.of)
    address = pods.wait_running("listener", CLIENTS)["status"]["podIP"]
    targets = _targets(address)
    try:
        for what, k in KINDS.items():
            _try(run, what, k, names[what], targets)
    finally:
        for of in (CLIENTS, OBSERVERS, NAMESPACE):
            kubectl("delete", "pod", "-n", of, "-l", "lab=load", "--wait=true")


def _spec(k: Kind) -> Json:
    return NEVER_READY if k.labels in (SERVER, REDIS) else {}


def _targets(listener: str) -> dict[str, tuple[str, int]]:
    node = deployments.servers()[0]["status"]["podIP"]
    found = get("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=redis")["items"]
    (redis,) = filter(pods.is_ready, found)
    api = get("service", "kubernetes", "-n", "default")["spec"]["clusterIP"]
    service = get("service", "canang", "-n", NAMESPACE)["spec"]["clusterIP"]
    return {
        "clients' port": (node, 8000),
        "Service": (service, 80),
        "internal port": (node, 9000),
        "Redis": (redis["status"]["podIP"], 6379),
        "elsewhere": (listener, LISTENED),
        "API server": (api, 443),
        "DNS": (f"canang.{NAMESPACE}.svc.cluster.local.", 53),
    }


def _try(run: Run, what: str, k: Kind, name: str, targets: dict[str, tuple[str, int]]) -> None:
    said = json.loads(pods.python(name, k.of, TRY, json.dumps(list(targets.values()))))
    reached = {target for target, answer in zip(targets, said, strict=True) if answer != "silence"}
    run.tell(f"{what} reaches {', '.join(sorted(reached)) or 'nothing'}")
    run.figure(f"{what}: reaches what it should", len(reached & k.reaches), len(k.reaches), at_least=True)
    run.figure(f"{what}: reaches besides", len(reached - k.reaches), 0)
