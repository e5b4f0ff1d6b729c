"""The servers that are compared: how each is installed into build/peers and started."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "bench" / "peers"
BUILT = ROOT / "build" / "peers"
INSTALL_DEADLINE_S = 900

sys.path.insert(0, str(SOURCES / "uwebsockets"))
import older_glibc  # noqa: E402


class Unavailable(Exception):
    """What can't be had on this machine, with the reason."""


@dataclass
class Launch:
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    directory: Path | None = None
    internal_port: int = 0  # Canang's: readiness and metrics


@dataclass
class Peer:
    name: str
    title: str
    launch: Callable[[int], Launch]
    install: Callable[[], str]  # gives the version; raises Unavailable
    dialect: str = "plain"
    path: str = "/ws"
    version: str = ""


def run(command: list[str], directory: Path, environment: dict[str, str] | None = None) -> str:
    """The output of an installing command; its last lines are the reason when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=INSTALL_DEADLINE_S,
            check=False,
        )
    except FileNotFoundError:
        raise Unavailable(f"there is no {command[0]} here") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{' '.join(command)} did not end") from None
    if done.returncode != 0:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        # Registries are named by whoever runs this, not here: leave their addresses out.
        why = re.sub(r"https?://\S+", "the registry:", " ".join(lines[-2:]))
        why = re.sub(r"(\S+@\S+: )+", "", why)
        raise Unavailable(f"{' '.join(command[:3])}: {why[:200]}")
    return done.stdout


def stamp_of(directory: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(p for p in directory.rglob("*") if p.is_file() and p.suffix != ".pyc"):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def once(name: str, make: Callable[[Path], None]) -> Path:
    """The built peer's directory; makes it anew when its sources have changed."""
    target, stamp = BUILT / name, stamp_of(SOURCES / name)
    note = target / ".stamp"
    if note.is_file() and note.read_text() == stamp:
        return target
    print(f"  {name}: being built ...", file=sys.stderr, flush=True)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(SOURCES / name, target, ignore=shutil.ignore_patterns("__pycache__"))
    make(target)
    note.write_text(stamp)
    return target


# --- Go

GO_ONE_CORE = {"GOMAXPROCS": "1"}


def go_version() -> str:
    return run(["go", "env", "GOVERSION"], ROOT).strip()


def install_go(name: str, module: str) -> str:
    toolchain = go_version()
    target = once(name, lambda path: run(["go", "build", "-o", "server", "."], path) and None)
    found = re.search(rf"{re.escape(module)} (v\S+)", (target / "go.mod").read_text())
    return f"{module.rpartition('/')[2]} {found.group(1) if found else '?'}, {toolchain}"


def launch_go(name: str, *options: str) -> Callable[[int], Launch]:
    binary = BUILT / name / "server"
    return lambda port: Launch(
        [str(binary), "-listen", f"127.0.0.1:{port}", *options], environment=GO_ONE_CORE
    )


CENTRIFUGO = ("github.com/centrifugal/centrifugo/v6", "v6.9.1")


def install_centrifugo() -> str:
    toolchain = go_version()
    module, version = CENTRIFUGO
    once(
        "centrifugo",
        lambda path: (
            run(["go", "install", f"{module}@{version}"], path, {"GOBIN": str(path)}) and None
        ),
    )
    return f"{version}, {toolchain}"


def launch_centrifugo(port: int) -> Launch:
    home = BUILT / "centrifugo"
    return Launch(
        [str(home / "centrifugo"), "--config", str(home / "config.json")],
        environment={
            **GO_ONE_CORE,
            "CENTRIFUGO_HTTP_SERVER_ADDRESS": "127.0.0.1",
            "CENTRIFUGO_HTTP_SERVER_PORT": str(port),
        },
    )


# --- Node.js


def install_node(name: str, package: str, finish: Callable[[Path], None] | None = None) -> str:
    node = run(["node", "--version"], ROOT).strip()

    def make(path: Path) -> None:
        run(["npm", "ci", "--ignore-scripts"], path)
        if finish:
            finish(path)

    target = once(name, make)
    lock = json.loads((target / "package-lock.json").read_text())
    return f"{lock['packages'][f'node_modules/{package}']['version']}, Node.js {node}"


def launch_node(name: str) -> Callable[[int], Launch]:
    home = BUILT / name

    def launch(port: int) -> Launch:
        shim = home / "older_glibc.so"
        return Launch(
            ["node", str(home / "server.js"), f"127.0.0.1:{port}"],
            environment={"LD_PRELOAD": str(shim)} if shim.exists() else {},
        )

    return launch


def finish_uwebsockets(path: Path) -> None:
    """Its prebuilt library may be too new for this system."""
    load = ["node", "-e", "require('@btc-vision/uwebsockets.js')"]
    done = subprocess.run(load, cwd=path, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    wanted = re.search(r"version `(GLIBC_2\.38)' not found \(required by ([^)]*)\)", done.stderr)
    if not wanted:
        raise Unavailable(f"does not load: {done.stderr.strip().splitlines()[-1][:200]}")
    try:
        older_glibc.weaken(Path(wanted.group(2)), wanted.group(1))
        older_glibc.build_shim(path / "older_glibc.so")
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise Unavailable(f"needs a newer glibc, and: {error}") from None
    run(load, path, {"LD_PRELOAD": str(path / "older_glibc.so")})


# --- nchan

# Debian's nginx has this path compiled in, and nchan insists on it: the copy has a relative one of
# the same length instead.
NGINX_TEMPORARY = (b"/var/lib/nginx/", b"tmp/./././././/")


def install_nchan() -> str:
    def make(path: Path) -> None:
        run(["apt-get", "download", "nginx", "libnginx-mod-nchan"], path)
        for package in path.glob("*.deb"):
            run(["dpkg-deb", "-x", str(package), "root"], path)
        for file in ("usr/sbin/nginx", "usr/lib/nginx/modules/ngx_nchan_module.so"):
            binary = path / "root" / file
            binary.write_bytes(binary.read_bytes().replace(*NGINX_TEMPORARY))
        (path / "tmp").mkdir()

    target = once("nchan", make)
    versions = [
        re.sub(r"^(?:libnginx-mod-)?(\w+)_(?:\d+%3a)?([^-+]+).*", r"\1 \2", package.name)
        for package in sorted(target.glob("*.deb"))
    ]
    return ", ".join(versions)


def launch_nchan(port: int) -> Launch:
    home = BUILT / "nchan"
    text = (home / "nginx.conf").read_text()
    text = text.replace("@listen@", f"127.0.0.1:{port}")
    text = text.replace("@module@", str(home / "root/usr/lib/nginx/modules/ngx_nchan_module.so"))
    (home / "nginx.run.conf").write_text(text)
    return Launch(
        [
            str(home / "root/usr/sbin/nginx"),
            *("-p", f"{home}/", "-e", "stderr", "-c", str(home / "nginx.run.conf")),
        ]
    )


# --- ours

# The others have no limits of what a client may publish, so ours has none here either.
WITHOUT_RATES = ("publish-rate", "publish-bytes-rate", "room-publish-rate", "room-publish-bytes-rate")


@cache
def without_rates(binary: Path) -> list[str]:
    """Options that take the limits away; an older build that knows none of them gets none."""
    try:
        known = re.findall(r"^ +--([\w-]+)", run([str(binary), "--help"], ROOT), re.M)
    except Unavailable:
        return []  # its start will say why
    return [part for name in WITHOUT_RATES if name in known for part in (f"--{name}", "0")]


def canang(binary: Path, workers: int = 1, name: str = "canang") -> Peer:
    def launch(port: int) -> Launch:
        return Launch(
            [
                str(binary),
                *("--listen", f"127.0.0.1:{port}", "--internal-listen", "127.0.0.1:0"),
                *("--drain-grace", "0s"),
                *("--workers", str(workers), "--log-level", "warn"),
                *without_rates(binary),
            ]
        )

    def install() -> str:
        return run([str(binary), "--version"], ROOT).strip().rpartition(" ")[2]

    return Peer(name, f"Canang, {workers} worker{'s' * (workers > 1)}", launch, install)


def all_peers() -> list[Peer]:
    websocket, engine = "github.com/gorilla/websocket", "github.com/centrifugal/centrifuge"
    return [
        Peer(
            "uwebsockets",
            "µWebSockets.js, topics",
            launch_node("uwebsockets"),
            lambda: install_node("uwebsockets", "@btc-vision/uwebsockets.js", finish_uwebsockets),
        ),
        Peer(
            "gorilla",
            "gorilla/websocket, the tutorials' loop over a map, with a mutex",
            launch_go("gorilla"),
            lambda: install_go("gorilla", websocket),
        ),
        Peer(
            "gorilla-pumps",
            "gorilla/websocket, the library's chat example: a writing goroutine a client",
            launch_go("gorilla", "-pumps"),
            lambda: install_go("gorilla", websocket),
        ),
        Peer("ws", "ws", launch_node("ws"), lambda: install_node("ws", "ws")),
        Peer(
            "socketio",
            "Socket.IO, WebSocket only",
            launch_node("socketio"),
            lambda: install_node("socketio", "socket.io"),
            dialect="socketio",
            path="/",
        ),
        Peer("nchan", "nchan for nginx, one worker process", launch_nchan, install_nchan),
        Peer(
            "centrifuge",
            "centrifuge, the library that Centrifugo is built on; JSON protocol",
            launch_go("centrifuge"),
            lambda: install_go("centrifuge", engine),
            dialect="centrifuge",
            path="/",
        ),
        Peer(
            "centrifugo",
            "Centrifugo, memory engine; JSON protocol",
            launch_centrifugo,
            install_centrifugo,
            dialect="centrifuge",
            path="/",
        ),
    ]
