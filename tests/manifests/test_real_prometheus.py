"""A real Prometheus scrapes a real node with the alert rules loaded, and answers the dashboard."""

from __future__ import annotations

import asyncio
import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from expressions import GRAFANA_INTERVAL, panels_of
from manifests import BINARIES, POD_NAME, Manifests
from rules_of import groups_of
from support.canang_process import CanangProcess
from support.clients import open_client, receive
from support.process_lifetime import die_with_parent
from support.redis_process import RedisProcess, free_port
from support.waiting import wait_until

# Panels of what has not happened yet show nothing; all others have to show something.
MAY_BE_EMPTY = ("annotation 'Node starts'",)


class Prometheus:
    """It puts on each sample what the PodMonitor would: the job, the namespace and the pod."""

    def __init__(self, directory: Path, node: CanangProcess, groups: list[dict[str, Any]]) -> None:
        self.port = free_port()
        target = f"127.0.0.1:{node.internal_port}"
        labels = {"namespace": "canang", "pod": POD_NAME}
        scrape = {"job_name": "canang", "static_configs": [{"targets": [target], "labels": labels}]}
        (directory / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [scrape],
        }
        (directory / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        with (directory / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    str(BINARIES / "prometheus"),
                    *("--config.file", str(directory / "prometheus.yml")),
                    *("--storage.tsdb.path", str(directory / "data")),
                    *("--web.listen-address", f"127.0.0.1:{self.port}"),
                ],
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )

    def get(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}?{query}") as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        return self.get("/api/v1/query", query=expression)["result"]

    def has(self, expression: str) -> bool:
        try:
            return bool(self.query(expression))
        except OSError:  # not up yet
            return False

    def alerts(self) -> dict[str, dict[str, Any]]:
        return {a["labels"]["alertname"]: a for a in self.get("/api/v1/alerts")["alerts"]}

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis(start_redis: Callable[..., RedisProcess]) -> RedisProcess:
    return start_redis()


@pytest.fixture
def prometheus(
    redis: RedisProcess,
    start_canang: Callable[..., CanangProcess],
    monitoring: Manifests,
    tmp_path: Path,
) -> Iterator[Prometheus]:
    """It has scraped before and after the visit of a client, so that rates have something to say."""
    node = start_canang(redis=redis.url)
    server = Prometheus(tmp_path, node, groups_of(monitoring.documents))
    try:
        wait_until(lambda: server.has('canang_ready{job="canang"} == 1'), "it is scraped", 20)
        asyncio.run(visit(node))
        wait_until(
            lambda: server.has("rate(canang_publications_total[1m]) > 0"), "it saw the visit", 20
        )
        yield server
    finally:
        server.stop()


async def visit(node: CanangProcess) -> None:
    client = await open_client(node.url("/ws/kitchen"))
    await client.send("dinner is ready")
    await receive(client)
    await client.close()


def as_grafana_asks(expression: str) -> str:
    text = GRAFANA_INTERVAL.sub("1m", expression).replace("[1h]", "[1m]")
    return text.replace("$namespace", "canang").replace("$pod", ".*")


def test_every_panel_of_the_dashboard_shows_something(
    prometheus: Prometheus, monitoring: Manifests
) -> None:
    # A counter of closes begins with the first close, and a rate needs two samples of it.
    wait_until(lambda: prometheus.has("rate(canang_closes_total[1m])"), "closes are counted", 20)
    empty = [
        f"{panel.where}: {panel.text}"
        for panel in panels_of(monitoring)
        if panel.where not in MAY_BE_EMPTY and not prometheus.query(as_grafana_asks(panel.text))
    ]
    assert not empty, "\n".join(empty)


def test_no_alert_is_about_to_fire_for_a_node_that_is_well_and_some_are_when_redis_goes(
    prometheus: Prometheus, redis: RedisProcess
) -> None:
    assert prometheus.alerts() == {}
    redis.kill()
    wait_until(
        lambda: {"CanangRedisAway", "CanangNoNodeReady"} <= set(prometheus.alerts()),
        "alerts are pending",
        30,
    )
    summary = prometheus.alerts()["CanangRedisAway"]["annotations"]["summary"]
    assert summary == f"No node reaches Redis 127.0.0.1:{redis.port}/0"
