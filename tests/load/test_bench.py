"""The benchmark's arithmetic and its report: medians, ratios, marks, failures."""

from __future__ import annotations

import io
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from contextlib import redirect_stderr
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from harness import cluster, cluster_peers, peers, summary  # noqa: E402
from harness.cli import Runner, report  # noqa: E402
from harness.peers import Launch, Peer  # noqa: E402
from harness.process import Failure  # noqa: E402
from harness.scenarios import (  # noqa: E402
    QUICK,
    floor_size,
    latency_case,
    throughput_case,
    traffic_figures,
)
from report import cluster as cluster_pages  # noqa: E402
from report import markdown, plots, svg  # noqa: E402


class FakeBench:
    """Gives figures by server; a server without any fails."""

    def __init__(self, figures: dict[str, list[float]]) -> None:
        self.figures = figures
        self.asked: list[str] = []

    def measure(self, _case: Any, peer: Peer) -> dict[str, Any]:
        self.asked.append(peer.name)
        if not self.figures[peer.name]:
            raise Failure("it fell over")
        rate = self.figures[peer.name].pop(0)
        return {"deliveries_per_s": rate, "p99_ms": 1000 / rate, "flags": [], "load_cpu": 0.5}

    def floor(self, _case: Any) -> dict[str, Any]:
        return {"deliveries_per_s": 200.0, "flags": ["load busy"], "load_cpu": 0.99}


def runner(figures: dict[str, list[float]]) -> Runner:
    def launch(_port: int) -> Launch:
        return Launch([])

    servers = [Peer(name, name, launch, lambda: "1") for name in figures]
    return Runner(FakeBench(figures), servers, float("inf"))


class Benchmark(unittest.TestCase):
    def setUp(self) -> None:
        self.enterContext(redirect_stderr(io.StringIO()))  # its progress lines

    def run_case(self, figures: dict[str, list[float]], rounds: int = 3) -> Runner:
        made = runner(figures)
        made.run([throughput_case(64, 1, QUICK)], rounds)
        return made

    def entry(self, made: Runner, peer: str) -> dict[str, Any]:
        return next(e for e in summary.summarize(made.runs, "canang") if e["peer"] == peer)

    def test_servers_take_turns(self) -> None:
        made = self.run_case({"canang": [1.0, 1.0], "a": [1.0, 1.0]}, rounds=2)
        self.assertEqual(made.bench.asked, ["canang", "a", "canang", "a"])

    def test_a_case_has_no_more_rounds_than_it_asks_for_and_its_table_says_how_many(self) -> None:
        made = runner({"canang": [1.0] * 3})
        once = throughput_case(64, 8, QUICK, rounds=1)
        made.run([throughput_case(64, 1, QUICK), once], 3)
        self.assertEqual([r["round"] for r in made.runs if r["case"] == once.key], [1])
        shown = markdown.details(summary.summarize(made.runs, "canang"), "throughput")
        self.assertIn("1 in flight** (3 rounds)", shown)
        self.assertIn("8 in flight** (1 round)", shown)

    def test_a_report_replaces_the_plots_of_the_one_before(self) -> None:
        results = {"peers": [{"name": "canang"}], "summary": []}
        with tempfile.TemporaryDirectory() as name:
            for _ in range(2):
                (Path(name) / "old.svg").write_text("")
                report(results, Path(name), lambda *_: [], lambda *_: "page")
            self.assertEqual((Path(name) / "README.md").read_text(), "page")
            self.assertEqual(list(Path(name).glob("*.svg")), [])

    def test_a_ratio_is_taken_round_by_round(self) -> None:
        made = self.run_case({"canang": [100.0, 200.0, 300.0], "a": [100.0, 100.0, 100.0]})
        entry = self.entry(made, "a")
        self.assertEqual(entry["metrics"]["deliveries_per_s"]["median"], 100)
        ratio = entry["ratio"]["deliveries_per_s"]
        self.assertEqual((ratio["median"], ratio["min"], ratio["max"]), (2, 1, 3))
        self.assertEqual(entry["ratio"]["p99_ms"]["max"], 1)
        self.assertEqual(self.entry(made, "canang")["ratio"], {})

    def test_a_server_that_fails_is_marked_and_the_rest_goes_on(self) -> None:
        made = self.run_case({"canang": [1.0, 1.0, 1.0], "a": [], "b": [1.0, 1.0, 1.0]})
        self.assertEqual(self.entry(made, "a")["errors"], ["it fell over"])
        self.assertEqual(made.bench.asked.count("a"), 1, "not tried again")
        self.assertEqual(self.entry(made, "b")["runs"], 3)
        found = summary.summarize(made.runs, "canang")
        self.assertIn("✗", markdown.details(found, "throughput"))
        self.assertIn("it fell over", markdown.notes(found))

    def test_a_busy_load_is_marked(self) -> None:
        made = self.run_case({"canang": [1.0, 1.0, 1.0]})
        shown = markdown.details(summary.summarize(made.runs, "canang"), "throughput")
        self.assertRegex(shown, r"send loop +\| 200†")
        self.assertIn("†", markdown.legend(shown))

    def test_a_send_of_the_floor_is_as_long_as_all_messages_in_flight(self) -> None:
        self.assertEqual(floor_size(throughput_case(64, 1, QUICK)) + 2, 66)
        self.assertEqual(floor_size(throughput_case(64, 32, QUICK)) + 4, 32 * 66)

    def test_the_rate_is_a_share_of_the_slowest_servers_best(self) -> None:
        made = self.run_case({"canang": [9000.0], "a": [5000.0]}, rounds=1)
        self.assertAlmostEqual(made.rate_of(latency_case(0.6, QUICK), 1), 3)

    def test_lost_messages_and_late_ones_are_told(self) -> None:
        checks = dict.fromkeys(
            (
                "lost",
                "doubled",
                "reordered",
                "members_in_other_order",
                "misrouted",
                "corrupt",
                "wrong_type",
                "given_up",
                "missed_after_close",
            ),
            0,
        )
        latency = {"count": 0, "p50": 0, "p99": 0, "max": 0}
        result = {
            "run": {
                "seconds": 1,
                "load_cpu_s": 0.1,
                "deliveries": 900,
                "deliveries_per_s": 900,
                "latency_us": latency,
            },
            "checks": {**checks, "lost": 7},
            "connect": {"per_second": 1},
            "stalled": {"connections": 0, "closes": {}},
            "closes": {"1009": 2},
            "exit_code": 1,
        }
        case = latency_case(0.6, QUICK)
        case.rate = 1.0
        figures = traffic_figures(case, result, spin=False)
        self.assertEqual(figures["faults"], ["7 lost", "2 closed with 1009"])
        self.assertEqual(figures["flags"], ["faults", "did not keep up"])
        self.assertIsNone(figures["p99_ms"])

    def test_plots_are_sound_xml(self) -> None:
        made = runner({"canang": [1e5, 2e6], "a": [5e4, 5e4]})
        made.run([throughput_case(64, n, QUICK) for n in (1, 32)], 1)
        with tempfile.TemporaryDirectory() as directory:
            found = summary.summarize(made.runs, "canang")
            written = plots.write_plots(found, ["canang", "a"], Path(directory))
            self.assertEqual([name for name, _ in written], ["throughput.svg"])
            text = (Path(directory) / "throughput.svg").read_text()
            xml.etree.ElementTree.fromstring(text)
            self.assertIn("prefers-color-scheme:dark", text)

    def test_names_in_a_plot_keep_apart(self) -> None:
        placed = sorted(svg.spaced([100, 101, 102, 300], 16, 300))
        self.assertTrue(all(b - a >= 16 for a, b in pairwise(placed)))
        self.assertLessEqual(max(placed), 300)


class ClusterBenchmark(unittest.TestCase):
    def setUp(self) -> None:
        self.enterContext(redirect_stderr(io.StringIO()))  # its progress lines

    def entries(self, figures: dict[str, list[dict[str, float]]]) -> list[dict[str, Any]]:
        runs = [
            {
                "scenario": cluster.ONE_ROOM,
                "case": "c",
                "label": "1,000 members, 64 B, 32 in flight",
                "size": 64,
                "peer": peer,
                "round": number,
                "figures": {"flags": [], "redis_cpu": 0.2, **found},
            }
            for peer, rounds in figures.items()
            for number, found in enumerate(rounds)
        ]
        return summary.summarize(runs, "canang")

    def test_a_message_is_measured_on_the_other_node(self) -> None:
        for case in cluster.cases(is_quick=False):
            measured = (case.members - 1) * case.rooms
            self.assertEqual(measured, 1000, "one of each room publishes, from the first node")

    def test_a_script_that_publishes_is_one_call(self) -> None:
        calls = cluster.publish_calls_per_s
        self.assertEqual(calls({"evalsha": 10, "publish": 10, "xadd": 10, "hget": 20}), 10)
        self.assertEqual(calls({"publish": 10, "ping": 3}), 10)
        self.assertEqual(calls({"evalsha": 10, "publish": 14}), 14, "four without a script")
        self.assertEqual(calls({"evalsha": 74, "publish": 10}), 10, "64 renew leases")
        self.assertEqual(calls({"info": 1}), 0)

    def test_differences_are_taken_over_the_time_between(self) -> None:
        names = (cluster.PUBLICATIONS, cluster.REDIS_PUBLISHES)
        a = cluster.Snapshot(10.0, [1.0, 2.0, 3.0], {"get": 5}, dict.fromkeys(names, 100.0))
        b = cluster.Snapshot(
            12.0, [2.0, 3.0, 3.5], {"get": 5, "evalsha": 40}, dict(zip(names, (500.0, 140.0)))
        )
        found = cluster.between(a, b)
        self.assertEqual(
            [found[f"{who}_cpu"] for who in ("publishing", "delivering", "redis")], [0.5, 0.5, 0.25]
        )
        self.assertEqual(found["redis_calls_per_s"], {"evalsha": 20})
        self.assertEqual(found["own_publish_calls_a_message"], 0.1)

    def test_metrics_are_summed_over_shards_and_must_be_there(self) -> None:
        text = 'a_total{shard="x"} 3\na_total{shard="y"} 4\na_total_other 9\nb 1\n'
        self.assertEqual(cluster.total_of(text, "a_total"), 7)
        self.assertEqual(cluster.total_of(text, "b"), 1)
        with self.assertRaises(ValueError):
            cluster.total_of(text, "c")

    def test_canang_is_compared_with_the_best_of_the_others(self) -> None:
        def row(rate: float, p99: float, **more: float) -> list[dict[str, float]]:
            return [{"deliveries_per_s": rate, "p99_ms": p99, **more}] * 3

        found = self.entries(
            {
                "canang": row(6000, 4, own_publish_calls_a_message=0.05),
                "fast": row(2000, 8),
                "prompt": row(500, 2),
            }
        )
        shown = cluster_pages.in_short(found)
        self.assertIn("3.00 x (3.00..3.00) fast", shown)
        self.assertIn("2.00 x (2.00..2.00) prompt", shown)
        self.assertIn("0.050", shown)
        self.assertIn("20%", markdown.details(found, cluster.ONE_ROOM), "of Redis")

    def test_nodes_are_given_the_redis_of_the_round(self) -> None:
        for peer in (cluster_peers.canang(Path("canang")), *cluster_peers.all_peers()):
            with self.subTest(peer.name):
                launch = peer.bound("redis://127.0.0.1:7").launch(9)
                self.assertIn("redis://127.0.0.1:7", launch.command)
                self.assertIn("127.0.0.1:9", launch.command)

    def test_only_a_build_that_has_rates_is_told_to_have_none(self) -> None:
        def build(text: str) -> Path:
            directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
            binary = directory / "canang"
            binary.write_text(f"#!/bin/sh\nprintf '%s\\n' '{text}'\n")
            binary.chmod(0o755)
            return binary

        old = build("  --workers              loops")
        new = build("  --publish-rate         messages\n  --room-publish-rate    of a room")
        self.assertEqual(peers.without_rates(old), [])
        launch = peers.canang(new).launch(9)
        self.assertEqual(
            launch.command[-4:], ["--publish-rate", "0", "--room-publish-rate", "0"]
        )


if __name__ == "__main__":
    unittest.main()
