"""The results as Markdown."""

from __future__ import annotations

from typing import Any

from . import words

Entry = dict[str, Any]
TITLES = {
    "throughput": "One room of 1,000",
    "large-room": "One room of 5,000",
    "many-rooms": "10,000 connections in 1,000 rooms",
    "idle": "Idle connections: memory, and how fast they connect",
    "latency": "Latency at a fixed offered rate",
    "stalled": "1 % of the readers stalled",
    "workers": "One worker and two",
}
MAIN_METRIC = {"idle": "bytes_a_connection", "latency": "p99_ms", "stalled": "p99_times"}
ESSENTIAL = (  # title, scenario, words of the label, metric
    ("1 in flight", "throughput", "64 B, 1 in flight", "deliveries_per_s"),
    ("32 in flight", "throughput", "64 B, 32 in flight", "deliveries_per_s"),
    ("128 in flight", "throughput", "64 B, 128 in flight", "deliveries_per_s"),
    ("1,000 rooms of 10", "many-rooms", "", "deliveries_per_s"),
    ("memory a connection", "idle", "", "bytes_a_connection"),
    ("connects/s", "idle", " 5,000", "connects_per_s"),
    ("p99 at 60 %", "latency", "60%", "p99_ms"),
    ("p99 with 1 % stalled", "stalled", "", "p99_times"),
)


def table(rows: list[list[str]]) -> str:
    """Aligned, so that it can also be read as it is; the first row is the head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def last_matching(entries: list[Entry], scenario: str, part: str, metric: str) -> str:
    """The label of the case that stands for a column: the last one, so the largest."""
    labels = [
        e["label"]
        for e in entries
        if e["scenario"] == scenario and part in f" {e['label']}" and metric in e["metrics"]
    ]
    return labels[-1] if labels else ""


def essential(summary: list[Entry], peers: list[str]) -> str:
    """Servers down, what matters across; each cell the median and Canang's ratio to it."""
    columns = [
        (title, scenario, last_matching(summary, scenario, part, metric), metric)
        for title, scenario, part, metric in ESSENTIAL
    ]
    columns = [c for c in columns if c[2]]
    if not columns:
        return ""
    rows = [["", *(c[0] for c in columns)]]
    for peer in peers:
        row = [peer]
        for _, scenario, label, metric in columns:
            row.append(cell(find(summary, scenario, label, peer), metric))
        rows.append(row)
    return table(rows)


def find(summary: list[Entry], scenario: str, label: str, peer: str) -> Entry | None:
    for e in summary:
        if (e["scenario"], e["label"], e["peer"]) == (scenario, label, peer):
            return e
    return None


def cell(entry: Entry | None, metric: str) -> str:
    if entry is None:
        return ""
    if metric not in entry["metrics"]:
        return "✗"
    text = words.value(metric, entry["metrics"][metric]["median"]) + words.marks(entry)
    share = words.ratio(entry["ratio"].get(metric), with_spread=False)
    return f"{text} ({share})" if share and metric != "p99_times" else text


def details(summary: list[Entry], scenario: str) -> str:
    """A table a case, the best server first."""
    metric = MAIN_METRIC.get(scenario, "deliveries_per_s")
    parts = []
    for label in dict.fromkeys(e["label"] for e in summary if e["scenario"] == scenario):
        entries = [e for e in summary if (e["scenario"], e["label"]) == (scenario, label)]
        rounds = max(e["runs"] for e in entries)
        title = f"**{label}** ({rounds} round{'s' if rounds != 1 else ''})"
        parts.append(f"{title}\n\n{case_table(entries, scenario, metric)}")
    return "\n\n".join(parts)


def case_table(entries: list[Entry], scenario: str, metric: str) -> str:
    more_is_better = metric in ("deliveries_per_s", "connects_per_s")

    def rank(entry: Entry) -> float:
        if metric not in entry["metrics"]:
            return float("inf")
        n = entry["metrics"][metric]["median"]
        return -n if more_is_better else n

    extra = EXTRA[scenario] if scenario in EXTRA else EXTRA["traffic"]
    head = HEADS.get(metric, metric)
    rows = [["server", head, "min..max", RATIO_HEAD.get(scenario, "Canang to it (min..max)")]]
    rows[0] += [title for title, _ in extra]
    for e in sorted(entries, key=rank):
        figure = e["metrics"].get(metric)
        row = [e["peer"], "✗", "", ""]
        if figure:
            row[1] = words.value(metric, figure["median"]) + words.marks(e)
            row[2] = f"{words.value(metric, figure['min'])}..{words.value(metric, figure['max'])}"
            row[3] = words.ratio(e["ratio"].get(metric))
        rows.append(row + [show(e) for _, show in extra])
    return table(rows)


def metric_text(name: str) -> Any:
    def show(entry: Entry) -> str:
        figure = entry["metrics"].get(name)
        return words.value(name, figure["median"]) if figure else ""

    return show


def metric_ratio(name: str) -> Any:
    return lambda entry: words.ratio(entry["ratio"].get(name))


HEADS = {
    "deliveries_per_s": "deliveries/s",
    "bytes_a_connection": "memory a connection",
    "p99_ms": "p99",
    "p99_times": "p99 with to p99 without",
}
RATIO_HEAD = {"workers": "to one worker (min..max)"}
CPU = [
    ("server's CPU", lambda e: words.percent(e.get("server_cpu"))),
    ("load's CPU", lambda e: words.percent(e.get("load_cpu"))),
]
EXTRA = {
    "traffic": [("p50", metric_text("p50_ms")), ("p99", metric_text("p99_ms")), *CPU],
    "idle": [
        ("connects/s", metric_text("connects_per_s")),
        ("Canang to it, connects", metric_ratio("connects_per_s")),
    ],
    "latency": [
        ("p50", metric_text("p50_ms")),
        ("offered deliveries/s", lambda e: words.count(e.get("offered_per_s", 0))),
        ("arrived", lambda e: words.percent(e["delivered"])),
        *CPU,
    ],
    "stalled": [
        ("p99 with", metric_text("p99_ms")),
        ("arrived", lambda e: words.percent(e["delivered"])),
        CPU[1],
    ],
}


def notes(summary: list[Entry]) -> str:
    """Each fault and failure once a server and case."""
    lines = []
    for e in summary:
        said = e["errors"] + e["faults"][:6]
        if said:
            lines.append(f"- {e['peer']}, {e['scenario']}, {e['label']}: {'; '.join(said)}")
    return "\n".join(lines)


def legend(text: str) -> str:
    return "\n".join(
        f"- {sign}: {meaning}" for sign, meaning in words.LEGEND.items() if sign in text
    )


def header(results: dict[str, Any]) -> str:
    m = results["machine"]
    rows = [["server", "what it is", "version"]]
    rows += [[p["name"], p["title"], p["version"]] for p in results["peers"]]
    text = (
        f"Taken on {m['date']}: {m['cpu']}, {m['cores']} cores"
        f"{' (virtual machine)' if m['virtual'] else ''}, {m['memory_gib']} GiB, {m['system']}, "
        f"Linux {m['kernel']}, {m['open_files']} open files a process, load average "
        f"{m['load_average_at_start']} before the start. Up to {results['rounds']} rounds in "
        f"{results['minutes']} minutes.\n\n{table(rows)}"
    )
    if results["skipped"]:
        text += "\n\n" + "\n".join(
            f"- {s['name']} is missing: {s['reason']}" for s in results["skipped"]
        )
    return text


HOW = """\
Each server runs on core 0, `canang-load` on core 1 of the same machine. In each round a case is
measured on one server after the other, each freshly started; then the next case. A figure is the
median over the rounds, as many as stand beside the case's name; a ratio the median of the ratios round
by round, with the smallest and the largest in parentheses. A ratio is always Canang's figure divided
by the other's: of deliveries and connects more is better, of memory and latency less."""

HONEST = """\
- Every message is checked by the load generator (room, sequence, order, text), and a server that
  lost or doubled one is marked.
- With one message in flight a server pays one system call a member, and the raw loop of `send`
  ("send loop") is the most that any can do. With 32 in flight each of its sends has the bytes of all
  of them, as if a server had gathered every one. With more in flight, a server that gathers what goes to
  one member into one `send` does far better: Canang does so once a turn of its loop, µWebSockets
  for its topics up to some number of messages, centrifuge up to 16 messages a frame. nchan leaves
  Nagle's algorithm on, so that the kernel gathers for it; the others turn it off. Socket.IO, ws and
  gorilla pay for each message and member. That, and not the language alone, makes most of the
  difference.
- Such gathering needs several messages at once: it helps under load, not with one message now and
  then.
- Canang keeps each room's last 128 messages in these runs, as it does by default; the others keep
  none.
- Socket.IO and centrifuge send more bytes a message: their protocols wrap it.
- Memory is the server's own (proportional set size of its processes, over that without
  connections); the kernel's socket buffers come on top, for all alike. Servers with a garbage
  collector hold what has not been collected yet.
- The load is on the same machine: what the kernel does for delivery over loopback is part of
  `send`, and so charged to the server, here as in every benchmark over loopback."""


def document(results: dict[str, Any], plots: list[tuple[str, str]]) -> str:
    summary = results["summary"]
    peers = [p["name"] for p in results["peers"]]
    if any(e["peer"] == "send loop" for e in summary):
        peers.append("send loop")
    parts = [
        "# Benchmarks",
        "Written by `./dev bench`; `bench/README.md` tells what each scenario means.",
    ]
    short = essential(summary, peers)
    if short:
        parts += ["## In short", short]
    parts += [f"![{title}]({file})" for file, title in plots]
    for scenario in dict.fromkeys(e["scenario"] for e in summary):
        parts += [f"## {TITLES.get(scenario, scenario)}", details(summary, scenario)]
    body = "\n\n".join(parts)
    signs = legend(body)
    if signs:
        body += "\n\n## Marks\n\n" + signs
    said = notes(summary)
    if said:
        body += "\n\n## Notes on single runs\n\n" + said
    body += f"\n\n## How it was measured\n\n{HOW}\n\n{HONEST}\n\n## On what\n\n{header(results)}"
    command = results["command"]
    return body + f"\n\n## To reproduce\n\n```sh\n{command}\n```\n"


def document(
    title: str,
    command: str,
    results: dict[str, Any],
    short: list[str],
    plots: list[tuple[str, str]],
    titles: dict[str, str],
    method: str,
    more: str = "",
) -> str:
    """The page of a run: `short` may be empty, `plots` are files and titles, `more` stands behind the machine."""
    summary = results["summary"]
    parts = [
        f"# {title}",
        f"Written by `{command}`; `bench/README.md` tells what each scenario means.",
    ]
    if short:
        parts += ["## In short", *short]
    parts += [f"![{name}]({file})" for file, name in plots]
    for scenario in dict.fromkeys(e["scenario"] for e in summary):
        parts += [f"## {titles.get(scenario, scenario)}", details(summary, scenario)]
    body = "\n\n".join(parts)
    if signs := legend(body):
        body += "\n\n## Marks\n\n" + signs
    if said := notes(summary):
        body += "\n\n## Notes on single runs\n\n" + said
    body += f"\n\n## How it was measured\n\n{method}"
    body += f"\n\n## On what\n\n{header(results)}{more}"
    return body + f"\n\n## To reproduce\n\n```sh\n{results['command']}\n```\n"
