"""The results of ./dev bench centrifugo as Markdown and plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import markdown, plots, svg, words

Entry = dict[str, Any]
TITLES = {
    "throughput": "One room of 1,000",
    "many-rooms": "Rooms of 10",
    "latency": "Latency at 60 % of the slowest server's ceiling",
    "idle": "Memory of a connection",
}

HOW = """\
All servers are spoken to in Centrifugo's client protocol, by the same load generator: `canang-load`
with `--dialect centrifuge` (JSON) and `centrifuge-protobuf`. Each server runs on core 0 (Go's with
`GOMAXPROCS=1`), `canang-load` on core 1 of the same machine. In each round a case is measured on one
server after the other, each freshly started; then the next case. A figure is the median over the
rounds, as many as stand beside the case's name; a ratio the median of the ratios round by round, with
the smallest and the largest in parentheses. A ratio is always Canang's figure divided by the other's:
of deliveries and connects more is better, of memory and latency less.

Deliveries: clients publish over their connections, the next message when the publisher has its own one
back, so that as many as the case says are in flight in each room. Latency: messages at a fixed rate for
all servers, 60 % of what the slowest delivered at most to the room of 1,000 in that format in the same
run; from the time when a message was due to its arrival, over all members. Memory: connections that
have sent `connect`, and `subscribe` where they are in a room, and then nothing; what the server takes
over what it took without them, divided by their number."""

HONEST = """\
- Every message is checked by the load generator (room, sequence, order, text), and a server that
  lost or doubled one is marked.
- Centrifugo and centrifuge run with their default settings: no history, no presence, and up to 16
  messages in a frame. They have settings that make them write less often or keep smaller buffers, which
  none of these runs uses. Canang has its default settings too, without its limits of what a client or a
  room may publish, which the others do not have; it keeps each room's last 128 messages.
- A message of 64 B takes 182 B on the wire in JSON and 121 B in Protobuf with Centrifugo, which names the
  publisher in it; 125 and 83 B with Canang, which gives its offset; 113 and 81 B with centrifuge, which does
  neither here.
- Every publication is answered, which is a good part of the work in small rooms.
- Canang writes what a turn of its loop brought to a member in one `send`, which helps with many
  messages in flight. With one in flight all servers pay a system call a delivery.
- Memory is the server's own (proportional set size of its processes); the kernel's socket buffers come on
  top, for all alike. Servers with a garbage collector hold what has not been collected yet.
- Server and load share the machine: what the kernel does for delivery over loopback is part of
  `send`, and so charged to the server, here as in every benchmark over loopback."""


def metric_of(scenario: str) -> str:
    return markdown.MAIN_METRIC.get(scenario, "deliveries_per_s")


def in_short(summary: list[Entry], peers: list[str]) -> str:
    """A row a case, servers across; each cell the median and Canang's ratio to it."""
    rows = [["", "", *peers]]
    for scenario, label in dict.fromkeys((e["scenario"], e["label"]) for e in summary):
        metric = metric_of(scenario)
        found = [markdown.find(summary, scenario, label, peer) for peer in peers]
        rows.append([label, markdown.HEADS[metric], *(markdown.cell(e, metric) for e in found)])
    return markdown.table(rows) if len(rows) > 1 else ""


def write_plots(summary: list[Entry], peers: list[str], directory: Path) -> list[tuple[str, str]]:
    colors = {name: i % len(svg.COLORS) for i, name in enumerate(peers)}
    written = []
    for form in ("JSON", "Protobuf"):
        labels = plots.labels_of(summary, "throughput", f" {form},")
        series = plots.figures(summary, "throughput", labels, "deliveries_per_s")
        if len(labels) < 2 or not series:
            continue
        title = f"Deliveries a second in {form}, one room of 1,000, 64 B"
        ticks = [label.rpartition(", ")[2] for label in labels]
        subtitle = "Server on one core; more messages in flight to the right; more is better"
        chart = svg.line_chart(title, subtitle, ticks, series, words.count, colors)
        file = f"deliveries-{form.lower()}.svg"
        (directory / file).write_text(chart, encoding="utf-8")
        written.append((file, title))
    return written


def document(results: dict[str, Any], plots_written: list[tuple[str, str]]) -> str:
    short = in_short(results["summary"], [p["name"] for p in results["peers"]])
    said = "Medians, in parentheses Canang's figure divided by the other's."
    return markdown.document(
        "Benchmarks in Centrifugo's protocol", "./dev bench centrifugo", results,
        [said, short] if short else [], plots_written, TITLES, f"{HOW}\n\n{HONEST}",
    )  # fmt: skip
