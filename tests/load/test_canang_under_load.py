"""The server under canang-load: each message reaches each member of its room once, in one order.

Run: python3 -m unittest test_canang_under_load
"""

from __future__ import annotations

import unittest
from pathlib import Path
from typing import Any

from support import CANANG, FINDINGS, canang, load

CENTRIFUGO = ("centrifuge", "centrifuge-protobuf")
SMALL = ("--settle", "500ms", "--drain", "5s", "--echo-timeout", "5s")


@unittest.skipUnless(Path(CANANG).is_file(), f"no server at {CANANG}")
class UnderLoad(unittest.TestCase):
    def assert_clean(
        self, *arguments: str, server: tuple[str, ...] = (), dialect: str = "plain"
    ) -> dict[str, Any]:
        with canang(*server) as url:
            if dialect != "plain":
                url = url.removesuffix("ws")  # it has a path of its own
            code, result = load(url, "--dialect", dialect, *SMALL, *arguments)
        self.assertEqual(code, 0, result)
        for name in FINDINGS:
            self.assertEqual(result["checks"][name], 0, result)
        self.assertEqual(result["checks"]["expected"], result["checks"]["received"])
        return result

    def test_one_room_with_many_in_flight(self) -> None:
        result = self.assert_clean("--rooms", "1", "--members", "100", "--in-flight", "32")
        self.assertEqual(result["checks"]["given_up"], 0)

    def test_many_publishers_in_many_rooms_on_one_and_three_loops(self) -> None:
        for workers in ("1", "3"):
            with self.subTest(workers):
                self.assert_clean(
                    *("--rooms", "30", "--members", "8", "--publishers", "8", "--rate", "2000"),
                    *("--threads", "2"),
                    server=("--workers", workers),
                )

    def test_every_length_of_frame(self) -> None:
        for size in ("24", "125", "126", "4KiB", "64KiB"):
            with self.subTest(size):
                self.assert_clean("--size", size, "--rate", "100", "--binary")

    def test_one_message_in_each_room(self) -> None:
        result = self.assert_clean("--once", "--rooms", "200", "--members", "5")
        self.assertEqual(result["checks"]["received"], 1000)

    def test_stalled_readers_are_closed_and_the_others_lose_nothing(self) -> None:
        result = self.assert_clean(
            *("--rooms", "1", "--members", "10", "--stalled", "20", "--rcvbuf", "4096"),
            *("--size", "60KiB", "--rate", "200", "--duration", "1s", "--hold", "2s"),
            # The close frame can't pass what the reader left in the socket: the timeout ends it.
            server=("--outbox-limit", "64KiB", "--close-timeout", "500ms"),
        )
        self.assertEqual(sum(result["stalled"]["closes"].values()), 2, result["stalled"])

    def test_centrifugos_protocol_in_both_formats(self) -> None:
        for dialect in CENTRIFUGO:
            for size in ("24", "64", "4KiB"):
                with self.subTest(dialect=dialect, size=size):
                    self.assert_clean(
                        *("--size", size, "--in-flight", "32", "--publishers", "2"),
                        *("--rooms", "3", "--members", "20"),
                        dialect=dialect,
                    )

    def test_pings_of_centrifugos_protocol_are_answered(self) -> None:
        """All are pinged within the two seconds, and closed a second later without an answer."""
        pings = ("--ping-interval", "200ms", "--pong-timeout", "1s")
        for dialect in CENTRIFUGO:
            for where in ((), ("--no-room",)):
                with self.subTest(dialect=dialect, where=where):
                    result = self.assert_clean(
                        *("--idle", "--duration", "2s", *where),
                        server=pings,
                        dialect=dialect,
                    )
                    self.assertEqual(result["closes"], {})


if __name__ == "__main__":
    unittest.main()
