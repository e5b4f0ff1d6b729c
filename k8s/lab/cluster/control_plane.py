"""etcd, the API server, the controller manager and the scheduler, on the lab's bridge."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence

from . import sandbox
from .base import (
    API_ADDRESS,
    BIN,
    KUBECONFIG,
    LOGS,
    PKI,
    SERVICES,
    STATE,
    Trouble,
    run,
    succeeds,
    wait_until,
)

READY_TIMEOUT_S = 180  # a machine that is busy with other things needs that long
ETCD_URL, ETCD_PEER_URL = "http://127.0.0.1:2379", "http://127.0.0.1:2380"


class ControlPlane:
    def __init__(self) -> None:
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        shutil.rmtree(STATE / "etcd", ignore_errors=True)
        self._start("etcd", [str(STATE / "etcd"), ETCD_URL, ETCD_PEER_URL])
        self._start("kube-apiserver", _api_server())
        self.wait_until(lambda: succeeds(kubectl("get", "--raw", "/readyz")), "the API server is ready")
        # Not before: the controller manager ends when it can't ask it.
        self._start("kube-controller-manager", _controller_manager())
        self._start("kube-scheduler", _client_of("kube-scheduler"))

    def _start(self, name: str, arguments: Sequence[str]) -> None:
        self._started[name] = sandbox.start([BIN / name, *arguments], LOGS / f"{name}.log")

    def wait_until(self, condition: object, what: str) -> None:
        """Ends early when one of the processes has."""

        def holds() -> bool:
            for name, process in self._started.items():
                if process.poll() is not None:
                    raise Trouble(f"{name} has ended: see {LOGS / name}.log")
            return condition()  # type: ignore[operator]

        wait_until(holds, what, READY_TIMEOUT_S, 0.3)

    def apply(self, *files: object) -> None:
        """Namespaces of the cluster's own may come a moment later."""
        command = kubectl("apply", *(f"--filename={file}" for file in files))
        self.wait_until(lambda: succeeds(command), f"{' '.join(map(str, files))} are applied")


def kubectl(*arguments: str) -> list[object]:
    cache = f"--cache-dir={STATE / 'cache'}"
    return sandbox.on_network(BIN / "kubectl", f"--kubeconfig={KUBECONFIG}", cache, *arguments)


def get(*arguments: str) -> dict[str, object]:
    return json.loads(run(kubectl("get", *arguments, "--output=json")))


def _api_server() -> list[str]:
    return [
        f"--etcd-servers={ETCD_URL}",
        f"--service-cluster-ip-range={SERVICES}",
        f"--advertise-address={API_ADDRESS}",
        "--bind-address=0.0.0.0",
        "--secure-port=6443",
        f"--tls-cert-file={PKI}/apiserver.crt",
        f"--tls-private-key-file={PKI}/apiserver.key",
        f"--client-ca-file={PKI}/ca.crt",
        f"--kubelet-client-certificate={PKI}/apiserver-kubelet.crt",
        f"--kubelet-client-key={PKI}/apiserver-kubelet.key",
        f"--kubelet-certificate-authority={PKI}/ca.crt",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-key-file={PKI}/accounts.pub",
        f"--service-account-signing-key-file={PKI}/accounts.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        # For the servers of metrics, which are pods.
        f"--requestheader-client-ca-file={PKI}/ca.crt",
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={PKI}/front-proxy.crt",
        f"--proxy-client-key-file={PKI}/front-proxy.key",
        "--enable-aggregator-routing=true",
        "--profiling=false",
    ]


def _client_of(name: str) -> list[str]:
    kubeconfig = f"{PKI}/{name}.conf"
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    ]


def _controller_manager() -> list[str]:
    """With Kubernetes' own defaults for how long it waits for what."""
    return [
        *_client_of("kube-controller-manager"),
        f"--service-account-private-key-file={PKI}/accounts.key",
        f"--root-ca-file={PKI}/ca.crt",
        "--use-service-account-credentials=true",
        "--allocate-node-cidrs=false",
        f"--flex-volume-plugin-dir={STATE / 'etcd' / 'volume-plugins'}",  # it makes that folder
    ]
