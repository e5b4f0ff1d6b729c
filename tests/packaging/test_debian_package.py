"""The Debian package, installed into a Debian of its own.

systemd cannot run there. What it would do is done by the test as the unit says: the same command,
as the same user, with the same limits and allowed system calls, on a root that cannot be written.
The unit itself is checked by systemd's own tools.
"""

import re
import resource
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from conftest import REPOSITORY, run
from support.canang_process import run_to_end
from support.clients import close_all, open_client, receive
from support.confined import Confinement

PACKAGING = REPOSITORY / "packaging"
UNIT = "lib/systemd/system/canang.service"
CONFIG = "etc/canang/canang.conf"
CAP_SYS_RESOURCE = 24
pytestmark = pytest.mark.timeout(600)  # the first test makes a Debian and the package


def unit_settings(text: str) -> dict[str, str]:
    """The last value of each setting."""
    lines = [line for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def possible_files(wanted: int) -> int:
    """A container may keep even root from raising the limit, as it never keeps systemd."""
    status = Path("/proc/self/status").read_text()
    capabilities = int(re.search(r"CapEff:\s+(\w+)", status)[1], 16)
    if capabilities >> CAP_SYS_RESOURCE & 1:
        return wanted
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def system_calls(group: str) -> set[str]:
    """What systemd means by a group such as @file-system, or by a name."""
    if not group.startswith("@"):
        return {group}
    lines = [line.strip() for line in run("systemd-analyze", "syscall-filter", group).splitlines()]
    members = [line for line in lines[1:] if line and not line.startswith("#")]
    return set().union(*(system_calls(member) for member in members))


def allowed_system_calls(unit: str) -> list[str]:
    """A unit's lines one after the other: what they allow, less what those with ~ take away."""
    allowed: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M):
        named = set().union(*(system_calls(group) for group in line.removeprefix("~").split()))
        allowed = allowed - named if line.startswith("~") else allowed | named
    return sorted(allowed)


def seconds(text: str) -> int:
    assert re.fullmatch(r"\d+s", text), text
    return int(text[:-1])


def files_below(root: Path) -> set[str]:
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if not path.is_dir() or path.is_symlink() or "canang" in path.name
    }


@pytest.fixture(scope="module")
def before(debian) -> set[str]:
    return files_below(debian)


@pytest.fixture(scope="module")
def installed(debian, in_debian, packages, before) -> Path:
    """The root of a Debian with the server in it."""
    for package in packages:
        shutil.copy(package, debian)
    in_debian("apt-get", "update", "-qq")
    in_debian("apt-get", "install", "-qq", "-y", "--no-install-recommends",
              *(f"/{package.name}" for package in packages))  # fmt: skip
    return debian


def user_in(root: Path, name: str) -> list[str] | None:
    for line in (root / "etc/passwd").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return line.split(":")
    return None


@pytest.fixture
def by_its_unit(installed, start_confined):
    """Starts the server as the installed unit says."""
    unit = (installed / UNIT).read_text()
    settings = unit_settings(unit)
    user = user_in(installed, settings["User"])
    assert user, "there is no user of that name"

    def start():
        config = installed / CONFIG
        shipped = config.read_text()
        # An administrator's edit: ports of this test's own, and no time lost.
        edit = 'listen = "127.0.0.1:0"\ninternal-listen = "127.0.0.1:0"\ndrain-grace = "0s"\n'
        config.write_text(edit + shipped)
        try:
            server = start_confined(
                Confinement(
                    str(installed),
                    settings["ExecStart"].split(),
                    uid=int(user[2]),
                    gid=int(user[3]),
                    env={"PATH": "/usr/sbin:/usr/bin"},
                    system_calls=allowed_system_calls(unit),
                    files=possible_files(int(settings["LimitNOFILE"])),
                )
            )
            server.wait_ready()
        finally:
            config.write_text(shipped)
        return server

    return start


def test_lintian_finds_neither_errors_nor_warnings(packages):
    run("lintian", "--allow-root", "--fail-on=error,warning", *packages)


def test_the_unit_is_right_for_systemd(installed, tmp_path):
    """In a copy the program's path is that of the one in the chroot, which verify wants to see."""
    copy = tmp_path / "canang.service"
    text = (installed / UNIT).read_text()
    copy.write_text(text.replace("=/usr/bin/canang ", f"={installed}/usr/bin/canang "))
    ended = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", copy],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")


def test_systemd_says_that_the_service_is_hardly_exposed(installed):
    """At most 1.5 of 10; without any hardening it would be 9.6."""
    run("systemd-analyze", "security", "--offline=true", "--threshold=15", installed / UNIT)


def shown_options() -> list[tuple[str, str]]:
    """What the config file shows commented out, in front of its tables."""
    text = (PACKAGING / "canang.conf").read_text().split("\n#[")[0]
    return re.findall(r'^#([a-z-]+) = "?([^"\n]*)"?$', text, re.M)


def test_systemd_waits_longer_for_the_end_than_a_drain_takes():
    settings = unit_settings((PACKAGING / "canang.service").read_text())
    defaults = dict(shown_options())
    drain = seconds(defaults["drain-grace"]) + seconds(defaults["drain-period"])
    assert seconds(settings["TimeoutStopSec"]) > drain + 5
    assert settings["KillSignal"] == "SIGTERM"


def test_a_reload_checks_the_file_that_the_service_has_before_it_sends_the_signal():
    unit = (PACKAGING / "canang.service").read_text()
    command = unit_settings(unit)["ExecStart"]
    reloads = re.findall(r"^ExecReload=(.*)$", unit, re.M)
    assert reloads == [f"{command} --check-config", "/bin/kill -HUP $MAINPID"]


def test_a_service_that_the_kernel_spares_has_a_limit_of_its_own():
    settings = unit_settings((PACKAGING / "canang.service").read_text())
    assert int(settings["OOMScoreAdjust"]) < 0
    assert 50 <= int(settings["MemoryMax"].removesuffix("%")) <= 90


def test_the_config_file_shows_the_defaults():
    """Each line that is commented out says what `--help` says, but for those without a default."""
    described = run_to_end(["--help"]).stdout
    examples = {
        "workers", "redis", "redis-cert", "redis-key", "internal-key-file", "api-key-file",
        "personal-room",
    }  # fmt: skip
    shown = shown_options()
    assert len(shown) > 10
    for name, value in shown:
        found = re.search(rf"--{name}[= ](\S+)", described)
        assert found, f"there is no option {name}"
        assert name in examples or found[1] == value, name


def test_the_config_file_is_right_with_every_line_taken_in(tmp_path):
    text = (PACKAGING / "canang.conf").read_text()
    text = re.sub(r"^#([a-z-]+ = |\[)", r"\1", text, flags=re.M)
    files_not_there = r"^(redis-cert|redis-key|internal-key-file|api-key-file) = .*\n"
    text = re.sub(files_not_there, "", text, flags=re.M)
    edited = tmp_path / "canang.conf"
    edited.write_text(text)
    ended = run_to_end(["--check-config", "--config", str(edited)])
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_passwords_in_the_config_file_are_for_the_service_only(installed):
    status = (installed / CONFIG).stat()
    user = user_in(installed, "canang")
    assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o640, 0, int(user[3]))


def test_the_service_has_a_user_of_its_own_that_cannot_log_in(installed):
    name, _, uid, _, _, home, shell = user_in(installed, "canang")
    assert 0 < int(uid) < 1000
    assert home == "/nonexistent"
    assert shell == "/usr/sbin/nologin"


async def test_started_as_the_unit_says_it_serves_and_drains(by_its_unit):
    server = by_its_unit()
    limits = Path(f"/proc/{server.pid}/limits").read_text()
    allowed = possible_files(1048576)
    assert re.search(rf"Max open files\s+{allowed}\s+{allowed}", limits)
    status = server.status()
    assert "0" not in status["Uid"].split()
    assert int(status["CapEff"], 16) == 0
    assert status["Seccomp"] == "2"

    ann, ben = [await open_client(server.url("/ws/kitchen")) for _ in range(2)]
    await ann.send("dinner is ready")
    assert [await receive(client) for client in (ann, ben)] == ["dinner is ready"] * 2
    await close_all(ann)
    server.signal(signal.SIGTERM)
    await ben.wait_closed()
    assert ben.close_code == 1012
    assert server.wait_exit() == 0


def test_the_health_command_reaches_the_service(by_its_unit):
    server = by_its_unit()
    url = f"http://127.0.0.1:{server.internal_port}/readyz"
    assert server.run_inside(["/usr/bin/canang", "health", url]).returncode == 0


def test_the_load_generator_comes_with_the_tools(by_its_unit):
    server = by_its_unit()
    ended = server.run_inside(["/usr/bin/canang-load", "--help"])
    assert ended.returncode == 0
    assert "--json" in ended.stdout


def test_an_upgrade_keeps_what_the_administrator_chose(installed, in_debian, packages):
    config = installed / CONFIG
    shipped, mode = config.read_text(), 0o600
    try:
        config.write_text(shipped + "workers = 1\n")
        config.chmod(mode)
        in_debian("dpkg", "--install", f"/{packages[0].name}")
        assert config.read_text().endswith("workers = 1\n")
        assert config.stat().st_mode & 0o777 == mode
    finally:
        config.write_text(shipped)
        config.chmod(0o640)


def test_purging_leaves_nothing_behind(installed, in_debian, packages, before):
    """The last test of this file: afterwards there is no package."""
    in_debian("dpkg", "--purge", "canang", "canang-tools")
    for package in packages:
        (installed / package.name).unlink()
    left = files_below(installed) - before
    assert [name for name in left if "canang" in name] == []
    assert user_in(installed, "canang") is None
