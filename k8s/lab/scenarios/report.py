"""Makes the table in docs/kubernetes.md, between its markers, and the plot, of all results."""

from __future__ import annotations

import json
from dataclasses import fields

from rollout.plot import time_chart
from rollout.scraper import Sample
from support.figures import Figure

from .cluster import REPOSITORY, Json
from .registry import ORDER
from .run import RESULTS

PAGE = REPOSITORY / "docs" / "kubernetes.md"
PLOT = REPOSITORY / "docs" / "images" / "kubernetes-scaling.svg"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def write() -> None:
    results = {name: _lines(name) for name in ORDER}
    played = {name: lines for name, lines in results.items() if lines}
    page = PAGE.read_text(encoding="utf-8")
    assert BEGIN in page and END in page, f"{PAGE} lacks its markers"
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    table = "\n".join(_rows(played))
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
    if scaled := played.get("scale"):
        PLOT.write_text(_plot(scaled), encoding="utf-8")
    print(f"{len(played)} scenarios in {PAGE.relative_to(REPOSITORY)}")


def _lines(name: str) -> list[Json]:
    path = RESULTS / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def figures_of(lines: list[Json]) -> list[Figure]:
    names = [field.name for field in fields(Figure)]
    return [
        Figure(**{name: line[name] for name in names}) for line in lines if line["kind"] == "figure"
    ]


def _rows(played: dict[str, list[Json]]) -> list[str]:
    rows = ["| scenario | figure | measured | bound | |", "|---|---|---|---|---|"]
    for name, lines in played.items():
        (run,) = (line for line in lines if line["kind"] == "run")
        first = f"**{run['title']}** (`{name}`, {run['took_s']:.0f} s)"
        for figure in figures_of(lines):
            rows.append(f"| {first} | {' | '.join(figure.words())} |")
            first = ""
    return rows


def _plot(lines: list[Json]) -> str:
    """Pods are numbered in the order in which they came."""
    samples: dict[str, list[Sample]] = {}
    names = [field.name for field in fields(Sample)]
    for line in lines:
        if line["kind"] == "sample":
            sample = Sample(**{name: line[name] for name in names})
            samples.setdefault(line["pod"], []).append(sample)
    in_order = sorted(samples.values(), key=lambda series: series[0].when)
    numbered = {f"node {n}": series for n, series in enumerate(in_order, 1)}
    marks = [(line["when"], line["what"]) for line in lines if line["kind"] == "mark"]
    subtitle = "resuming clients in pods, through the Service; each line is a pod"
    return time_chart("Connections and deliveries a pod, 2 to 5 to 2", subtitle, numbered, marks)
