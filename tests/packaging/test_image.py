"""The image: what is in it, and that the server runs from nothing else, as confined as in a pod."""

import re
import signal
import subprocess

import pytest

from support.clients import close_all, open_client, receive
from support.redis_process import free_port
from support.waiting import wait_until

MIB = 1 << 20
pytestmark = pytest.mark.timeout(600)  # the first test builds the image

# Everything that may be in there. Whatever else comes in has to be argued for here.
EXPECTED = [
    r"usr/bin/canang",
    r"lib|lib64",  # links
    r"usr/lib(64|/[a-z0-9_]+-linux-gnu)/(ld-linux-\S+|lib[a-z0-9_+-]+)\.so[.0-9]*",
    r"etc/(passwd|group|nsswitch\.conf|os-release|debian_version)",
    r"etc/ssl/(openssl\.cnf|certs/ca-certificates\.crt)",
    r"usr/lib/ssl/(openssl\.cnf|cert\.pem)",
    r"usr/lib/os-release",
    r"usr/share/doc/[a-z0-9.+-]+/copyright",
    r"usr/share/common-licenses/[A-Z][A-Za-z0-9.-]+",
    r"var/lib/dpkg/status\.d/[a-z0-9.+-]+",
]
MOUNT_POINTS = {"dev", "proc", "sys"}


def listening_at_free_ports() -> dict[str, str]:
    return {
        "CANANG_LISTEN": "127.0.0.1:0",
        "CANANG_INTERNAL_LISTEN": "127.0.0.1:0",
        "CANANG_DRAIN_GRACE": "0s",
    }


def test_nothing_is_in_the_image_but_what_the_server_needs(image):
    unexpected = [
        name
        for name, member in image.members.items()
        if not member.isdir() and not any(re.fullmatch(form, name) for form in EXPECTED)
    ]
    assert unexpected == []


def test_the_server_is_the_only_program(image):
    """No shell, no package manager, no compiler: what is executable is the server or a library."""
    programs = [name for name, member in image.files().items() if member.mode & 0o111]
    libraries = [name for name in programs if ".so" in name]
    assert set(programs) - set(libraries) == {"usr/bin/canang"}


def test_each_library_is_one_that_the_server_loads(image):
    listed = subprocess.run(
        ["chroot", image.root, "/lib64/ld-linux-x86-64.so.2", "--list", "/usr/bin/canang"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    loaded = {path.rsplit("/", 1)[1] for path in re.findall(r"/\S+", listed)}
    there = {name.rsplit("/", 1)[1] for name in image.members if ".so" in name}
    reached = {
        target.rsplit("/", 1)[-1]
        for name, member in image.members.items()
        if member.issym() and (target := member.linkname) and ".so" in name
    }
    assert "not found" not in listed
    assert there - reached <= loaded
    assert loaded <= there


def test_nobody_can_change_a_file_or_become_another_user(image):
    for name, member in image.members.items():
        assert (member.uid, member.gid) == (0, 0), name
        assert member.issym() or not member.mode & 0o022, f"others may write to {name}"
        assert not member.mode & 0o6000, f"{name} is setuid or setgid"
        assert member.isfile() or member.isdir() or member.issym(), f"{name} is a device or a link"
    empty = {name for name, member in image.members.items() if member.isdir()} & MOUNT_POINTS
    assert empty == MOUNT_POINTS


def test_scanners_find_the_package_and_version_of_each_library(image):
    records = {}
    for path in (image.root / "var/lib/dpkg/status.d").iterdir():
        lines = [line for line in path.read_text().splitlines() if not line.startswith(" ")]
        records[path.name] = dict(line.split(": ", 1) for line in lines if ": " in line)
    for name, record in records.items():
        assert record["Package"] == name
        assert record["Version"] and record["Status"] == "install ok installed"
        assert (image.root / "usr/share/doc" / name / "copyright").is_file(), f"{name}'s licence"
    depends = re.findall(r"([a-z0-9.+-]+) \(", records["canang"]["Depends"])
    assert {"libc6", "libssl3", "libstdc++6"} <= set(depends) <= set(records)
    assert "VERSION_ID=" in (image.root / "usr/lib/os-release").read_text()


def test_the_image_is_small(image):
    assert image.layers == 1
    assert image.bytes < 24 * MIB


def test_the_configuration_is_what_orchestrators_look_at(image):
    config = image.config
    assert config["User"] == "65532:65532"  # a number: Kubernetes can tell that it is not root
    assert config["Entrypoint"] == ["/usr/bin/canang"]
    assert set(config["ExposedPorts"]) == {"8000/tcp", "9000/tcp"}
    assert config["StopSignal"] == "SIGTERM"
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/bin/canang", "health"]  # no shell
    assert "CANANG_INTERNAL_LISTEN=0.0.0.0:9000" in config["Env"]
    labels = {key.rsplit(".", 1)[1]: value for key, value in config["Labels"].items()}
    assert labels["title"] == "canang" and labels["licenses"] == "Apache-2.0"
    assert re.fullmatch(r"\d+\.\d+\.\d+", labels["version"])
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", labels["revision"])


def test_as_it_is_it_becomes_healthy_and_ends_with_0(image, start_confined):
    """No option at all: a network and a PID namespace of its own, as an engine gives it."""
    server = start_confined(image.confinement(own_network=True))
    probe = image.config["Healthcheck"]["Test"][1:]
    wait_until(lambda: server.run_inside(probe).returncode == 0, "healthy", 20)
    inside = server.status()
    assert set(inside["Uid"].split()) == set(inside["Gid"].split()) == {"65532"}
    assert inside["NSpid"].split()[1] == "1"
    assert inside["NoNewPrivs"] == "1"
    assert int(inside["CapEff"], 16) == int(inside["CapBnd"], 16) == 0
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0


def test_the_probe_fails_where_no_server_is_ready(image, start_confined):
    nowhere = f"http://127.0.0.1:{free_port()}/readyz"
    server = start_confined(image.confinement(listening_at_free_ports()))
    server.wait_ready()
    there = f"http://127.0.0.1:{server.internal_port}/readyz"
    assert server.run_inside(["/usr/bin/canang", "health", there]).returncode == 0
    refused = server.run_inside(["/usr/bin/canang", "health", nowhere])
    assert refused.returncode != 0
    assert refused.stderr or refused.stdout


async def test_two_clients_chat_on_a_root_that_cannot_be_written(image, start_confined):
    server = start_confined(image.confinement(listening_at_free_ports()))
    server.wait_ready()
    assert subprocess.run(
        ["nsenter", "--target", str(server.pid), "--mount", "touch", str(image.root / "written")],
        capture_output=True, check=False,
    ).returncode != 0  # fmt: skip
    ann, ben = [await open_client(server.url("/ws/kitchen")) for _ in range(2)]
    await ann.send("dinner is ready")
    assert [await receive(client) for client in (ann, ben)] == ["dinner is ready"] * 2
    await ben.send(b"\x00coming")
    assert [await receive(client) for client in (ann, ben)] == [b"\x00coming"] * 2
    await close_all(ann, ben)
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    assert server.stderr() == ""


async def test_clients_are_told_to_come_back_when_the_container_is_stopped(image, start_confined):
    server = start_confined(image.confinement(listening_at_free_ports()))
    server.wait_ready()
    client = await open_client(server.url())
    server.signal(signal.SIGTERM)
    await client.wait_closed()
    assert client.close_code == 1012
    assert server.wait_exit() == 0


def tls_redis(start_redis, directory):
    """A Redis for TLS only, and the certificate, its own authority, that it shows for localhost."""
    certificate, key, port = directory / "redis.pem", directory / "redis.key", free_port()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    start_redis("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file",
                str(key), "--tls-ca-cert-file", str(certificate), "--tls-auth-clients",
                "no")  # fmt: skip
    return certificate, port


def test_redis_over_tls_is_found_by_name_and_trusted_by_the_authorities_in_the_image(
    image, start_confined, start_redis, tmp_path
):
    """The bundle's place is right: with this Redis' authority there it is trusted, else not."""
    authority, port = tls_redis(start_redis, tmp_path)
    settings = listening_at_free_ports() | {"CANANG_REDIS": f"rediss://localhost:{port}"}
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")

    with_it = {
        "/etc/hosts": str(hosts),
        "/etc/ssl/certs/ca-certificates.crt": str(authority),
    }
    authority.chmod(0o644)
    trusting = start_confined(image.confinement(settings, mounts=with_it))
    trusting.wait_ready()

    doubting = start_confined(image.confinement(settings, mounts={"/etc/hosts": str(hosts)}))

    assert doubting.wait_exit() == 1
    assert "its certificate is not trusted" in doubting.stderr()
