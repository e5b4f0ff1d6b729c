"""The command: which servers, which cases, how often; then the report."""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from report import markdown, words
from report.plots import write_plots

from . import machine, peers, scenarios, summary
from .process import Failure
from .scenarios import FLOOR, Bench, Case

ROOT = peers.ROOT
DOCS = ROOT / "docs" / "benchmarks"
TRIAL = ROOT / "build" / "bench"
QUICK_LIMIT_S = 285.0
ALIASES = {"memory": "idle", "connect": "idle", "connects": "idle"}
NOT_QUICK = ("gorilla-pumps", "centrifuge-128")
NAMES = list(markdown.TITLES)


class Runner:
    """Carries out rounds of cases, and keeps what came of them."""

    def __init__(self, bench: Any, servers: list[peers.Peer], limit_s: float) -> None:
        self.bench = bench
        self.servers = servers
        self.started = time.monotonic()
        self.limit_s = limit_s
        self.took_s: dict[str, float] = {}
        self.runs: list[dict[str, Any]] = []
        self.failed: set[tuple[str, str]] = set()
        self.rates: dict[str, float] = {}  # by dialect: what the slowest server delivers at most
        self.left_out: list[str] = []
        self.rounds = 0  # of which at least one case was carried out

    def has_time_for(self, case: Case) -> bool:
        left = self.limit_s - (time.monotonic() - self.started)
        return left > self.took_s.get(case.key, 10.0) * 1.05

    def run(self, cases: list[Case], rounds: int) -> None:
        for number in range(1, rounds + 1):
            for case in cases:
                if case.rounds and number > case.rounds:
                    continue
                if not self.has_time_for(case):
                    if number == 1:
                        self.left_out.append(case.key)
                        say(f"left out for time: {case.key}")
                    continue
                self.rounds = number
                begun = time.monotonic()
                self.block(case, number)
                self.took_s[case.key] = time.monotonic() - begun

    def block(self, case: Case, number: int) -> None:
        """One case on every server."""
        if case.share:
            case.rate = self.rate_of(case, number)
        say(f"round {number}  {case.key}")
        competitors = self.servers
        if case.kind == "workers":
            binary = self.bench.server_binary
            competitors = [peers.canang(binary, n, f"canang-{n}") for n in (1, 2)]
        for peer in competitors:
            if case.only and peer.name not in case.only:
                continue
            self.one(case, number, peer.name, lambda peer=peer: self.bench.measure(case, peer))
        if case.with_floor:
            self.one(case, number, FLOOR, lambda: self.bench.floor(case))

    def one(self, case: Case, number: int, name: str, measure: Any) -> None:
        if (case.key, name) in self.failed:
            return
        run: dict[str, Any] = {
            "scenario": case.scenario,
            "case": case.key,
            "label": case.label,
            "size": case.size,
            "dialect": case.dialect,
            "peer": name,
            "round": number,
        }
        try:
            run["figures"] = measure()
            say(f"    {name:14} {line_of(case, run['figures'])}")
        except (Failure, OSError, subprocess.SubprocessError, KeyError, ValueError) as failure:
            run["error"] = str(failure) or type(failure).__name__
            self.failed.add((case.key, name))
            say(f"    {name:14} FAILED: {run['error']}")
        self.runs.append(run)

    def rate_of(self, case: Case, number: int) -> float:
        """Messages/s: a share of what the slowest server delivers at most, from this same run."""
        if case.dialect not in self.rates:
            if not summary.ceilings(self.runs, case.dialect):
                for in_flight in (1, 32):
                    asked = scenarios.throughput_case(64, in_flight, case.times)
                    self.block(scenarios.in_dialect(asked, case.dialect), number)
            found = summary.ceilings(self.runs, case.dialect)
            found.pop(FLOOR, None)
            if not found:
                raise SystemExit("bench: no server could be measured")
            slowest = min(found, key=found.__getitem__)
            say(f"slowest ceiling: {slowest}, {words.count(found[slowest])} deliveries/s")
            self.rates[case.dialect] = found[slowest]
        return self.rates[case.dialect] * case.share / case.members


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def line_of(case: Case, figures: dict[str, Any]) -> str:
    """A run in a line."""
    if case.kind == "idle":
        text = f"{figures['bytes_a_connection']:,} bytes a connection"
        text += f", {figures['connects_per_s']:,.0f} connects/s"
    elif case.kind == "stalled":
        text = f"p99 {ms(figures['p99_ms'])}, without stalled readers "
        text += f"{ms(figures['p99_ms_without'])}, {figures['delivered']:.0%} arrived"
    else:
        text = f"{figures['deliveries_per_s']:,.0f} deliveries/s"
        if "p99_ms" in figures:
            text += f", p99 {ms(figures['p99_ms'])}"
    if "load_cpu" in figures:
        text += f", load's CPU {figures['load_cpu']:.0%}"
    notes = figures["flags"] + figures.get("faults", [])[:3]
    return text + (f"  [{'; '.join(notes)}]" if notes else "")


def ms(n: float | None) -> str:
    return "unknown" if n is None else f"{n:.2f} ms"


def prepare(
    candidates: list[Any], wanted: list[str], is_quick: bool, bench: Any
) -> tuple[list[Any], list[dict[str, str]]]:
    """Installs and tries the servers; those that can't be had are told, with the reason."""
    ready, skipped = [], []
    say("servers:")
    for peer in candidates:
        if peer.name != "canang" and wanted and peer.name not in wanted:
            continue
        if is_quick and not wanted and peer.name in NOT_QUICK:
            skipped.append({"name": peer.name, "reason": "left out of --quick for time"})
            say(f"  {peer.name:14} left out of --quick for time")
            continue
        try:
            peer.version = peer.install()
            bench.check(peer)
        except (peers.Unavailable, Failure, OSError) as reason:
            skipped.append({"name": peer.name, "reason": str(reason)})
            say(f"  {peer.name:14} SKIPPED: {reason}")
            continue
        ready.append(peer)
        say(f"  {peer.name:14} {peer.version}")
    return ready, skipped


def choose(all_cases: list[Case], only: list[str]) -> list[Case]:
    wanted = {ALIASES.get(name, name) for name in only}
    return [case for case in all_cases if not wanted or case.scenario in wanted]


def results_of(runner: Runner, options: Any, skipped: list[dict[str, str]]) -> Any:
    return {
        "format": 1,
        "command": options.command,
        "machine": options.machine,
        "peers": [{"name": p.name, "title": p.title, "version": p.version} for p in runner.servers],
        "skipped": skipped,
        "rounds": runner.rounds,
        "minutes": round((time.monotonic() - runner.started) / 60, 1),
        "left_out_for_time": runner.left_out,
        "slowest_ceiling_deliveries_per_s": runner.rates.get(""),
        "summary": summary.summarize(runner.runs, "canang"),
        "runs": runner.runs,
    }


def report(
    results: dict[str, Any],
    directory: Path,
    plot: Callable[[list[Any], list[str], Path], list[tuple[str, str]]] = write_plots,
    document: Callable[[dict[str, Any], list[tuple[str, str]]], str] = markdown.document,
) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.svg"):
        old.unlink()
    names = [p["name"] for p in results["peers"]]
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    (directory / "results.json").write_text(text, encoding="utf-8")
    plots = plot(results["summary"], names, directory)
    page = document(results, plots)
    (directory / "README.md").write_text(page, encoding="utf-8")


def print_in_short(
    results: dict[str, Any],
    directory: Path,
    titles: dict[str, str] = markdown.TITLES,
    essential: Callable[[list[Any], list[str]], str] = markdown.essential,
) -> None:
    names = [p["name"] for p in results["peers"]]
    if any(e["peer"] == FLOOR for e in results["summary"]):
        names.append(FLOOR)
    short = essential(results["summary"], names)
    spreads = "\n\n".join(
        f"{titles.get(s, s)}\n\n{markdown.details(results['summary'], s)}"
        for s in dict.fromkeys(e["scenario"] for e in results["summary"])
    )
    print(spreads.replace("**", ""))
    if short:
        print("\nIn short: medians, in parentheses Canang's figure divided by the other's\n")
        print(short)
    for extra in (markdown.legend(short + spreads), markdown.notes(results["summary"])):
        if extra:
            print("\n" + extra)
    for s in results["skipped"]:
        print(f"\n{s['name']} was skipped: {s['reason']}")
    where = directory.relative_to(ROOT) if directory.is_relative_to(ROOT) else directory
    print(f"\n{results['rounds']} round(s), {results['minutes']} minutes; all of it in {where}/")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/run",
        description="Measures Canang against other servers on this machine: bench/README.md.",
    )
    parser.add_argument("--quick", action="store_true", help="the essential cases, 5 minutes")
    parser.add_argument(
        "--only", action="append", default=[], metavar="SCENARIO", help=", ".join(NAMES)
    )
    parser.add_argument("--peers", default="", metavar="A,B", help="compare with these only")
    repeat = "rounds of every case (3 or fewer; quick: what fits)"
    parser.add_argument("--repeat", type=int, metavar="N", help=repeat)
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the report goes")
    parser.add_argument(
        "--spin", action="store_true", help="the load never sleeps (its CPU then says nothing)"
    )
    parser.add_argument("--list", action="store_true", help="list servers and cases, run nothing")
    build = ROOT / "build" / "release"
    parser.add_argument("--server", type=Path, default=build / "canang", help=argparse.SUPPRESS)
    parser.add_argument("--load", type=Path, default=build / "canang-load", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.only = [name for text in options.only for name in text.split(",") if name]
    for name in options.only:
        if name not in NAMES and name not in ALIASES:
            parser.error(f"--only: no scenario '{name}' (there is: {', '.join(NAMES)})")
    check_common(parser, options, [peer.name for peer in peers.all_peers()])
    return options


def check_common(
    parser: argparse.ArgumentParser, options: argparse.Namespace, known: list[str]
) -> None:
    """--peers as a list of names that are known, and --repeat."""
    options.peers = [name for name in options.peers.split(",") if name]
    for name in options.peers:
        if name not in known and name != "canang":
            parser.error(f"--peers: no peer '{name}' (there is: {', '.join(known)})")
    if options.repeat is not None and options.repeat < 1:
        parser.error("--repeat: at least 1")


def check_machine(options: argparse.Namespace) -> str:
    """Why the benchmark can't run here; empty when it can."""
    for path in (options.server, options.load):
        if not path.is_file():
            return f"{path} does not exist: ./dev bench builds it"
    if not {0, 1} <= os.sched_getaffinity(0):
        return "needs cores 0 and 1, one for the server and one for the load"
    if not shutil.which("taskset"):
        return "needs taskset"
    return ""


def main() -> int:
    options = parse_arguments()
    all_cases = scenarios.quick_cases() if options.quick else scenarios.full_cases()
    if options.quick and set(options.only) - {c.scenario for c in all_cases} - set(ALIASES):
        all_cases = scenarios.full_cases()
    cases = choose(all_cases, options.only)
    if options.list:
        print("\n".join(["canang", *(peer.name for peer in peers.all_peers()), ""]))
        print("\n".join(case.key for case in cases))
        return 0
    problem = check_machine(options)
    if problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 1
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    options.machine = machine.facts()
    options.command = "./dev bench " + shlex.join(sys.argv[1:]) if sys.argv[1:] else "./dev bench"
    # Only a whole run may replace what is in docs/.
    is_whole = not (options.quick or options.only or options.peers)
    directory = options.out or (DOCS if is_whole else TRIAL)

    logs = TRIAL / "log"
    logs.mkdir(parents=True, exist_ok=True)
    bench = Bench(options.server, options.load, logs, options.spin)
    candidates = [peers.canang(options.server), *peers.all_peers()]
    servers, skipped = prepare(candidates, options.peers, options.quick, bench)
    if not any(peer.name == "canang" for peer in servers):
        print("bench: Canang itself does not run", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that servers are stopped
    rounds = options.repeat or (20 if options.quick else scenarios.ROUNDS)
    if options.repeat:
        for case in cases:
            case.rounds = 0
    runner = Runner(bench, servers, QUICK_LIMIT_S if options.quick else float("inf"))
    try:
        runner.run(cases, rounds)
    except KeyboardInterrupt:
        say("interrupted: reporting what there is")
        directory = options.out or TRIAL
    if not runner.runs:
        return 1
    results = results_of(runner, options, skipped)
    report(results, directory)
    print_in_short(results, directory)
    return 0
