"""A benchmark beside the main one: `bench/run NAME`, with cases, servers and a page of its own."""

from __future__ import annotations

import argparse
import resource
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from . import cli, machine
from .peers import Peer, Unavailable
from .scenarios import Case


@dataclass(frozen=True)
class Side:
    name: str  # of the command, and of its folder in docs/benchmarks/
    description: str
    cases: Callable[[bool], list[Case]]  # for --quick, or all
    candidates: Callable[[Path], list[Peer]]  # the servers, ours first, from its binary
    bench: Callable[[Path, Path, Path], Any]  # from ours, canang-load and the folder of logs
    pages: ModuleType  # TITLES, in_short, write_plots, document
    rounds: int
    limit_s: float = float("inf")  # for a whole run; what does not fit is left out
    needs: tuple[str, ...] = ()  # programs that ./dev installs
    facts: Callable[[], dict[str, Any]] = field(default=dict)  # more for the results


def parse_arguments(side: Side, arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"bench/run {side.name}", description=side.description)
    parser.add_argument("--quick", action="store_true", help="the essential cases, 5 minutes")
    parser.add_argument("--peers", default="", metavar="A,B", help="compare with these only")
    repeat = f"rounds (up to {side.rounds}; quick: what fits)"
    parser.add_argument("--repeat", type=int, metavar="N", help=repeat)
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the report goes")
    parser.add_argument("--list", action="store_true", help="list servers and cases, run nothing")
    build = cli.ROOT / "build" / "release"
    parser.add_argument("--server", type=Path, default=build / "canang", help=argparse.SUPPRESS)
    parser.add_argument("--load", type=Path, default=build / "canang-load", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    cli.check_common(parser, options, [peer.name for peer in side.candidates(options.server)])
    options.only = []
    return options


def check_machine(side: Side, options: argparse.Namespace) -> str:
    """Why it can't run here; empty when it can."""
    for program in side.needs:
        if not shutil.which(program):
            return f"needs {program}: ./dev bench {side.name} installs it"
    return cli.check_machine(options)


def fail(reason: object) -> int:
    print(f"bench: {reason}", file=sys.stderr)
    return 1


def main(side: Side, arguments: list[str]) -> int:
    options = parse_arguments(side, arguments)
    cases = side.cases(options.quick)
    candidates = side.candidates(options.server)
    if options.list:
        print("\n".join([*(peer.name for peer in candidates), "", *(case.key for case in cases)]))
        return 0
    if problem := check_machine(side, options):
        return fail(problem)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    options.machine = machine.facts()
    options.command = shlex.join(["./dev", "bench", side.name, *arguments])
    trial = cli.TRIAL / side.name
    is_whole = not (options.quick or options.peers)
    directory = options.out or (cli.DOCS / side.name if is_whole else trial)

    logs = trial / "log"
    logs.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that servers are stopped
    bench = side.bench(options.server, options.load, logs)
    try:
        servers, skipped = cli.prepare(candidates, options.peers, options.quick, bench)
        facts = side.facts()
    except Unavailable as reason:
        return fail(reason)
    if not any(peer.name == "canang" for peer in servers):
        return fail("Canang itself does not run")
    rounds = options.repeat or (20 if options.quick else side.rounds)
    limit_s = cli.QUICK_LIMIT_S if options.quick else side.limit_s
    if options.repeat:
        for case in cases:
            case.rounds = 0
        limit_s = limit_s if options.quick else float("inf")
    runner = cli.Runner(bench, servers, limit_s)
    try:
        runner.run(cases, rounds)
    except KeyboardInterrupt:
        cli.say("interrupted: reporting what there is")
        directory = options.out or trial
    if not runner.runs:
        return 1
    results = {**cli.results_of(runner, options, skipped), **facts}
    cli.report(results, directory, side.pages.write_plots, side.pages.document)
    cli.print_in_short(results, directory, side.pages.TITLES, side.pages.in_short)
    return 0
