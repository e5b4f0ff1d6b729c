"""What an operator does on purpose: none of it may cost a client more than a reconnect."""

from __future__ import annotations

import time

from . import deployments, judging, pods
from .cluster import get, kubectl, machines
from .deployments import NAMESPACE
from .load import Load
from .registry import Skipped, scenario
from .run import Run
from .watch import SERVERS, Watch

QUIET_S = 3.0  # of normal service, so that one thing does not hide in the next
BAD_OPTION_S = 30.0
WAIT = "--timeout=150s"


@scenario("restart", "`rollout restart`", short=True)
def restart(run: Run) -> None:
    deployments.trial()
    with Watch() as watch, Load() as load:
        time.sleep(QUIET_S)
        began = run.mark("rollout restart")
        kubectl("rollout", "restart", "deployment/canang", "-n", NAMESPACE)
        deployments.rolled_out()
        run.figure("until it is rolled out", pods.now() - began, 180, "s")
        _wait_gone(run, began)
        ended = pods.now()
        run.figure("fewest nodes that served", watch.least_serving(began), 2, at_least=True)
    judging.delivered(run, load.journal())
    judging.closed_gently(run, load.journal(), began, ended)


def _wait_gone(run: Run, since: float) -> None:
    """Until those that left have, with their last clients."""
    run.seconds_until(
        lambda: len(get("pods", "-n", NAMESPACE, "-l", SERVERS)["items"]) == 2,
        since,
        "the old nodes are gone",
        120,
    )


@scenario("bad-option", "An option that is wrong, and `rollout undo`")
def bad_option(run: Run) -> None:
    deployments.trial()
    before = {pod["metadata"]["name"] for pod in deployments.servers()}
    bad = deployments.overlay("bad-option", "trial", patches=[_wrong_workers()])
    with Watch() as watch, Load() as load:
        began = run.mark("apply a wrong option")
        deployments.apply(bad)
        crashed_s = run.seconds_until(lambda: _crashed(before), began, "the new node ends", 60)
        run.figure("until the new node says that it is wrong", crashed_s, 30, "s")
        time.sleep(BAD_OPTION_S)  # of trying again
        said = kubectl("logs", "-n", NAMESPACE, _new(before), "--previous", fails=True)
        named = "workers" in (said.out + said.err).lower()
        run.equal("its log names the option", named, 1)
        undone = run.mark("rollout undo")
        kubectl("rollout", "undo", "deployment/canang", "-n", NAMESPACE)
        deployments.rolled_out()
        run.figure("until it is undone", pods.now() - undone, 60, "s")
        run.figure("fewest nodes that served", watch.least_serving(began), 2, at_least=True)
        after = {pod["metadata"]["name"] for pod in deployments.servers()}
        run.equal("nodes that stayed all the time", len(after & before), len(before))
    judging.delivered(run, load.journal())
    closed = sum(outage.lost_s >= began for outage in load.journal().outages)
    run.figure("connections that were closed", closed, 0)


def _wrong_workers() -> dict[str, object]:
    """As an edit of canang.env would do it, in a ConfigMap whose name is of what it says."""
    patch = [{"op": "replace", "path": "/data/CANANG_WORKERS", "value": "many"}]
    return {"target": {"kind": "ConfigMap", "name": "canang"}, "patch": str(patch).replace("'", '"')}


def _new(before: set[str]) -> str:
    return next(
        pod["metadata"]["name"]
        for pod in deployments.servers()
        if pod["metadata"]["name"] not in before
    )


def _crashed(before: set[str]) -> bool:
    return any(
        pods.restarts(pod) > 0
        for pod in deployments.servers()
        if pod["metadata"]["name"] not in before
    )


@scenario("drain", "`kubectl drain` of each machine")
def drain(run: Run) -> None:
    """Of the nodes only: the trial's Redis is one pod, and its end is the end of its data."""
    deployments.trial()
    with Watch() as watch, Load() as load:
        began = pods.now()
        for machine in machines():
            run.mark(f"drain {machine}")
            selector = f"--pod-selector={SERVERS}"
            kubectl("drain", machine, selector, "--ignore-daemonsets", WAIT, timeout=180)
            deployments.rolled_out()
            left = [pod for pod in deployments.servers() if pod["spec"]["nodeName"] == machine]
            run.figure(f"nodes left on {machine}", len(left), 0)
            kubectl("uncordon", machine)
        ended = pods.now()
        # One of two at a time is what the budget lets go.
        run.figure("fewest nodes that served", watch.least_serving(began), 1, at_least=True)
    judging.delivered(run, load.journal())
    judging.closed_gently(run, load.journal(), began, ended)


@scenario("budget", "A second eviction while a node is away")
def budget(run: Run) -> None:
    deployments.trial()
    first, second = (pod["metadata"]["name"] for pod in deployments.servers())
    began = run.mark("evict both nodes")
    refused = [evict(first), evict(second)]
    run.equal("first eviction refused", refused[0], 0)
    run.equal("second eviction refused", refused[1], 1)
    again_s = run.seconds_until(lambda: not evict(second), began, "the second one is granted", 60)
    run.figure("until the second one was granted", again_s, 30, "s")
    deployments.rolled_out()


def evict(pod: str) -> bool:
    """Whether the budget refused it."""
    body = (
        '{"apiVersion": "policy/v1", "kind": "Eviction", '
        f'"metadata": {{"name": "{pod}", "namespace": "{NAMESPACE}"}}}}'
    )
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    answer = kubectl("create", "--raw", path, "-f", "-", stdin=body, fails=True)
    return answer.code != 0 and "disruption budget" in answer.err


@scenario("upgrade", "Upgrade from the release before, and back")
def upgrade(run: Run) -> None:
    """The image `canang:before` is of the server that LAB_BEFORE names."""
    before = deployments.overlay("before", "trial", images=_images("before"))
    now = deployments.overlay("trial", "trial")
    if not has_image_before():
        raise Skipped("there is no canang:before: name an older server in LAB_BEFORE")
    deployments.trial()
    deployments.apply(before)
    deployments.rolled_out()
    _wait_gone(run, pods.now())
    with Watch() as watch, Load() as load:
        time.sleep(QUIET_S)
        began = run.mark("upgrade")
        deployments.apply(now)
        deployments.rolled_out()
        run.figure("until all nodes are of this release", pods.now() - began, 180, "s")
        _wait_gone(run, began)
        run.mark("rollout undo")
        kubectl("rollout", "undo", "deployment/canang", "-n", NAMESPACE)
        deployments.rolled_out()
        _wait_gone(run, pods.now())
        ended = pods.now()
        run.figure("fewest nodes that served", watch.least_serving(began), 2, at_least=True)
        run.figure("restarts", watch.restarted(), 0)
    judging.delivered(run, load.journal())
    judging.closed_gently(run, load.journal(), began, ended)


def _images(tag: str) -> list[dict[str, str]]:
    return [image | ({"newTag": tag} if image["name"] == "canang" else {}) for image in deployments.IMAGES]


def has_image_before() -> bool:
    images = (image for node in get("nodes")["items"] for image in node["status"]["images"])
    return any(name.endswith("canang:before") for image in images for name in image["names"])
