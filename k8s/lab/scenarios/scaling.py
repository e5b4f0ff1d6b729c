"""More nodes and fewer: by hand with the share of each, and by the autoscaler's rules."""

from __future__ import annotations

import time

from rollout.settings import FULLEST_LIMIT

from . import deployments, judging, pods
from .cluster import REPOSITORY, get, kubectl
from .deployments import NAMESPACE
from .load import Crowd, Load
from .registry import scenario
from .run import Run
from .scraper import Scraper
from .watch import Watch

MANY = Crowd(rooms=40, members=15, rate=100)
QUIET_S = 10.0
REBALANCE_TIMEOUT_S = 180


@scenario("scale", "2 nodes to 5 and back to 2, with the share of each")
def scale(run: Run) -> None:
    deployments.trial()
    with Watch() as watch, Scraper(watch) as scraper, Load(MANY) as load:
        time.sleep(QUIET_S)
        _tell(run, scraper, "two nodes")
        grew = run.mark("2 to 5")
        kubectl("scale", "deployment/canang", "-n", NAMESPACE, "--replicas=5")
        deployments.rolled_out()
        run.figure("until five nodes serve", pods.now() - grew, 60, "s")
        balanced_s = run.seconds_until(
            *(lambda: _excess(scraper, 5) <= FULLEST_LIMIT, grew, "five nodes share"),
            *(REBALANCE_TIMEOUT_S, 2),
        )
        run.figure("until all five have their share", balanced_s, REBALANCE_TIMEOUT_S, "s")
        time.sleep(QUIET_S)
        _tell(run, scraper, "five nodes")
        shrank = run.mark("5 to 2")
        kubectl("scale", "deployment/canang", "-n", NAMESPACE, "--replicas=2")
        gone_s = run.seconds_until(lambda: len(watch.now()) == 2, shrank, "two nodes are left", 120)
        run.figure("until two nodes are left", gone_s, 60, "s")
        time.sleep(QUIET_S)
        _tell(run, scraper, "two nodes again")
        ended = pods.now()
        run.figure("restarts", watch.restarted(), 0)
        run.samples = scraper.samples()
    judging.delivered(run, load.journal())
    judging.closed_gently(run, load.journal(), grew, ended)


def _excess(scraper: Scraper, nodes: int) -> float:
    counts = list(scraper.connections().values())
    if len(counts) < nodes or not sum(counts):
        return float("inf")
    return max(counts) / (sum(counts) / len(counts))


def _tell(run: Run, scraper: Scraper, what: str) -> None:
    shares = sorted(scraper.connections().values())
    run.tell(f"{what}: connections {shares}")
    for share, number in zip(reversed(shares), range(1, len(shares) + 1), strict=True):
        run.figure(f"{what}: connections of node {number}", share)
    mean = sum(shares) / len(shares) if shares else 0
    most = max(shares) / mean if mean else None
    # Two nodes get their clients by the Service's throw of dice, and keep them.
    limit = FULLEST_LIMIT if len(shares) > 2 else None
    run.figure(f"{what}: the fullest", most, limit, "times the mean")


TARGET = 50  # connections a node, for the autoscaler
FULL = Crowd(rooms=20, members=10, rate=20)  # four nodes' worth
# Of k8s/overlays/production/horizontalpodautoscaler.yaml.
LULL_S = 600
STEP_S = 300
SYNC_S = 20  # how late the autoscaler may look, and count a window as over


@scenario("autoscale", "The autoscaler, by connections: up at once, down by its slow rule")
def autoscale(run: Run) -> None:
    """Production's rules to the letter, but for the aim and the fewest and most nodes."""
    deployments.trial()
    path = REPOSITORY / "k8s" / "overlays" / "production" / "horizontalpodautoscaler.yaml"
    folder = deployments.overlay(
        "autoscale", "trial", files={"autoscaler.yaml": path.read_text()}, patches=[_aim()]
    )
    deployments.apply(folder)
    with Watch() as watch:
        with Load(FULL) as load:
            began = run.mark(f"{FULL.clients} clients, {TARGET} a node wanted")
            up_s = run.seconds_until(lambda: _wanted() == 4, began, "four nodes are wanted", 90)
            run.figure("until four nodes are wanted", up_s, 60, "s")
            ready_s = run.seconds_until(lambda: len(watch.serving()) == 4, began, "they serve", 90)
            run.figure("until four nodes serve", ready_s, 90, "s")
            time.sleep(QUIET_S)
        judging.delivered(run, load.journal())
        left = run.mark("all clients leave")
        first_s = run.seconds_until(lambda: _wanted() < 4, left, "the first node goes", LULL_S + 180)
        run.figure("until the first node goes", first_s, LULL_S - SYNC_S, "s", at_least=True)
        run.figure("nodes wanted then", _wanted(), 3, at_least=True)
        second_s = run.seconds_until(lambda: _wanted() < 3, left, "the second node goes", STEP_S + 120)
        run.figure("between the two", second_s - first_s, STEP_S - SYNC_S, "s", at_least=True)
    kubectl("delete", "hpa", "canang", "-n", NAMESPACE)


def _aim() -> dict[str, object]:
    patch = f"""[
      {{"op": "replace", "path": "/spec/minReplicas", "value": 2}},
      {{"op": "replace", "path": "/spec/maxReplicas", "value": 5}},
      {{"op": "replace", "path": "/spec/metrics/0/pods/target/averageValue", "value": "{TARGET}"}}
    ]"""
    return {"target": {"kind": "HorizontalPodAutoscaler", "name": "canang"}, "patch": patch}


def _wanted() -> int:
    return get("deployment", "canang", "-n", NAMESPACE)["spec"]["replicas"]
