"""Certificates of a cluster that lives no longer than a test, and the kubeconfigs that name them.

Paths in a kubeconfig are relative to it, so that a node finds them where it has this folder.
"""

from __future__ import annotations

import shutil

from .base import API_ADDRESS, API_URL, FIRST_SERVICE_ADDRESS, KUBECONFIG, PKI, run

DAYS = "30"
CONFIGURATION = "[req]\ndistinguished_name = subject\n[subject]\n"  # the machine's own adds extensions
AUTHORITY = ("basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign,cRLSign")
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
KUBECONFIG_FORM = """\
apiVersion: v1
kind: Config
clusters: [{{name: lab, cluster: {{server: "{url}", certificate-authority: {folder}ca.crt}}}}]
users: [{{name: me, user: {{client-certificate: {folder}{name}.crt, client-key: {folder}{name}.key}}}}]
contexts: [{{name: lab, context: {{cluster: lab, user: me}}}}]
current-context: lab
"""


def of_control_plane() -> None:
    shutil.rmtree(PKI, ignore_errors=True)
    PKI.mkdir(parents=True)
    PKI.chmod(0o700)
    (PKI / "openssl.conf").write_text(CONFIGURATION)
    _make_key("ca")
    _sign("ca", "/CN=lab", *AUTHORITY)
    addresses = ("127.0.0.1", FIRST_SERVICE_ADDRESS, API_ADDRESS)
    _certify("apiserver", "/CN=kube-apiserver", NAMES, addresses)
    _certify("apiserver-kubelet", "/O=system:masters/CN=apiserver-kubelet-client")
    _certify("front-proxy", "/CN=front-proxy")
    _certify("admin", "/O=system:masters/CN=admin")
    for name in ("kube-controller-manager", "kube-scheduler", "kube-proxy"):
        _certify(name, f"/CN=system:{name}")
        _write_kubeconfig(name)
    run(["openssl", "genrsa", "-out", PKI / "accounts.key", "2048"])
    run(["openssl", "rsa", "-in", PKI / "accounts.key", "-pubout", "-out", PKI / "accounts.pub"])
    _write_kubeconfig("admin")
    KUBECONFIG.write_text(KUBECONFIG_FORM.format(url=API_URL, folder="pki/", name="admin"))
    KUBECONFIG.chmod(0o600)


def of_node(name: str, address: str) -> None:
    _certify(f"kubelet-{name}", f"/O=system:nodes/CN=system:node:{name}", (name,), (address,))
    _write_kubeconfig(f"kubelet-{name}")


def _write_kubeconfig(name: str) -> None:
    (PKI / f"{name}.conf").write_text(KUBECONFIG_FORM.format(url=API_URL, folder="", name=name))


def _sign(name: str, subject: str, *extensions: str, by: tuple[str, ...] = ()) -> None:
    files = ["-config", PKI / "openssl.conf", "-key", PKI / f"{name}.key", "-out", PKI / f"{name}.crt"]
    added = [part for extension in extensions for part in ("-addext", extension)]
    run(["openssl", "req", "-x509", *files, "-subj", subject, "-days", DAYS, *by, *added])


def _make_key(name: str) -> None:
    kind = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    run(["openssl", "genpkey", *kind, "-out", PKI / f"{name}.key"])


def _certify(
    name: str, subject: str, names: tuple[str, ...] = (), addresses: tuple[str, ...] = ()
) -> None:
    _make_key(name)
    alternatives = [*(f"DNS:{n}" for n in names), *(f"IP:{a}" for a in addresses)]
    extensions = ["extendedKeyUsage=clientAuth,serverAuth", "keyUsage=digitalSignature"]
    if alternatives:
        extensions.append("subjectAltName=" + ",".join(alternatives))
    authority = ("-CA", str(PKI / "ca.crt"), "-CAkey", str(PKI / "ca.key"))
    _sign(name, subject, *extensions, by=authority)
