"""What is measured: the cases of each scenario, and how one is carried out on one server."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .peers import Peer
from .process import LOAD_SPARE_S, Failure, Load, Server

BUSY = 0.95  # share of a core from which the load side may have been the limit
KEPT_UP = 0.97  # share of the offered messages that must have been delivered
SERVER_CORE, LOAD_CORE, BOTH_CORES = "0", "1", "0,1"
FRAME_HEADER = 2  # of a message of less than 126 bytes
FLOOR = "send loop"
# Messages in flight. With 128 it is no floor: it never waits, and so fills the kernel's buffers.
FLOOR_AT = (1, 32)


@dataclass(frozen=True)
class Times:
    settle_s: float
    warmup_s: float
    measure_s: float
    large_measure_s: float  # for 5,000 and more connections
    stalled_s: float = 6.0


FULL = Times(0.3, 0.5, 1.5, 2.0)
QUICK = Times(0.2, 0.4, 1.0, 1.2)
ROUNDS = 3  # of a whole run
FEWER = 2  # for what no figure of its own hangs on, and for what takes long


@dataclass
class Case:
    scenario: str
    label: str
    kind: str  # traffic, rate, idle, stalled, workers
    rooms: int = 1
    members: int = 1000
    size: int = 64
    in_flight: int = 0
    share: float = 0.0  # of the slowest peer's ceiling
    rate: float = 0.0  # messages/s in all
    with_floor: bool = False
    dialect: str = ""  # of canang-load; empty: the server's own
    joins: bool = True  # idle connections are in a room each
    only: tuple[str, ...] = ()  # servers; empty: all
    rounds: int = 0  # at most; 0: all
    times: Times = field(default_factory=lambda: FULL)

    @property
    def connections(self) -> int:
        return self.rooms * self.members

    @property
    def key(self) -> str:
        return f"{self.scenario}: {self.label}"


SIZES = {64: "64 B", 512: "512 B", 4096: "4 KiB"}
IN_FLIGHT = (1, 8, 32, 128)


def throughput_case(
    size: int, in_flight: int, times: Times, members: int = 1000, rounds: int = 0
) -> Case:
    return Case(
        "throughput" if members == 1000 else "large-room",
        f"{members:,} members, {SIZES[size]}, {in_flight} in flight",
        "traffic",
        members=members,
        size=size,
        in_flight=in_flight,
        with_floor=in_flight in FLOOR_AT and size == 64 and members == 1000,
        rounds=rounds,
        times=times,
    )


# The two formats of Centrifugo's protocol.
FORMATS = {"centrifuge": "JSON", "centrifuge-protobuf": "Protobuf"}


def in_dialect(case: Case, dialect: str) -> Case:
    """The same case with all servers spoken to in that dialect, as its label says."""
    if not dialect:
        return case
    label = f"{FORMATS[dialect]}, {case.label}"
    return replace(case, dialect=dialect, label=label, with_floor=False)


def latency_case(share: float, times: Times, rounds: int = 0) -> Case:
    label = f"1,000 members, 64 B, {share:.0%} of the slowest ceiling"
    return Case("latency", label, "rate", share=share, rounds=rounds, times=times)


def common_cases(times: Times) -> list[Case]:
    return [
        Case(
            "many-rooms",
            "10,000 connections in 1,000 rooms of 10, 1 in flight a room",
            "traffic",
            rooms=1000,
            members=10,
            in_flight=1,
            times=times,
        )
    ]


def stalled_case(times: Times, only: tuple[str, ...], rounds: int) -> Case:
    # 1 MB/s for each member: what the system buffers for a stalled one (about 2.7 MB) is full
    # after three seconds, and its server has to do something about it: Canang closes it two later.
    label = "200 members, 16 KiB, 60 messages/s, 1 % stalled"
    return Case(
        "stalled",
        label,
        "stalled",
        members=200,
        size=16384,
        rate=60,
        only=only,
        rounds=rounds,
        times=times,
    )


# Those that write to a slow reader in different ways; each run takes a quarter of a minute.
STALLED = ("canang", "uwebsockets", "gorilla", "gorilla-pumps", "ws", "centrifuge")


def idle_case(connections: int, times: Times, rounds: int = 0) -> Case:
    label = f"{connections:,} connections"
    return Case("idle", label, "idle", members=connections, rounds=rounds, times=times)


def quick_cases() -> list[Case]:
    return [
        *(throughput_case(64, n, QUICK) for n in (1, 32, 128)),
        *common_cases(QUICK),
        idle_case(5000, QUICK),
        latency_case(0.6, QUICK),
        stalled_case(QUICK, only=("canang", "uwebsockets", "gorilla"), rounds=1),
    ]


def full_cases() -> list[Case]:
    return [
        *(throughput_case(64, n, FULL) for n in IN_FLIGHT),
        *(throughput_case(n, m, FULL, rounds=FEWER) for n in (512, 4096) for m in IN_FLIGHT),
        *(throughput_case(64, n, FULL, members=5000, rounds=FEWER) for n in (1, 32)),
        *common_cases(FULL),
        *(idle_case(n, FULL, rounds) for n, rounds in ((1000, 1), (5000, ROUNDS), (15000, FEWER))),
        *(latency_case(x, FULL, n) for x, n in ((0.3, FEWER), (0.6, ROUNDS), (0.9, FEWER))),
        stalled_case(FULL, only=STALLED, rounds=FEWER),
        *(
            Case(
                "workers",
                label,
                "workers",
                rooms=rooms,
                members=members,
                in_flight=in_flight,
                times=FULL,
            )
            for label, rooms, members, in_flight in (
                ("1,000 members, 1 in flight", 1, 1000, 1),
                ("1,000 members, 32 in flight", 1, 1000, 32),
                ("1,000 members, 128 in flight", 1, 1000, 128),
                ("1,000 rooms of 10, 1 in flight a room", 1000, 10, 1),
                ("10 rooms of 100, 32 in flight a room", 10, 100, 32),
            )
        ),
    ]


# --- carrying them out


@dataclass
class Bench:
    """What all measurements need."""

    server_binary: Path
    load: Path
    logs: Path
    spin: bool = False

    def cores(self, case: Case) -> tuple[str, str]:
        return (BOTH_CORES, BOTH_CORES) if case.kind == "workers" else (SERVER_CORE, LOAD_CORE)

    def server(self, peer: Peer, case: Case) -> Server:
        return Server(peer, self.cores(case)[0], self.logs / f"{peer.name}.log")

    def measure(self, case: Case, peer: Peer) -> dict[str, Any]:
        """The figures of one run; raises Failure."""
        if case.kind == "idle":
            return self._idle(case, peer)
        if case.kind == "stalled":
            return self._stalled(case, peer)
        with self.server(peer, case) as server:
            return self._traffic(case, peer, server)

    def floor(self, case: Case) -> dict[str, Any]:
        """A bare loop of send() over as many sockets, with all that is in flight in each send."""
        command = [str(self.load), "floor", "--connections", str(case.members)]
        command += ["--size", str(floor_size(case)), "--duration", f"{case.times.measure_s}s"]
        command += ["--server-cpu", SERVER_CORE, "--client-cpu", LOAD_CORE, "--json", "-"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        try:
            figures = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise Failure(f"canang-load floor: {done.stderr.strip()[:200]}") from None
        return {
            "deliveries_per_s": figures["frames_per_s"] * case.in_flight,
            "load_cpu": figures["client_cpu"],
            "flags": ["load busy"] if figures["client_cpu"] > BUSY else [],
        }

    def check(self, peer: Peer) -> None:
        """Whether it is the service at all: one message in each of five rooms."""
        case = Case("check", "", "check")
        with self.server(peer, case) as server:
            arguments = ["--rooms", "5", "--members", "20", "--once", "--settle", "200ms"]
            load = self._start(case, peer, server, [*arguments, "--drain", "2s", "--quiet"])
            faults = faults_of(load.result(LOAD_SPARE_S))
            if faults:
                raise Failure("not the same service: " + ", ".join(faults))

    def _start(self, case: Case, peer: Peer, server: Server, arguments: list[str]) -> Load:
        dialect = case.dialect or peer.dialect
        return Load(self.load, server, dialect, self.cores(case)[1], arguments)

    def _shape(self, case: Case, measure_s: float) -> list[str]:
        times = case.times
        settle_s = times.settle_s * (2 if case.connections > 2000 else 1)
        return [
            *("--rooms", str(case.rooms), "--members", str(case.members)),
            *("--size", str(case.size), "--settle", f"{settle_s}s"),
            *("--warmup", f"{times.warmup_s}s", "--duration", f"{measure_s}s", "--drain", "2s"),
            *(["--spin"] if self.spin else []),
        ]

    def _traffic(
        self, case: Case, peer: Peer, server: Server, *more: str, measure_s: float = 0.0
    ) -> dict[str, Any]:
        times = case.times
        if not measure_s:
            measure_s = times.large_measure_s if case.connections > 2000 else times.measure_s
        pace = ["--rate", f"{case.rate:.3f}"] if case.rate else ["--in-flight", str(case.in_flight)]
        load = self._start(case, peer, server, [*self._shape(case, measure_s), *pace, *more])
        figures: dict[str, Any] = {}
        settle_s = times.settle_s * (2 if case.connections > 2000 else 1)
        load.server_cpu(settle_s + times.warmup_s, measure_s * 0.95, figures)
        result = load.result(measure_s + LOAD_SPARE_S)
        if server.process.poll() is not None:
            raise Failure(f"the server died: {server.last_words()}")
        if result["connect"]["connected"] < result["connect"]["wanted"]:
            raise Failure(f"could not connect: {result['connect']['errors']}")
        return {**figures, **traffic_figures(case, result, self.spin)}

    def _idle(self, case: Case, peer: Peer) -> dict[str, Any]:
        with self.server(peer, case) as server:
            self._warm_up(case, peer, server)
            empty = server.settled_memory_bytes()
            shape = ["--rooms", str(case.rooms), "--members", str(case.members)]
            shape += [] if case.joins else ["--no-room"]
            load = self._start(case, peer, server, [*shape, "--idle", "--duration", "60s"])
            try:
                load.wait_until_connected(LOAD_SPARE_S)
                full = server.settled_memory_bytes()
            finally:
                load.stop()
            result = load.result(LOAD_SPARE_S)
            return {
                "bytes_a_connection": round((full - empty) / case.connections),
                "empty_bytes": empty,
                "full_bytes": full,
                "connects_per_s": result["connect"]["per_second"],
                "flags": [],
            }

    def _warm_up(self, case: Case, peer: Peer, server: Server) -> None:
        """Some clients come and go: the first ones load code, which is no cost of a connection."""
        arguments = ["--rooms", "1", "--members", "20", "--once", "--settle", "200ms", "--quiet"]
        self._start(case, peer, server, [*arguments, "--drain", "2s"]).result(LOAD_SPARE_S)

    def _stalled(self, case: Case, peer: Peer) -> dict[str, Any]:
        length_s = case.times.stalled_s
        with self.server(peer, case) as server:
            none = self._traffic(case, peer, server, measure_s=length_s)
        with self.server(peer, case) as server:
            some = self._traffic(case, peer, server, "--stalled", "1", measure_s=length_s)
        with_any, without = some["p99_ms"], none["p99_ms"]
        return {
            "p99_ms": with_any,
            "p99_ms_without": without,
            "p99_times": round(with_any / without, 3) if with_any and without else None,
            "delivered": some["delivered"],
            "delivered_without": none["delivered"],
            "stalled_closes": some["stalled_closes"],
            "load_cpu": max(none["load_cpu"], some["load_cpu"]),
            "flags": sorted({*none["flags"], *some["flags"]}),
            "faults": some["faults"],
        }


def floor_size(case: Case) -> int:
    """The message whose frame is as long as those of all that is in flight together."""
    header = FRAME_HEADER if case.in_flight == 1 else 4  # RFC 6455, 5.2
    return case.in_flight * (case.size + FRAME_HEADER) - header


def faults_of(result: dict[str, Any]) -> list[str]:
    """What canang-load found wrong, in words."""
    checks = result["checks"]
    names = ("lost", "doubled", "reordered", "members_in_other_order", "misrouted", "corrupt")
    names += ("wrong_type", "given_up", "missed_after_close")
    faults = [f"{checks[name]:,} {name.replace('_', ' ')}" for name in names if checks[name]]
    faults += [f"{n} closed with {code}" for code, n in result["closes"].items()]
    if not faults and result["exit_code"] != 0:
        faults.append(f"canang-load's exit code {result['exit_code']}")
    return faults


def traffic_figures(case: Case, result: dict[str, Any], spin: bool) -> dict[str, Any]:
    run, latency = result["run"], result["run"]["latency_us"]
    load_cpu = run["load_cpu_s"] / run["seconds"] if run["seconds"] else 0.0
    faults = faults_of(result)
    flags = []
    if load_cpu > BUSY and not spin:
        flags.append("load busy")
    if faults:
        flags.append("faults")
    readers = case.members - result["stalled"]["connections"]
    offered = case.rate * readers * run["seconds"]
    delivered = run["deliveries"] / offered if offered else 1.0
    if delivered < KEPT_UP:
        flags.append("did not keep up")
    return {
        "deliveries_per_s": run["deliveries_per_s"],
        # Of messages that were sent after the warm-up; a slow server may have delivered none.
        **{
            f"{n}_ms": latency[n] / 1e3 if latency["count"] else None for n in ("p50", "p99", "max")
        },
        "offered_per_s": round(case.rate * readers, 1),
        "delivered": round(min(delivered, 1.0), 4),
        "connects_per_s": result["connect"]["per_second"],
        "load_cpu": round(load_cpu, 3),
        "stalled_closes": result["stalled"]["closes"],
        "faults": faults,
        "flags": flags,
    }
