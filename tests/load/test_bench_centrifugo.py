"""The benchmark in Centrifugo's protocol: its cases, what the load is told, and its page."""

from __future__ import annotations

import io
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from contextlib import nullcontext, redirect_stderr
from pathlib import Path
from typing import Any
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from harness import centrifugo, scenarios, summary  # noqa: E402
from harness.cli import Runner, choose  # noqa: E402
from harness.peers import Launch, Peer  # noqa: E402
from harness.scenarios import FORMATS, Bench, in_dialect  # noqa: E402
from report import centrifugo as pages  # noqa: E402

JSON, PROTOBUF = FORMATS


def peer(name: str) -> Peer:
    return Peer(name, name, lambda _port: Launch([]), lambda: "1", dialect=JSON, path="/")


class FakeBench:
    """Figures by server and dialect, and what was asked for."""

    def __init__(self, most: dict[tuple[str, str], float]) -> None:
        self.most = most
        self.asked: list[tuple[str, str]] = []

    def measure(self, case: Any, peer: Peer) -> dict[str, Any]:
        self.asked.append((case.key, peer.name))
        rate = self.most[peer.name, case.dialect] * case.in_flight if case.in_flight else 0
        figures = {"deliveries_per_s": rate, "p99_ms": 2.0, "flags": [], "load_cpu": 0.5}
        memory = {"bytes_a_connection": 1024, "connects_per_s": 1e4, "flags": []}
        return memory if case.kind == "idle" else figures


def measured(most: dict[tuple[str, str], float], rounds: int = 1) -> Runner:
    servers = [peer(name) for name in dict.fromkeys(name for name, _ in most)]
    made = Runner(FakeBench(most), servers, float("inf"))
    made.run(centrifugo.cases(is_quick=False), rounds)
    return made


MOST = {
    ("canang", JSON): 600.0,
    ("canang", PROTOBUF): 900.0,
    ("centrifugo", JSON): 200.0,
    ("centrifugo", PROTOBUF): 100.0,
}


class Cases(unittest.TestCase):
    def test_both_formats_have_the_same_cases(self) -> None:
        for is_quick in (False, True):
            found: dict[str, list[str]] = {JSON: [], PROTOBUF: []}
            for case in centrifugo.cases(is_quick):
                form, _, rest = case.label.partition(", ")
                self.assertEqual(form, FORMATS[case.dialect])
                found[case.dialect].append(f"{case.scenario}: {rest}")
            self.assertEqual(found[JSON], found[PROTOBUF])
            self.assertGreater(len(found[JSON]), 5)

    def test_one_room_and_many_have_1_32_and_128_in_flight(self) -> None:
        for scenario in ("throughput", "many-rooms"):
            chosen = choose(centrifugo.cases(is_quick=False), [scenario])
            self.assertEqual({case.in_flight for case in chosen}, {1, 32, 128})

    def test_canang_is_spoken_to_in_the_same_protocol_as_the_others(self) -> None:
        found = centrifugo.candidates(Path("canang"))
        self.assertEqual([p.name for p in found], ["canang", "centrifugo", "centrifuge"])
        self.assertEqual({(p.dialect, p.path) for p in found}, {(JSON, "/")})

    def test_a_case_without_a_dialect_stays_as_it_is(self) -> None:
        case = centrifugo.rooms_case(100, 1)
        self.assertIs(in_dialect(case, ""), case)


class Load(unittest.TestCase):
    """What canang-load is started with."""

    def arguments(self, case: scenarios.Case) -> tuple[str, list[str]]:
        """The dialect and the arguments of the last run of a case."""
        server = mock.Mock(**{"settled_memory_bytes.side_effect": [1000, 6_001_000]})
        with (
            mock.patch.object(scenarios, "Load") as load,
            mock.patch.object(Bench, "server", return_value=nullcontext(server)),
        ):
            load.return_value.result.return_value = {"connect": {"per_second": 1.0}}
            self.figures = Bench(Path("s"), Path("l"), Path("."))._idle(case, peer("canang"))
        _, _, dialect, _, arguments = load.call_args.args
        return dialect, arguments

    def test_a_case_says_the_dialect_and_whether_rooms_are_joined(self) -> None:
        for dialect in FORMATS:
            for joins in (False, True):
                case = in_dialect(centrifugo.memory_case(joins), dialect)
                spoken, arguments = self.arguments(case)
                self.assertEqual(spoken, dialect)
                self.assertEqual("--no-room" in arguments, not joins)
                self.assertIn("--idle", arguments)
                self.assertEqual(self.figures["bytes_a_connection"], 1200, "of 5,000")

    def test_other_benchmarks_keep_the_dialect_of_the_server(self) -> None:
        spoken, arguments = self.arguments(scenarios.idle_case(5000, scenarios.QUICK))
        self.assertEqual(spoken, JSON)
        self.assertNotIn("--no-room", arguments)


class Results(unittest.TestCase):
    def setUp(self) -> None:
        self.enterContext(redirect_stderr(io.StringIO()))  # progress lines

    def test_the_rate_of_a_format_is_a_share_of_the_slowest_in_that_format(self) -> None:
        made = measured(MOST)
        # At 128 in flight; the rate is of messages to 1,000 members.
        for dialect, slowest in ((JSON, 200), (PROTOBUF, 100)):
            case = in_dialect(scenarios.latency_case(0.6, scenarios.QUICK), dialect)
            self.assertAlmostEqual(made.rate_of(case, 1), slowest * 128 * 0.6 / 1000)

    def test_without_the_cases_of_the_ceiling_it_is_measured_in_the_same_dialect(self) -> None:
        made = Runner(FakeBench(MOST), [peer("canang"), peer("centrifugo")], float("inf"))
        case = in_dialect(scenarios.latency_case(0.5, scenarios.QUICK), PROTOBUF)
        self.assertAlmostEqual(made.rate_of(case, 1), 100 * 32 * 0.5 / 1000)
        self.assertTrue(all("Protobuf" in key for key, _ in made.bench.asked), made.bench.asked)

    def test_memory_is_measured_once(self) -> None:
        made = measured(MOST, rounds=3)
        self.assertEqual({r["round"] for r in made.runs if r["scenario"] == "idle"}, {1})
        self.assertEqual({r["round"] for r in made.runs if r["scenario"] == "latency"}, {1, 2, 3})

    def test_the_page_compares_case_by_case(self) -> None:
        found = summary.summarize(measured(MOST).runs, "canang")
        shown = pages.in_short(found, ["canang", "centrifugo"])
        row = r"32 in flight +\| deliveries/s +\| 19.2 k +\| 6.40 k \(3.00 x\)"
        self.assertRegex(shown, r"JSON, 1,000 members, 64 B, " + row)
        self.assertRegex(shown, r"Protobuf, 1,000 members, 64 B, 1 in flight +\|.*\(9.00 x\)")
        self.assertRegex(shown, r"in no room +\| memory a connection +\| 1.00 KiB")
        self.assertRegex(shown, r"60% of the slowest ceiling +\| p99 +\| 2.00 ms")

    def test_the_page_has_all_cases_its_plots_and_how_to_repeat_it(self) -> None:
        made = measured(MOST)
        machine = {
            **dict.fromkeys(("date", "cpu", "system", "kernel"), "x"),
            **dict.fromkeys(("cores", "memory_gib", "open_files", "load_average_at_start"), 2),
            "virtual": False,
        }
        results = {
            "summary": summary.summarize(made.runs, "canang"),
            "peers": [{"name": n, "title": n, "version": "1"} for n in ("canang", "centrifugo")],
            "skipped": [{"name": "centrifuge", "reason": "there is no go here"}],
            "machine": machine,
            "rounds": 1,
            "minutes": 2,
            "command": "./dev bench centrifugo",
        }
        with tempfile.TemporaryDirectory() as name:
            plots = pages.write_plots(results["summary"], ["canang", "centrifugo"], Path(name))
            for file, _ in plots:
                xml.etree.ElementTree.fromstring((Path(name) / file).read_text())
        self.assertEqual([f for f, _ in plots], ["deliveries-json.svg", "deliveries-protobuf.svg"])
        page = pages.document(results, plots)
        for case in centrifugo.cases(is_quick=False):
            self.assertIn(f"**{case.label}** (1 round)", page)
        for text in ("deliveries-protobuf.svg", "there is no go here", "./dev bench centrifugo\n"):
            self.assertIn(text, page)


if __name__ == "__main__":
    unittest.main()
