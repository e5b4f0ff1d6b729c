"""A Redis of its own namespace that speaks TLS only, asks for certificates and has a password."""

from __future__ import annotations

import shutil

from support.certificates import Authority

from .cluster import WORK, Json, apply, kubectl, namespace, secret

NAMESPACE = "elsewhere"
HOST = f"redis.{NAMESPACE}.svc.cluster.local"
PORT = 6380


def redis_with_tls(password: str) -> dict[str, str]:
    """Starts it. Gives the files of the Secret `canang-redis`, as k8s/README.md has them."""
    folder = WORK / "certificates"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    authority = Authority(folder)
    server, client = authority.certify("redis", host=HOST), authority.certify("canang")
    files = {
        "ca.crt": authority.certificate.read_text(),
        "tls.crt": server.certificate.read_text(),
        "tls.key": server.key.read_text(),
    }
    options = {
        "port": 0,
        "tls-port": PORT,
        "tls-ca-cert-file": "/tls/ca.crt",
        "tls-cert-file": "/tls/tls.crt",
        "tls-key-file": "/tls/tls.key",
        "tls-auth-clients": "yes",
        "save": '""',
        "requirepass": password,
    }
    files["redis.conf"] = "".join(f"{name} {value}\n" for name, value in options.items())
    apply(namespace(NAMESPACE))
    apply(secret("redis", NAMESPACE, files), _deployment(), _service())
    kubectl("rollout", "status", "deployment/redis", "-n", NAMESPACE, "--timeout=60s")
    return {
        "canang.conf": f'redis = "rediss://:{password}@{HOST}:{PORT}"\n'
        'redis-ca = "/etc/canang/redis/ca.crt"\n'
        'redis-cert = "/etc/canang/redis/tls.crt"\n'
        'redis-key = "/etc/canang/redis/tls.key"\n',
        "ca.crt": authority.certificate.read_text(),
        "tls.crt": client.certificate.read_text(),
        "tls.key": client.key.read_text(),
    }


def _deployment() -> Json:
    labels = {"app": "redis"}
    container = {
        "name": "redis",
        "image": "redis:lab",
        "imagePullPolicy": "IfNotPresent",
        "command": ["redis-server", "/tls/redis.conf"],
        "volumeMounts": [{"name": "tls", "mountPath": "/tls"}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    }
    spec = {"containers": [container], "volumes": [{"name": "tls", "secret": {"secretName": "redis"}}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "redis", "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def _service() -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "redis", "namespace": NAMESPACE},
        "spec": {"selector": {"app": "redis"}, "ports": [{"port": PORT}]},
    }
