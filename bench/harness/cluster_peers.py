"""The servers of ./dev bench cluster: how a node of each is started, given the URL of a Redis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from . import peers
from .peers import Launch, Peer
from .process import free_port


@dataclass
class ClusterPeer(Peer):
    """A server whose nodes share a Redis; `launch` is of no use until it is bound to one."""

    launch_node: Callable[[int, str], Launch] | None = None

    def bound(self, redis_url: str) -> Peer:
        return replace(self, launch=lambda port: self.launch_node(port, redis_url))


def _unbound(_port: int) -> Launch:
    raise AssertionError("a node needs a Redis")


def canang(binary: Path) -> ClusterPeer:
    def launch(port: int, redis_url: str) -> Launch:
        internal_port = free_port()
        command = [
            str(binary),
            *("--listen", f"127.0.0.1:{port}", "--internal-listen", f"127.0.0.1:{internal_port}"),
            *("--drain-grace", "0s", "--rebalance-after", "0s"),
            *("--workers", "1", "--redis", redis_url, "--log-level", "warn"),
            *peers.without_rates(binary),
        ]
        return Launch(command, internal_port=internal_port)

    title = "Canang, 1 worker a node; 128 messages a room kept"
    return ClusterPeer("canang", title, _unbound, peers.canang(binary).install, launch_node=launch)


def _centrifuge(name: str, title: str, *options: str) -> ClusterPeer:
    def launch(port: int, redis_url: str) -> Launch:
        return peers.launch_go("centrifuge", "-redis", redis_url, *options)(port)

    return ClusterPeer(
        name,
        title,
        _unbound,
        lambda: peers.install_go("centrifuge", "github.com/centrifugal/centrifuge"),
        dialect="centrifuge",
        path="/",
        launch_node=launch,
    )


def _launch_socketio(port: int, redis_url: str) -> Launch:
    launch = peers.launch_node("socketio")(port)
    return replace(launch, command=[*launch.command, redis_url])


def all_peers() -> list[ClusterPeer]:
    engine = "centrifuge, Centrifugo's library, with its Redis engine; JSON protocol"
    return [
        _centrifuge("centrifuge", f"{engine}; no messages kept"),
        _centrifuge("centrifuge-128", f"{engine}; 128 messages a room kept", "-history", "128"),
        ClusterPeer(
            "socketio",
            "Socket.IO with @socket.io/redis-adapter, WebSocket only",
            _unbound,
            lambda: peers.install_node("socketio", "@socket.io/redis-adapter"),
            dialect="socketio",
            path="/",
            launch_node=_launch_socketio,
        ),
    ]
