"""An old build against a new one: pairs of runs, one after the other, and the ratios of each pair."""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from . import peers
from .cli import ROOT, TRIAL, say
from .process import Failure, Load, Server
from .scenarios import QUICK, Bench, Case, throughput_case

MANY = "1,000 rooms of 10, 1 in flight"
ENDS = "connect and close 5,000"
CONNECTIONS = 5000
SHARE_OF_OLD = 0.6  # of what the old one delivers at most: the rate at which p99 is compared
WITH_UWEBSOCKETS = (MANY,)


def cases() -> list[Case]:
    rooms = Case("pairs", MANY, "traffic", rooms=1000, members=10, in_flight=1, times=QUICK)
    pairs = replace(rooms, label="2,500 rooms of 2, 1 in flight", rooms=2500, members=2)
    sized = [(64, 1), (64, 32), (64, 128), (4096, 1), (4096, 32)]
    rate = Case("pairs", "1,000 members, 60 % of the old ceiling", "rate", share=SHARE_OF_OLD)
    return [
        rooms,
        pairs,
        *(replace(throughput_case(*at, QUICK), scenario="pairs") for at in sized),
        replace(rate, times=QUICK),
        Case("pairs", ENDS, "ends", members=CONNECTIONS, times=QUICK),
    ]


def cpu_ns(server: Server) -> int:
    """Time on a core of all threads of the server, to the nanosecond."""
    total = 0
    for pid in server.pids():
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total


def measure(bench: Bench, case: Case, peer: peers.Peer) -> dict[str, float]:
    if case.kind == "ends":
        return measure_ends(bench, case, peer)
    figures = bench.measure(case, peer)
    if figures["faults"]:
        raise Failure(", ".join(figures["faults"]))
    delivered = figures["deliveries_per_s"]
    found = {"deliveries_per_s": delivered, "cpu_ns_a_delivery": figures["server_cpu"] / delivered * 1e9}
    return found | ({"p99_ms": figures["p99_ms"]} if case.kind == "rate" else {})


def measure_ends(bench: Bench, case: Case, peer: peers.Peer) -> dict[str, float]:
    """CPU time that coming and going takes: handshake, join, close frame, leave."""
    with bench.server(peer, case) as server:
        before = cpu_ns(server)
        shape = ["--rooms", "1", "--members", str(case.members), "--idle", "--duration", "60s"]
        load = Load(bench.load, server, peer.dialect, bench.cores(case)[1], shape)
        load.wait_until_connected(60)
        time.sleep(0.5)
        connected = cpu_ns(server)
        load.stop()
        load.result(60)
        time.sleep(1.0)
        count = case.members
        return {
            "connect_us": (connected - before) / count / 1e3,
            "close_us": (cpu_ns(server) - connected) / count / 1e3,
        }


LESS_IS_BETTER = ("cpu_ns_a_delivery", "p99_ms", "connect_us", "close_us")


def spread(values: list[float]) -> dict[str, float]:
    low, middle, high = quantiles(values, n=4) if len(values) > 1 else values * 3
    return {"median": middle, "q1": low, "q3": high, "n": len(values)}


def ratios(runs: list[dict[str, Any]], name: str, over: str, figure: str) -> dict[str, float] | None:
    values = [
        run[name][figure] / run[over][figure] for run in runs if run[name] and run.get(over)
    ]
    return spread(values) if values else None


def table(results: dict[str, list[dict[str, Any]]]) -> str:
    lines = [
        "| case | figure | old | new | new/old, median [quartiles], pairs | µWebSockets.js |",
        "|---|---|---|---|---|---|",
    ]
    for label, runs in results.items():
        good = [run for run in runs if run["old"] and run["new"]]
        for figure in good[0]["old"] if good else []:
            ratio = ratios(good, "new", "old", figure)
            old, new = (median(run[name][figure] for run in good) for name in ("old", "new"))
            peer = ratios(good, "new", "uwebsockets", figure)
            other = f"new is {peer['median']:.2f} x" if peer else ""
            if peer and figure == "cpu_ns_a_delivery":
                other = f"new takes {peer['median']:.2f} x"
            lines.append(
                f"| {label} | {figure} | {old:,.5g} | {new:,.5g} | {ratio['median']:.3f} "
                f"[{ratio['q1']:.2f} {ratio['q3']:.2f}], {ratio['n']} | {other} |"
            )
    return "\n".join(lines)


def compare(bench: Bench, servers: dict[str, peers.Peer], chosen: list[Case], pairs: int) -> Any:
    """Round after round, so that a slow minute of the machine meets all cases and both builds."""
    results: dict[str, list[dict[str, Any]]] = {case.label: [] for case in chosen}
    ceiling = 0.0
    for number in range(1, pairs + 1):
        for case in chosen:
            if case.share:
                ceiling = ceiling or bench.measure(throughput_case(64, 1, QUICK), servers["old"])[
                    "deliveries_per_s"
                ]
                case.rate = ceiling * case.share / case.members
            run: dict[str, Any] = {}
            order = ["old", "new"] if number % 2 else ["new", "old"]
            if "uwebsockets" in servers and case.label in WITH_UWEBSOCKETS:
                order.append("uwebsockets")
            for name in order:
                try:
                    run[name] = measure(bench, case, servers[name])
                except (Failure, OSError, KeyError) as failure:
                    run[name] = None
                    say(f"  {case.label}: {name} FAILED: {failure}")
            results[case.label].append(run)
            say(f"{number:3} {case.label}: " + ", ".join(f"{k} {v}" for k, v in run.items()))
    return results


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run compare", description=__doc__)
    parser.add_argument("old", type=Path, help="an older build's canang")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument(
        "--only", action="append", default=[], metavar="TEXT", help="cases whose label has it"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    build = ROOT / "build" / "release"
    parser.add_argument("--new", type=Path, default=build / "canang")
    parser.add_argument("--load", type=Path, default=build / "canang-load")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    TRIAL.mkdir(parents=True, exist_ok=True)
    bench = Bench(options.new, options.load, TRIAL)
    servers = {
        name: peers.canang(getattr(options, name).resolve(), name=name) for name in ("old", "new")
    }
    wanted = options.only or [""]
    chosen = [case for case in cases() if any(text in case.label for text in wanted)]
    if any(case.label in WITH_UWEBSOCKETS for case in chosen):
        found = next(p for p in peers.all_peers() if p.name == "uwebsockets")
        try:
            found.install()
            servers["uwebsockets"] = found
        except peers.Unavailable as reason:
            say(f"µWebSockets.js: {reason}")
    results = compare(bench, servers, chosen, options.pairs)
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + os.linesep, encoding="utf-8")
    return 0
