"""The Helm chart: installed, tested by its own test, talked through, and taken away."""

from __future__ import annotations

import os

from . import deployments, pods
from .applying import talked
from .cluster import REPOSITORY, STATE, Answer, Failed, kubectl, lab, machines
from .registry import Skipped, scenario
from .run import Run

NAMESPACE = "canang"
HELM = REPOSITORY / "build" / "k8s" / "bin" / "helm"
CHART = REPOSITORY / "k8s" / "chart"


def helm(*arguments: str) -> Answer:
    """From a machine of the cluster, since the API server is on their network."""
    home = STATE / "helm"
    settings = [f"HELM_{what}_HOME={home}" for what in ("CACHE", "CONFIG", "DATA")]
    kubeconfig = f"KUBECONFIG={STATE / 'kubeconfig'}"
    command = ("exec-node", machines()[0], "env", *settings, kubeconfig, str(HELM), *arguments)
    answer = lab(*command, "--namespace", NAMESPACE, timeout=240)
    told = [line for line in answer.warnings if "found symbolic link in path" not in line]
    return Answer(answer.code, answer.out, os.linesep.join(told))


def _is_empty() -> bool:
    return not kubectl("get", "all", "-n", NAMESPACE, "-o", "name").out.split()


@scenario("chart", "`helm install` of the trial, `helm test`, and a chat")
def chart(run: Run) -> None:
    if not HELM.exists():
        raise Skipped("there is no helm: k8s/check builds it")
    deployments.remove()
    kubectl("apply", "-f", "k8s/base/namespace.yaml")
    images = ("--set", "image.tag=lab,redis.image.tag=lab")
    began = run.mark("helm install")
    installed = helm("install", "canang", str(CHART), *images, "--wait", "--timeout", "120s")
    run.figure("until helm says that all is ready", pods.now() - began, 60, "s")
    run.figure("warnings", len(installed.warnings), 0)
    tested = helm("test", "canang", "--timeout", "60s")
    run.figure("phases of helm's test that succeeded", tested.out.count("Succeeded"), 1, at_least=True)
    if "Failed" in tested.out:
        raise Failed(tested.out)
    talked(run)
    helm("upgrade", "canang", str(CHART), *images, "--set", "replicas=3", "--wait", "--timeout", "120s")
    run.figure("nodes after an upgrade to three", len(deployments.servers()), 3, at_least=True)
    helm("uninstall", "canang", "--wait")
    gone_s = run.seconds_until(_is_empty, pods.now(), "nothing of it is left", 90)
    run.figure("until nothing of it was left", gone_s, 60, "s")
    deployments.remove()
