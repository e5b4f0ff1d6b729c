"""canang-load against a server that errs on purpose: each mistake must be found and named.

Run: python3 -m unittest test_canang_load
"""

from __future__ import annotations

import json
import signal
import subprocess
import unittest
from typing import Any

from support import DEADLINE_S, FINDINGS, LOAD, faulty_server, faulty_servers, load

RATE = ("--rate", "1000")


class AgainstASoundServer(unittest.TestCase):
    def assert_clean(self, url: str, *arguments: str) -> dict[str, Any]:
        code, result = load(url, *arguments)
        self.assertEqual(code, 0, result)
        for name in FINDINGS:
            self.assertEqual(result["checks"][name], 0, result)
        self.assertEqual(result["checks"]["expected"], result["checks"]["received"])
        self.assertEqual(result["closes"], {})
        self.assertEqual(result["exit_code"], 0)
        return result

    def test_finds_nothing_in_an_open_loop(self) -> None:
        with faulty_server() as url:
            result = self.assert_clean(url, *RATE, "--publishers", "2")
        self.assertGreater(result["run"]["deliveries"], 1000)
        # The latency of each delivery counts, but for those at the edge of the measured time.
        measured = result["run"]["publishes"] * 4
        self.assertAlmostEqual(result["run"]["latency_us"]["count"] / measured, 1, delta=0.1)

    def test_finds_nothing_in_a_closed_loop(self) -> None:
        with faulty_server() as url:
            result = self.assert_clean(url, "--in-flight", "3", "--publishers", "2")
        self.assertEqual(result["checks"]["given_up"], 0)

    def test_finds_nothing_with_threads_sources_and_binary_messages(self) -> None:
        with faulty_server() as url:
            self.assert_clean(
                url,
                *RATE,
                "--threads",
                "3",
                "--binary",
                "--size",
                "5000",
                "--source",
                "127.0.0.2,127.0.0.3",
            )

    def test_only_counts_when_told(self) -> None:
        with faulty_server() as url:
            self.assert_clean(url, *RATE, "--checks", "count")

    def test_understands_every_manner_of_sending(self) -> None:
        for manner in ("fragments", "trickle", "pings", "batches"):
            with self.subTest(manner), faulty_server(manner=manner) as url:
                self.assert_clean(url, *RATE, "--size", "24")
                self.assert_clean(url, *RATE, "--size", "300")

    def test_sends_one_message_a_room_with_once(self) -> None:
        with faulty_server() as url:
            result = self.assert_clean(url, "--once", "--rooms", "20", "--members", "5")
        self.assertEqual(result["checks"]["sent"], 20)
        self.assertEqual(result["checks"]["received"], 100)

    def test_holds_idle_connections(self) -> None:
        with faulty_server() as url:
            result = self.assert_clean(url, "--idle", "--rooms", "1", "--members", "50")
        self.assertEqual(result["connect"]["connected"], 50)
        self.assertEqual(result["connect"]["latency_us"]["count"], 50)
        self.assertEqual(result["checks"]["sent"], 0)

    def test_keeps_to_the_ramp_up(self) -> None:
        with faulty_server() as url:
            result = self.assert_clean(
                url,
                "--idle",
                "--rooms",
                "1",
                "--members",
                "40",
                "--ramp-up",
                "100",
                "--duration",
                "0s",
            )
        self.assertGreater(result["connect"]["seconds"], 0.35)

    def test_does_not_judge_stalled_members(self) -> None:
        with faulty_server() as url:
            result = self.assert_clean(url, *RATE, "--stalled", "25")
        self.assertEqual(result["stalled"]["connections"], 3)
        self.assertEqual(result["checks"]["expected"], result["checks"]["sent"] * 3)

    def test_interrupted_it_still_checks_what_was_sent(self) -> None:
        with faulty_server() as url:
            command = [
                LOAD,
                "--url",
                url,
                "--settle",
                "0s",
                "--warmup",
                "0s",
                "--duration",
                "60s",
                "--json",
                "-",
            ]
            run = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            while "measure" not in run.stderr.readline():
                pass
            run.send_signal(signal.SIGINT)
            out, _ = run.communicate(timeout=DEADLINE_S)
        self.assertEqual(run.returncode, 0)
        self.assertGreater(json.loads(out)["checks"]["sent"], 0)


class PublishersApart(unittest.TestCase):
    """--publish-url: they are on one address, and those on the other get everything 20 ms later."""

    late_s = 0.020
    members = 4

    def run_apart(self, *arguments: str, **options: Any) -> tuple[int, dict[str, Any]]:
        with faulty_servers(2, second_late=round(self.late_s * 1000), **options) as (first, second):
            return load(second, "--publish-url", first, *arguments)

    def assert_measured_elsewhere(self, result: dict[str, Any], publishers: int) -> None:
        measured = result["run"]["publishes"] * (self.members - publishers)
        self.assertAlmostEqual(result["run"]["deliveries"] / measured, 1, delta=0.2)
        self.assertGreaterEqual(result["run"]["latency_us"]["p50"], self.late_s * 1e6 * 0.99)
        # All are checked, the publishers too.
        self.assertEqual(result["checks"]["received"], result["checks"]["sent"] * self.members)

    def test_a_message_is_in_flight_until_the_others_have_it(self) -> None:
        for publishers in (1, 2):
            with self.subTest(publishers=publishers):
                code, result = self.run_apart(
                    *("--in-flight", "2", "--publishers", str(publishers))
                )
                self.assertEqual(code, 0, result)
                self.assert_measured_elsewhere(result, publishers)
                # Three rooms, two in flight in each; with the publisher's own it were thousands.
                most = 3 * 2 / self.late_s
                self.assertLessEqual(result["run"]["publishes_per_s"], most)
                self.assertGreater(result["run"]["publishes_per_s"], most / 3)

    def test_an_open_loop_keeps_its_timetable(self) -> None:
        code, result = self.run_apart(*RATE)
        self.assertEqual(code, 0, result)
        self.assertAlmostEqual(result["run"]["publishes_per_s"], 1000, delta=100)
        self.assert_measured_elsewhere(result, 1)

    def test_a_lost_message_is_found(self) -> None:
        code, result = self.run_apart("--in-flight", "1", fault="lose", every=10)
        self.assertEqual(code, 1, result)
        self.assertGreater(result["checks"]["lost"], 0)

    def test_messages_that_never_come_are_given_up(self) -> None:
        code, result = self.run_apart("--in-flight", "1", fault="lose_for_all", every=5)
        self.assertEqual(code, 1, result)
        self.assertGreater(result["checks"]["given_up"], 0)
        self.assertGreater(result["checks"]["sent"], 20)

    def test_once_goes_to_all(self) -> None:
        code, result = self.run_apart("--once")
        self.assertEqual((code, result["checks"]["received"]), (0, 12), result)


class AgainstAFaultyServer(unittest.TestCase):
    def assert_finds(self, fault: str, finding: str, *arguments: str, every: int = 10) -> dict:
        with faulty_server(fault=fault, every=every) as url:
            code, result = load(url, *(arguments or RATE))
        self.assertEqual(code, 1, result)
        self.assertEqual(result["exit_code"], 1)
        self.assertGreater(result["checks"][finding], 0, result)
        for other in set(FINDINGS) - {finding}:
            self.assertEqual(result["checks"][other], 0, f"{other}: {result}")
        return result

    def test_finds_lost_messages(self) -> None:
        result = self.assert_finds("lose", "lost")
        checks = result["checks"]
        self.assertEqual(checks["expected"] - checks["received"], checks["lost"])
        self.assertAlmostEqual(checks["lost"], checks["sent"] / 10, delta=3)

    def test_finds_lost_messages_by_counting(self) -> None:
        self.assert_finds("lose", "lost", *RATE, "--checks", "count")

    def test_finds_the_one_lost_message_of_once(self) -> None:
        result = self.assert_finds("lose", "lost", "--once", every=1)
        self.assertEqual(result["checks"]["lost"], 3)

    def test_goes_on_in_a_closed_loop_whose_messages_are_lost(self) -> None:
        result = self.assert_finds("lose_for_all", "lost", "--in-flight", "1", every=20)
        self.assertGreater(result["checks"]["given_up"], 0)
        self.assertGreater(result["checks"]["sent"], 60)

    def test_finds_doubled_messages(self) -> None:
        result = self.assert_finds("double", "doubled")
        self.assertAlmostEqual(result["checks"]["doubled"], result["checks"]["sent"] / 10, delta=3)

    def test_finds_doubled_messages_by_counting(self) -> None:
        self.assert_finds("double", "doubled", *RATE, "--checks", "count")

    def test_finds_swapped_messages_of_a_publisher(self) -> None:
        self.assert_finds("swap", "reordered", *RATE, every=7)

    def test_finds_a_member_that_sees_publishers_in_another_order(self) -> None:
        result = self.assert_finds(
            "swap_publishers", "members_in_other_order", *RATE, "--publishers", "2", every=7
        )
        self.assertEqual(result["checks"]["members_in_other_order"], 3)

    def test_finds_the_other_order_over_threads(self) -> None:
        self.assert_finds(
            "swap_publishers",
            "members_in_other_order",
            *RATE,
            "--publishers",
            "2",
            "--threads",
            "3",
            every=7,
        )

    def test_finds_messages_in_the_wrong_room(self) -> None:
        self.assert_finds("misroute", "misrouted")

    def test_finds_the_one_misrouted_message_of_once(self) -> None:
        self.assert_finds("misroute", "misrouted", "--once", every=1)

    def test_finds_another_frame_type(self) -> None:
        self.assert_finds("retype", "wrong_type")

    def test_finds_damaged_messages(self) -> None:
        with faulty_server(fault="corrupt") as url:
            code, result = load(url, *RATE)
        self.assertEqual(code, 1)
        # The message itself did not come, so it is lost too.
        self.assertGreater(result["checks"]["corrupt"], 0)
        self.assertEqual(result["checks"]["corrupt"], result["checks"]["lost"])

    def test_names_the_codes_of_closed_connections(self) -> None:
        for fault, code_name in (
            ("close", "1008"),
            ("vanish", "1006"),
            ("malformed", "malformed frame"),
        ):
            with self.subTest(fault), faulty_server(fault=fault, every=100) as url:
                code, result = load(url, *RATE, "--rooms", "1")
                self.assertEqual(code, 1, result)
                self.assertGreaterEqual(result["closes"][code_name], 1)


class WithoutAServer(unittest.TestCase):
    def run_with(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [LOAD, *arguments], capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )

    def test_says_that_it_could_not_connect(self) -> None:
        with faulty_server() as url:
            pass
        code, result = load(url)
        self.assertEqual(code, 3)
        self.assertIn("Connection refused", result["connect"]["errors"])

    def test_says_that_the_upgrade_was_refused(self) -> None:
        from http.server import BaseHTTPRequestHandler, HTTPServer
        from threading import Thread

        class Refuse(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send_error(503)

            def log_message(self, *_: Any) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Refuse) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            code, result = load(
                f"ws://127.0.0.1:{server.server_port}/", "--rooms", "1", "--members", "1"
            )
            server.shutdown()
        self.assertEqual(code, 3)
        self.assertEqual(result["connect"]["errors"], {"answered 503": 1})

    def test_names_the_wrong_option(self) -> None:
        url = ("--url", "ws://127.0.0.1:1/")
        for arguments, name in (
            ((), "--url"),
            ((*url, "--size", "5"), "--size"),
            ((*url, "--duration", "soon"), "--duration"),
            ((*url, "--dialect", "morse"), "--dialect"),
            ((*url, "--rate", "5", "--in-flight", "5"), "--rate"),
            ((*url, "--members", "2", "--publishers", "3"), "--publishers"),
            (("--url", "http://a/"), "--url"),
            ((*url, "--stalled", "101"), "--stalled"),
            ((*url, "--dialect", "centrifuge", "--binary"), "--binary"),
            ((*url, "--dialect", "centrifuge", "--no-room"), "--no-room"),
            ((*url, "--idle", "--no-room"), "--no-room"),
            ((*url, "--publish-url", "nowhere"), "--publish-url"),
            ((*url, "--publish-url", url[1], "--members", "1"), "--publish-url"),
            ((*url, "--publish-url", url[1], "--stalled", "10"), "--publish-url"),
            ((*url, "--publish-url", url[1], "--threads", "2"), "--publish-url"),
        ):
            with self.subTest(arguments):
                done = self.run_with(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(name, done.stderr)

    def test_has_help(self) -> None:
        done = self.run_with("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--in-flight", done.stdout)

    def test_knows_its_own_ceiling(self) -> None:
        done = self.run_with(
            "ceiling",
            "--duration",
            "300ms",
            "--connections",
            "50",
            "--server-cpu",
            "-1",
            "--client-cpu",
            "-1",
            "--json",
            "-",
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        self.assertGreater(result["frames_per_s"], 10_000)
        self.assertEqual(result["lost"], 0)


if __name__ == "__main__":
    unittest.main()
