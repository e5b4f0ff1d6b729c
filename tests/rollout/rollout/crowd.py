"""A drain of many connections, of which some never read."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.canang_process import WITHOUT_RATES, CanangProcess
from support.figures import Figure, busiest_second
from support.load_clients import Clients, load_binary
from support.process_lifetime import die_with_parent
from support.waiting import wait_until

from .rolling import Outcome, Tell
from .scraper import Scraper
from .settings import Settings
from .stage import Stage

STALLED_SHARE = 0.01
STUCK_BYTES = 2_000_000  # waits for those that don't read: their close can't be sent
TALK_A_SECOND = 3000  # messages to them, all together: 100 MB
PATIENCE_S = 60.0


class Stalled:
    """Members of one room that never read, and one who talks to them until their outboxes fill."""

    def __init__(self, directory: Path, port: int, count: int) -> None:
        share = 100.0 * (count + 0.5) / (count + 1)
        rate = min(100, max(10, TALK_A_SECOND // count))
        command = [
            *(str(load_binary()), "--url", f"ws://127.0.0.1:{port}/ws/stalled", "--quiet"),
            *("--rooms", "1", "--members", str(count + 1), "--stalled", f"{share:.4f}"),
            *("--rate", str(rate), "--size", "32KiB", "--duration", "10m", "--rcvbuf", "4096"),
        ]
        with (directory / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, preexec_fn=die_with_parent
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def crowd(directory: Path, settings: Settings, tell: Tell) -> Outcome:
    """One node, reached directly: there is none to come back to, so a close is a close."""
    outcome = Outcome()
    stalled = max(1, int(settings.clients * STALLED_SHARE))
    with Stage(directory, settings, ["node"]) as stage:
        # Neither pings nor the size of their outboxes shall end those that never read before.
        stage.start(
            "node",
            **{"outbox-limit": "256MiB", "outbox-budget": "0", "ping-interval": "10m"},
            **WITHOUT_RATES,
        )
        node = stage.nodes["node"]
        clients = stage.start_clients(node.port, settle_limit_s=0)
        stage.keep(Stalled(stage.folder("stalled"), node.port, stalled))
        clients.wait_connected()
        _wait_stuck(node, stalled)
        tell(f"drain {settings.clients:,} connections and {stalled} that never read")
        with Scraper(stage.ports) as scraper:
            drained = stage.drain("node")
        tell(f"exit {drained.code} after {drained.took_s:.1f} s")
        outcome.figures = [
            Figure("crowd: connections", drained.had),
            Figure("crowd: of them never reading", stalled),
            Figure("crowd: exit code", drained.code, 0),
            Figure("crowd: SIGTERM to exit", drained.took_s, settings.exit_limit_s, "s"),
            Figure("crowd: scrapes", len(scraper.samples["node"]), 3, at_least=True),
            Figure("crowd: slowest scrape", max(s.took_s for s in scraper.samples["node"]), 1, "s"),
        ]
        outcome.figures += _close_figures(clients, settings)
    return outcome


def _wait_stuck(node: CanangProcess, stalled: int) -> None:
    """Until more waits for every one of them than any kernel takes."""
    wait_until(
        lambda: node.metrics()["canang_outbox_bytes"] > STUCK_BYTES * stalled,
        f"the outboxes of {stalled} clients fill",
        PATIENCE_S,
        0.2,
    )


def _close_figures(clients: Clients, settings: Settings) -> list[Figure]:
    journal = clients.finish()
    told = [o.lost_s for o in journal.outages if o.code == "1012"]
    share = 100 * busiest_second(told) / len(told) if told else None
    return [
        Figure("crowd: readers told to come back", len(told), settings.clients, at_least=True),
        Figure("crowd: of the closes in one second", share, settings.closes_limit, "%"),
    ]
