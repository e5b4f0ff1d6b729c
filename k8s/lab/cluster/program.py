"""The one program with all of Kubernetes' commands: k8s/lab/kube, built of pinned Go modules."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time

from .base import BIN, LAB, LOGS, STATE, Trouble, succeeds, tell

SOURCE = LAB / "kube"
TEMPORARY = STATE / "build"
COMMANDS = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    *("kubelet", "kube-proxy", "policies", "dns", "metrics", "kubectl"),
)
# Unoptimised: two thirds of the time to build, and a cluster that is up in as many seconds.
COMPILER_FLAGS = "all=-N -l -dwarf=false"


def go_version_wanted() -> str:
    found = re.search(r"^go (\S+)$", (SOURCE / "go.mod").read_text(), re.M)
    assert found
    return found[1]


def go_missing() -> str | None:
    """None also when Go is old but gets itself the one that go.mod wants."""
    command = ["go", "-C", str(SOURCE), "env", "GOVERSION"]
    if succeeds(command):
        return None
    return f"needs Go {go_version_wanted()} or newer, which is not here"


def is_built() -> bool:
    stamp = BIN / ".built"
    return (BIN / "kube").exists() and stamp.exists() and stamp.read_text() == _wanted()


def build() -> None:
    if not is_built():
        began, log = time.monotonic(), LOGS / "build.log"
        tell(f"building Kubernetes (once; some minutes of two cores; log in {log})")
        BIN.mkdir(parents=True, exist_ok=True)
        LOGS.mkdir(parents=True, exist_ok=True)
        with log.open("w") as out:
            built = subprocess.run(_ending(_command()), stdout=out, stderr=out, cwd=SOURCE, env=_environment())
        shutil.rmtree(TEMPORARY, ignore_errors=True)
        if built.returncode:
            raise Trouble(f"Kubernetes does not build: {log.read_text().strip().splitlines()[-1]}")
        (BIN / ".built").write_text(_wanted())
        tell(f"built it in {time.monotonic() - began:.0f} s")
    for command in COMMANDS:
        link = BIN / command
        if not link.is_symlink():
            link.symlink_to("kube")


def _command() -> list[str]:
    major, minor, _ = _kubernetes_version().split(".", 2)
    version = "k8s.io/component-base/version."
    values = {
        "gitVersion": f"v{_kubernetes_version()}",
        "gitMajor": major,
        "gitMinor": minor,
    }
    linker = " ".join(["-s -w", *(f"-X {version}{name}={value}" for name, value in values.items())])
    flags = ["-buildvcs=false", f"-gcflags={COMPILER_FLAGS}", "-ldflags", linker]
    return ["go", "build", *flags, "-o", str(BIN / "kube"), "."]


def _ending(command: list[str]) -> list[str]:
    """It ends, with all compilers that it has started, when this process is killed."""
    return ["setpriv", "--pdeathsig=KILL", "--", *("unshare", "--pid", "--fork", "--kill-child=KILL", "--"), *command]


def _environment() -> dict[str, str]:
    shutil.rmtree(TEMPORARY, ignore_errors=True)
    TEMPORARY.mkdir(parents=True)
    return os.environ | {"CGO_ENABLED": "0", "GOTMPDIR": str(TEMPORARY)}


def _kubernetes_version() -> str:
    found = re.search(r"^\tk8s.io/kubernetes v(\S+)$", (SOURCE / "go.mod").read_text(), re.M)
    assert found
    return found[1]


def _wanted() -> str:
    """Changes when anything does that it is made of."""
    sources = [SOURCE / "go.mod", SOURCE / "go.sum", *sorted(SOURCE.glob("*.go"))]
    whole = hashlib.sha256(" ".join(_command()).encode())
    for source in sources:
        whole.update(source.name.encode() + b"\0" + source.read_bytes())
    return whole.hexdigest()
