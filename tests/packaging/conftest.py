"""The packages, the image and a Debian to install into: each is made once, in build/."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.confined import start_confined  # noqa: F401
from support.fixtures import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_pyfunc_call,
    pytest_runtest_makereport,
    the_binary_exists,
)
from support.image import Image
from support.redis_process import start_redis  # noqa: F401

REPOSITORY = Path(__file__).resolve().parents[2]
BUILT = REPOSITORY / "build"


def run(*command: str | Path, **options) -> str:
    """Its output; what it said is in the message when it fails."""
    ended = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=REPOSITORY, **options
    )
    assert ended.returncode == 0, f"{command}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="session", autouse=True)
def we_are_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("other root directories and users are only for root")


def root_is_a_mount_point(mountinfo: str) -> bool:
    """Whether `/` is one, by /proc/self/mountinfo: in a container or on a machine, not in a chroot."""
    return any(line.split()[4] == "/" for line in mountinfo.splitlines())


@pytest.fixture(scope="session")
def packages(we_are_root) -> list[Path]:
    """The server's package and that of the tools."""
    run("scripts/package")
    return [next((BUILT / "package").glob(f"{name}_*.deb")) for name in ("canang", "canang-tools")]


@pytest.fixture(scope="session")
def image(packages, tmp_path_factory) -> Image:
    """Of the server that is built; CANANG_IMAGE names the archive of another one."""
    archive = os.environ.get("CANANG_IMAGE")
    if not archive:
        if not root_is_a_mount_point(Path("/proc/self/mountinfo").read_text()):
            pytest.skip("/ is no mount point here, as in a plain chroot: buildah has to remount it")
        run("scripts/image", "--ready")
        archive = BUILT / "image" / "canang.tar"
    return Image(Path(archive), tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def debian(we_are_root) -> Path:
    """A minimal Debian's root directory, as it is after installation."""
    base, tree = BUILT / "image" / "debian-base.tar", BUILT / "packaging" / "debian"
    if not base.exists():
        run("scripts/debian-base", base)
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    run("tar", "-C", tree, "--numeric-owner", "-xf", base)
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", tree / "etc" / name)
    # systemd is not there to start anything, and if it were, it must not.
    policy = tree / "usr" / "sbin" / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    return tree


@pytest.fixture(scope="session")
def in_debian(debian):
    """`in_debian("dpkg", ...)`: a command in there, as root; proc and devices go with it."""

    def call(*command: str) -> str:
        script = """
            mount -t proc proc "$0/proc"
            mount --rbind /dev "$0/dev"
            exec chroot "$0" "$@"
        """
        environment = {"PATH": "/usr/sbin:/usr/bin", "DEBIAN_FRONTEND": "noninteractive"}
        return run("unshare", "--mount", "--pid", "--fork", "sh", "-ec", script, debian, *command,
                   env=environment)  # fmt: skip

    return call
