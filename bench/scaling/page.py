"""The tables and the plot of docs/scale.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from report import svg
from report.markdown import table

from .check import compared
from .costs import Costs
from .fit import Line
from .model import (
    USABLE,
    Forecast,
    Shape,
    connections_of_one,
    forecast,
    nodes_that_fill,
    redis_load,
    shards_for,
)
from .roster import Roster

SCALES = (10, 100, 1000)
PLOTTED = (10, 20, 50, 100, 200, 500, 1000)
MILLION = 1_000_000
SHAPES = (
    Shape("Chat rooms of 10", MILLION, 10, "told", publishes=1 / 30, stay_s=1200),
    Shape("Chat, nothing told", MILLION, 10, "plain", publishes=1 / 30, stay_s=1200),
    Shape("Live rooms of 1,000", MILLION, 1000, "plain", publishes=1.0, stay_s=1200),
    Shape("One room of all", MILLION, MILLION, "live", publishes=1.0, stay_s=1200),
)
KINDS = {
    "told": "with presence, joins and leaves",
    "plain": "with history, without presence",
    "live": "without history and presence",
}
SEED = 1
REAP_S = {"0.01 s": 0.01, "5 s": 5.0}


def percent(share: float) -> str:
    return f"{share * 100:,.0f} %" if share >= 0.095 else f"{share * 100:.2g} %"


def bits(bytes_a_second: float) -> str:
    value = bytes_a_second * 8 / 1e6
    if value >= 1000:
        return f"{value / 1000:.1f} Gbit/s"
    return f"{value:,.0f} Mbit/s" if value >= 10 else f"{value:.2g} Mbit/s"


def size(count: float) -> str:
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if count >= unit:
            value = count / unit
            return f"{value:,.0f} {name}" if value >= 10 else f"{value:.1f} {name}"
    return f"{count:.0f} B"


def seconds(value: float) -> str:
    if value >= 7200:
        return f"{value / 3600:,.0f} h"
    if value >= 120:
        return f"{value / 60:,.0f} min"
    return f"{value:,.0f} s" if value >= 10 else f"{value:.1g} s"


def cores(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def of_shape(costs: Costs, shape: Shape) -> str:
    found = [(nodes, forecast(costs, shape, nodes)) for nodes in SCALES]
    causes = list(found[0][1].load.cpu)

    def row(name: str, show: Callable[[int, Forecast], str]) -> list[str]:
        return [name, *(show(nodes, f) for nodes, f in found)]

    shards = [shards_for(costs, shape, nodes) for nodes in SCALES]
    rows = [
        ["", *(f"{nodes:,} nodes" for nodes in SCALES)],
        row("**Redis: CPU**, of one core", lambda _, f: f"**{percent(f.load.share)}**"),
        *(row(f"- {cause}", lambda _, f, c=cause: percent(f.load.cpu[c])) for cause in causes),
        row("to Redis", lambda _, f: bits(sum(f.load.bytes_in.values()))),
        row("from Redis", lambda _, f: bits(sum(f.load.bytes_out.values()))),
        row("Redis: memory", lambda _, f: size(f.redis_memory)),
        ["`--redis` it takes", *(str(n) if n else "none suffice" for n in shards)],
        row("connections that one carries", lambda _, f: carried(shape, f)),
        row("a node: connections", lambda n, _: f"{shape.members // n:,}"),
        row("a node: memory", lambda _, f: size(f.node_memory)),
        row("a node: cores for deliveries", lambda _, f: cores(f.node_cores)),
        row("a node: to its clients", lambda _, f: bits(f.node_to_clients)),
        row("a node: from Redis", lambda _, f: bits(f.node_from_redis)),
        row("a node: to Redis", lambda _, f: bits(f.node_to_redis)),
        row("more CPU of Redis: nodes are added", lambda _, f: percent(f.scale_up_cpu)),
        row("more CPU of Redis: a node drains", lambda _, f: percent(f.drain_cpu)),
        row("work of Redis when it returns", lambda _, f: seconds(f.rebuild_s)),
    ]
    return table(rows)


def carried(shape: Shape, found: Forecast) -> str:
    """Of the same sort, by one Redis."""
    count = connections_of_one(shape, found.load)
    return f"{count:,.0f}" if count else "none"


def shapes(costs: Costs) -> str:
    parts = []
    for shape in SHAPES:
        about = (
            f"{shape.rooms:,} {'rooms' if shape.rooms > 1 else 'room'}, {KINDS[shape.kind]}. "
            f"A message of {shape.payload} B in each every {1 / shape.publishes:g} s; "
            f"{shape.joins:,.0f} members come and as many go a second."
        )
        parts.append(f"### {shape.name}\n\n{about}\n\n{of_shape(costs, shape)}")
    return "\n\n".join(parts)


def breaks(costs: Costs) -> str:
    head = f"one Redis is over {USABLE:.0%} of its core from"
    rows = [["", head, "most of it, with 10 nodes", "with 1,000 nodes"]]
    for shape in SHAPES:
        found = nodes_that_fill(costs, shape)
        words = f"{found:,} nodes" if found else "more than 10,000 nodes"
        if found == 1:
            words = "the first node on"
        rows.append([shape.name, words, *(redis_load(costs, shape, n).most for n in (10, 1000))])
    rows.append(["no clients at all", f"{empty_limit(costs):,} nodes", "nodes", "nodes"])
    return table(rows)


def empty_limit(costs: Costs) -> int:
    """With how many nodes Redis is full of what they say of themselves."""
    return next(n for n in range(1, 10_001) if costs.idle("cpu_us", n) / 1e6 > USABLE)


def nodes(costs: Costs) -> str:
    rows = [["", *(f"{n:,} nodes" for n in SCALES)]]

    def row(name: str, show: Callable[[int], str]) -> None:
        rows.append([name, *map(show, SCALES)])

    row("what a node is told of all, each 2 s", lambda n: size(n * costs.description))
    row("CPU of Redis", lambda n: percent(costs.idle("cpu_us", n) / 1e6))
    row("from Redis, to all nodes", lambda n: bits(costs.idle("out", n)))
    row("to Redis, from all nodes", lambda n: bits(costs.idle("in", n)))
    row("a third more nodes: all know after", lambda n: f"{grown(n):.1f} s")
    row("a tenth is killed: the first is noticed after", lambda n: f"{killed(n, 0.01)[0]:.1f} s")
    for name, reap_s in REAP_S.items():
        title = f"- calls for them, where a partition of one takes {name}"
        row(title, lambda n, s=reap_s: f"{killed(n, s)[1]:,}")
    return table(rows)


@cache
def grown(count: int) -> float:
    return Roster(count, SEED).change(killed=0, added=max(1, count // 3)).known_to_all_s


@cache
def killed(count: int, reap_s: float) -> tuple[float, int]:
    outcome = Roster(count, SEED, reap_s).change(killed=max(1, count // 10), added=0)
    return outcome.first_noticed_s, outcome.claims * 64


def units(costs: Costs) -> str:
    rows = [["", "CPU of Redis", "fit is off by", "bytes to Redis", "bytes from Redis"]]
    for title, what in UNIT_ROWS:
        cpu, received, sent = (costs.lines[what][q] for q in ("cpu_us", "in", "out"))
        about = [f"{formula(cpu)} µs", f"{cpu.residual:.0%}", formula(received), formula(sent)]
        rows.append([title, *about])
    return table(rows)


UNIT_ROWS = (
    ("all nodes, idle, a second", "idle"),
    ("first member of a room on a node", "first join, plain"),
    ("- joins and leaves are told", "first join, told"),
    ("another member", "join, plain"),
    ("- joins and leaves are told", "join, told"),
    ("a member leaves", "leave, plain"),
    ("- joins and leaves are told", "leave, told"),
    ("the last member on a node leaves", "last leave, plain"),
    ("- joins and leaves are told", "last leave, told"),
    ("a publication of 64 B", "publish, plain"),
    ("- without history", "publish, live"),
    ("- joins and leaves are told", "publish, told"),
    ("a quiet room on a node, a second", "quiet, plain"),
    ("- joins and leaves are told", "quiet, told"),
)


def formula(line: Line) -> str:
    def number(value: float) -> str:
        return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"

    if not line.slope or line.slope < 0.005 * line.base:
        return number(line.base)
    return f"{number(line.base)} + {number(line.slope)} N"


def replays(replay: dict[str, Any]) -> str:
    leases = replay["leases"]
    rows = [["played on a real Redis", "cost", "fit is off by"]]

    def row(title: str, line: Line, unit: str = "µs") -> None:
        rows.append([title, f"{formula(line)} {unit}", f"{line.residual:.0%}"])

    row("a renewal that tells of N nodes", leases["telling_us"])
    row("- from Redis", leases["telling_out"], "B")
    rows.append(["a renewal in any other partition", f"{leases['lease_us']:.0f} µs", ""])
    row("a message that N links get", replay["fan_out"])
    row("a look at where N rooms stand", replay["positions"]["cpu_us"])
    row("a look at who is in a room of N", replay["look"])
    row("N members of a room told anew", replay["told_anew"])
    row("a room that keeps N messages of 64 B: memory", replay["kept_memory"], "B")
    for title, which in (("a channel that nobody had", "first"), ("- that others have", "more")):
        cpu, memory = (replay["subscriptions"][f"{which}_{what}"] for what in ("us", "memory"))
        rows.append([title, f"{cpu:.1f} µs, {memory:.0f} B", ""])
    return table(rows)


def checks(run: dict[str, Any], costs: Costs) -> str:
    rows = [[f"{run['check']['nodes']} nodes", "measured", "forecast", "off by"]]
    for name, (real, told) in compared(run["check"], costs).items():
        rows.append([name, f"{real:,.1f}", f"{told:,.1f}", f"{told / real - 1:+.0%}"])
    return table(rows)


def machine(run: dict[str, Any]) -> str:
    m = run["machine"]
    return (
        f"{m['cpu']}, {m['cores']} cores{' (virtual machine)' if m['virtual'] else ''}, "
        f"{m['system']}, Linux {m['kernel']}, Redis {run['redis']}, "
        f"load average {m['load_average_at_start']} before the start, {m['date']}."
    )


def plot(costs: Costs) -> str:
    series: dict[str, list[float | None]] = {
        shape.name: [redis_load(costs, shape, n).share * 100 for n in PLOTTED] for shape in SHAPES
    }
    series["no clients"] = [costs.idle("cpu_us", n) / 1e4 for n in PLOTTED]
    series["one core"] = [100.0] * len(PLOTTED)
    colors = {name: i for i, name in enumerate(series)}
    return svg.line_chart(
        "CPU of Redis, a million connections",
        "Percent of one core, one Redis; by the number of nodes, to the right",
        [f"{n:,}" for n in PLOTTED],
        series,
        lambda value: f"{value:g} %",
        colors,
    )


def filled(text: str, run: dict[str, Any], costs: Costs) -> str:
    """The document with what stands between its marks made anew."""
    parts = {
        "breaks": breaks(costs),
        "nodes": nodes(costs),
        "shapes": shapes(costs),
        "units": units(costs),
        "replays": replays(run["replay"]),
        "checks": checks(run, costs),
        "machine": machine(run),
    }
    for name, words in parts.items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
        if not mark.search(text):
            raise ValueError(f"the page has no place for {name}")
        text = mark.sub(lambda found, w=words: f"{found[1]}{w}\n{found[2]}", text)
    return text
