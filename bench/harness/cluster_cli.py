"""The command `bench/run cluster`: two nodes of each server on one Redis."""

from __future__ import annotations

import argparse
import resource
import shlex
import shutil
import signal
import sys
from pathlib import Path

from report import cluster as pages

from . import cli, cluster, cluster_peers, machine
from .peers import Unavailable
from .redis_server import redis_version

DOCS = cli.DOCS / "cluster"
TRIAL = cli.TRIAL / "cluster"


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/run cluster",
        description="Measures two nodes of Canang and of others on one Redis: bench/README.md.",
    )
    parser.add_argument("--quick", action="store_true", help="the essential cases, 5 minutes")
    parser.add_argument("--peers", default="", metavar="A,B", help="compare with these only")
    parser.add_argument("--repeat", type=int, metavar="N", help="rounds (5; quick: what fits)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the report goes")
    parser.add_argument("--list", action="store_true", help="list servers and cases, run nothing")
    build = cli.ROOT / "build" / "release"
    parser.add_argument("--server", type=Path, default=build / "canang", help=argparse.SUPPRESS)
    parser.add_argument("--load", type=Path, default=build / "canang-load", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    cli.check_common(parser, options, [peer.name for peer in cluster_peers.all_peers()])
    options.only = []
    return options


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    cases = cluster.cases(options.quick)
    candidates = [cluster_peers.canang(options.server), *cluster_peers.all_peers()]
    if options.list:
        print("\n".join([*(peer.name for peer in candidates), "", *(case.key for case in cases)]))
        return 0
    problem = cli.check_machine(options)
    if not problem and not shutil.which("redis-server"):
        problem = "needs redis-server: ./dev bench cluster installs it"
    if problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 1
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    options.machine = machine.facts()
    options.command = shlex.join(["./dev", "bench", "cluster", *arguments])
    is_whole = not (options.quick or options.peers)
    directory = options.out or (DOCS if is_whole else TRIAL)

    logs = TRIAL / "log"
    logs.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that servers are stopped
    bench = cluster.ClusterBench(options.server, options.load, logs)
    try:
        servers, skipped = cli.prepare(candidates, options.peers, options.quick, bench)
        redis = redis_version()
    except Unavailable as reason:
        print(f"bench: {reason}", file=sys.stderr)
        return 1
    if not any(peer.name == "canang" for peer in servers):
        print("bench: Canang itself does not run", file=sys.stderr)
        return 1
    rounds = options.repeat or (20 if options.quick else 5)
    runner = cli.Runner(bench, servers, cli.QUICK_LIMIT_S if options.quick else float("inf"))
    try:
        runner.run(cases, rounds)
    except KeyboardInterrupt:
        cli.say("interrupted: reporting what there is")
        directory = options.out or TRIAL
    if not runner.runs:
        return 1
    results = {**cli.results_of(runner, options, skipped), "redis": redis}
    cli.report(results, directory, pages.write_plots, pages.document)
    cli.print_in_short(results, directory, pages.TITLES, pages.against_the_better)
    return 0
