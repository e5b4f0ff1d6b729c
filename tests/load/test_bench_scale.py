"""bench/scale's arithmetic: lines, the forecast, the simulated roster, and that docs/scale.md has its figures."""

from __future__ import annotations

import sys
import unittest
from itertools import pairwise
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from scaling import model, page, stored  # noqa: E402
from scaling.costs import Costs, costs_from  # noqa: E402
from scaling.fit import line_through  # noqa: E402
from scaling.model import Shape  # noqa: E402
from scaling.redis_link import Counts, packed  # noqa: E402
from scaling.roster import Roster  # noqa: E402
from scaling.scripts import source_of  # noqa: E402

CHAT = Shape("chat", members=1000, room=10, kind="told", publishes=0.1, stay_s=100)
CPU_OF = {"join": 100.0, "first join": 150.0, "leave": 80.0, "last leave": 120.0}


def figures_of(nodes: int) -> dict[str, dict[str, float]]:
    """A cluster whose costs are known: Redis itself 1,000 µs a second, a node 500 and 2 for each that it is told of."""
    level = {"in": 10.0, "out": 20.0, "memory": 100.0}
    found = {
        "idle": {
            **level,
            "cpu_us": 1000 + nodes * (500 + 0.5 * 4 * nodes),
            "out": nodes * (50 + 0.5 * 300 * nodes),
            "description": 250.0,
            "node_memory": 7e6,
            "node_cpu_us": 2000.0,
        }
    }
    for kind in ("plain", "live", "told"):
        found[f"publish, {kind}"] = {**level, "cpu_us": 60 + 10 * nodes, "out": 40 + 100 * nodes}
        found[f"quiet, {kind}"] = {**level, "cpu_us": 5.0 if kind == "told" else 3.0}
        for name, cpu in CPU_OF.items():
            heard = (nodes + 1) / 2 if name == "first join" else nodes
            told = heard if kind == "told" else 0
            found[f"{name}, {kind}"] = {**level, "cpu_us": cpu + 10 * told, "out": 20 + 100 * told}
    return found


def known_costs() -> Costs:
    def line(base: float, slope: float) -> object:
        return line_through({n: base + slope * n for n in (1.0, 100.0)})

    replay = {
        "leases": {
            "telling_us": line(30, 4),
            "telling_out": line(0, 300),
            "lease_us": 30.0,
            "memory": line(0, 400),
        },
        "fan_out": line(0, 10),
        "positions": {"cpu_us": line(20, 10), "in": line(100, 50), "out": line(4, 20)},
        "subscriptions": {"first_us": 3.0, "more_us": 2.0},
        "look": line(5, 2),
        "told_anew": line(40, 5),
        "kept_memory": line(4000, 100),
    }
    return costs_from({n: figures_of(n) for n in (1, 2, 4, 8)}, replay)


class Lines(unittest.TestCase):
    def test_a_line_through_points_on_a_line_is_that_line(self) -> None:
        line = line_through({n: 7 + 3 * n for n in (1, 10, 1000)})
        self.assertAlmostEqual(line.base, 7)
        self.assertAlmostEqual(line.slope, 3)
        self.assertLess(line.residual, 1e-9)

    def test_a_small_cluster_counts_as_much_as_a_large_one(self) -> None:
        line = line_through({1: 10.0, 2: 11.0, 1000: 1000.0, 2000: 3000.0})
        self.assertLess(abs(line.at(1) - 10), 1)

    def test_no_part_of_a_cost_is_negative(self) -> None:
        falling, steep = line_through({1: 9.0, 2: 3.0}), line_through({1: 1.0, 10: 30.0})
        self.assertEqual(falling.slope, 0)
        self.assertEqual(steep.base, 0)
        self.assertGreater(steep.residual, 0)

    def test_one_point_makes_a_level_line(self) -> None:
        self.assertEqual(line_through({1: 5.0}).at(1000), 5)

    def test_what_does_not_grow_with_nodes_stays_level_however_noisy(self) -> None:
        figures = {n: figures_of(n) for n in (1, 2, 4, 8)}
        for nodes, noise in ((1, -90.0), (8, 300.0)):
            figures[nodes]["join, plain"]["cpu_us"] += noise
        costs = costs_from(figures, known_costs().replay)
        self.assertAlmostEqual(costs.of("join, plain", "cpu_us", 1000), 100)

    def test_costs_that_are_known_are_found(self) -> None:
        costs = known_costs()
        for nodes in (3, 1000):
            idle = figures_of(nodes)["idle"]
            for quantity in ("cpu_us", "out"):
                self.assertAlmostEqual(costs.idle(quantity, nodes) / idle[quantity], 1)
            self.assertAlmostEqual(costs.of("publish, plain", "cpu_us", nodes), 60 + 10 * nodes)
        self.assertAlmostEqual(costs.of("join, plain", "cpu_us", 500), 100)
        for name, cpu in CPU_OF.items():
            self.assertAlmostEqual(costs.of(f"{name}, told", "cpu_us", 500), cpu + 10 * 500)
            self.assertAlmostEqual(costs.of(f"{name}, told", "out", 500), 20 + 100 * 500)


class Forecasts(unittest.TestCase):
    def setUp(self) -> None:
        self.costs = known_costs()

    def test_members_are_on_as_many_nodes_as_chance_has_it(self) -> None:
        self.assertAlmostEqual(model.nodes_with(10, 1), 1)
        self.assertAlmostEqual(model.nodes_with(2, 2), 1.5)
        self.assertAlmostEqual(model.nodes_with(10, 10**6), 10, places=3)
        self.assertAlmostEqual(model.nodes_with(10**6, 100), 100)

    def test_a_call_for_quiet_rooms_has_64_at_most(self) -> None:
        self.assertAlmostEqual(model.calls_for(0), 0)
        self.assertLess(model.calls_for(0.5), 0.5)
        self.assertAlmostEqual(model.calls_for(640), 10.5)

    def test_the_load_is_that_of_rates_and_costs(self) -> None:
        load = model.redis_load(self.costs, CHAT, 4)
        held = 100 * model.nodes_with(10, 4)
        first = 0.75**9
        told = 2 * 10 * model.nodes_with(10, 4)
        joins = 10 * (first * (150 + 120) + (1 - first) * (100 + 80) + told)
        publications = 10 * (60 + 10 * model.nodes_with(10, 4))
        self.assertAlmostEqual(load.cpu["nodes"] * 1e6, figures_of(4)["idle"]["cpu_us"])
        self.assertAlmostEqual(load.cpu["joins and leaves"] * 1e6, joins)
        self.assertAlmostEqual(load.cpu["publications"] * 1e6, publications)
        self.assertAlmostEqual(load.cpu["sweeps"] * 1e6, held * (5 - 3))
        self.assertAlmostEqual(load.share, sum(load.cpu.values()))

    def test_rooms_without_joins_and_leaves_are_not_swept(self) -> None:
        quiet = Shape("quiet", members=1000, room=10, kind="plain", publishes=0.1, stay_s=100)
        self.assertNotIn("sweeps", model.redis_load(self.costs, quiet, 4).cpu)

    def test_a_room_in_which_much_is_published_is_not_asked_for(self) -> None:
        busy = Shape("busy", members=1000, room=10, kind="plain", publishes=10, stay_s=100)
        calm = Shape("calm", members=1000, room=10, kind="plain", publishes=0.01, stay_s=100)
        asked = [model.redis_load(self.costs, s, 4).cpu["quiet rooms"] for s in (busy, calm)]
        self.assertLess(asked[0], asked[1] / 1000)

    def test_longer_messages_cost_traffic_to_each_node(self) -> None:
        shapes = [
            Shape("", 1000, 1000, "plain", publishes=1, stay_s=1e9, payload=size)
            for size in (64, 164)
        ]
        sent = [model.redis_load(self.costs, s, 8).bytes_out["publications"] for s in shapes]
        self.assertAlmostEqual(sent[1] - sent[0], 100 * 8)

    def test_the_number_of_nodes_that_fills_redis_is_the_smallest_such(self) -> None:
        nodes = model.nodes_that_fill(self.costs, CHAT)
        self.assertGreater(model.redis_load(self.costs, CHAT, nodes).share, model.USABLE)
        self.assertLessEqual(model.redis_load(self.costs, CHAT, nodes - 1).share, model.USABLE)

    def test_a_redis_carries_what_its_nodes_leave_of_it(self) -> None:
        load = model.redis_load(self.costs, CHAT, 4)
        count = model.connections_of_one(CHAT, load)
        left = (model.USABLE - load.cpu["nodes"]) / (load.share - load.cpu["nodes"])
        self.assertAlmostEqual(count / (1000 * left), 1, delta=0.05)
        full = model.redis_load(self.costs, CHAT, 1000)
        self.assertEqual(model.connections_of_one(CHAT, full), 0)

    def test_more_redis_divide_rooms_but_not_what_nodes_tell_of_all(self) -> None:
        heavy = Shape("heavy", members=10**6, room=10, kind="told", publishes=1, stay_s=100)
        self.assertEqual(model.shards_for(self.costs, CHAT, 10), 1)
        self.assertGreater(model.shards_for(self.costs, heavy, 10), 1)
        self.assertIsNone(model.shards_for(self.costs, CHAT, 1000))  # 2 µs * 1,000² are two cores

    def test_coming_back_to_redis_takes_longer_where_presence_is_kept(self) -> None:
        told = model.rebuild_s(self.costs, CHAT, 4)
        plain = model.rebuild_s(self.costs, Shape("", 1000, 10, "plain", 0.1, 100), 4)
        held = 100 * model.nodes_with(10, 4)
        self.assertAlmostEqual(told - plain, (1000 * 5 + held * (5 + 2 * 10)) / 1e6)

    def test_a_forecast_has_all_parts(self) -> None:
        found = model.forecast(self.costs, CHAT, 10)
        self.assertGreater(found.scale_up_cpu, 0)
        self.assertAlmostEqual(found.scale_up_cpu / found.drain_cpu, 10 / (100 / model.DRAIN_S))
        self.assertAlmostEqual(found.roster_bytes, 2500)
        self.assertAlmostEqual(found.node_to_clients, 1000 * 0.1 / 10 * 202)


class Rosters(unittest.TestCase):
    def test_nobody_takes_a_node_that_lives_for_dead(self) -> None:
        outcome = Roster(100, seed=1).change(killed=0, added=30)
        self.assertEqual((outcome.claims, outcome.reapings), (0, 0))
        self.assertLess(outcome.known_to_all_s, 2.3)

    def test_a_dead_node_is_noticed_when_its_lease_has_lapsed(self) -> None:
        for seed in range(20):
            outcome = Roster(10, seed).change(killed=1, added=0)
            self.assertGreater(outcome.first_noticed_s, 7.9)
            self.assertLess(outcome.first_noticed_s, 12.2)
            self.assertLess(outcome.known_to_all_s, 15)
            self.assertGreaterEqual(outcome.buried_s, outcome.first_noticed_s)

    def test_each_dead_node_is_taken_away_once_where_that_is_quick(self) -> None:
        self.assertEqual(Roster(100, seed=2).change(killed=7, added=0).reapings, 7)

    def test_all_nodes_claim_a_dead_one_until_it_is_taken_away(self) -> None:
        rosters = [Roster(100, 3, reap_s=reap_s) for reap_s in (0.01, 1.0, 4.0)]
        claims = [roster.change(killed=1, added=0).claims for roster in rosters]
        self.assertTrue(all(a < b for a, b in pairwise(claims)), claims)
        self.assertAlmostEqual(claims[2] / (99 * 4.0 / 2.05), 1, delta=0.1)

    def test_the_same_seed_gives_the_same(self) -> None:
        first, again = (Roster(50, 4).change(killed=5, added=5) for _ in range(2))
        self.assertEqual(first, again)


class Counting(unittest.TestCase):
    def test_what_would_have_come_anyway_is_taken_off(self) -> None:
        usual = Counts(2.0, 0.2, 20, 0.1, 200, 400, 7)
        used = Counts(1.0, 0.5, 30, 0.2, 300, 600, 9)
        self.assertEqual(
            used.less(usual).values(),
            [1.0, 0.4, 20, 0.15000000000000002, 200, 400, 9],
        )

    def test_halfway_is_in_the_middle_of_both_rates(self) -> None:
        between = Counts(2.0, 2, 2, 2, 2, 2, 2).halfway_to(Counts(1.0, 3, 3, 3, 3, 3, 3))
        self.assertEqual(between.values(), [2.0, 4, 4, 4, 4, 4, 4])

    def test_commands_are_packed_as_redis_reads_them(self) -> None:
        self.assertEqual(packed(["GET", 12]), b"*2\r\n$3\r\nGET\r\n$2\r\n12\r\n")

    def test_scripts_are_put_together_as_by_the_build(self) -> None:
        text = source_of("lease")
        begins = [text.index(words) for words in ("function now_ms", "A node says that it lives")]
        self.assertEqual(begins, sorted(begins))


class Document(unittest.TestCase):
    def test_lines_come_back_from_the_file(self) -> None:
        line = line_through({1.0: 3.0, 2.0: 5.0})
        self.assertEqual(stored.from_plain(stored.to_plain({"a": line})), {"a": line})

    def test_its_tables_are_those_of_the_stored_figures(self) -> None:
        result = stored.read(ROOT / "docs" / "benchmarks" / "scale.json")
        text = (ROOT / "docs" / "scale.md").read_text()
        self.assertEqual(page.filled(text, result, stored.costs_of(result)), text)

    def test_its_plot_is_that_of_the_stored_figures(self) -> None:
        result = stored.read(ROOT / "docs" / "benchmarks" / "scale.json")
        drawn = (ROOT / "docs" / "images" / "scale.svg").read_text()
        self.assertEqual(page.plot(stored.costs_of(result)), drawn)

    def test_a_page_without_a_place_for_a_table_is_refused(self) -> None:
        result = stored.read(ROOT / "docs" / "benchmarks" / "scale.json")
        with self.assertRaises(ValueError):
            page.filled("# Scale\n", result, stored.costs_of(result))


if __name__ == "__main__":
    unittest.main()
