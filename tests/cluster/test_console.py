"""What the console of a node shows of its cluster."""

from __future__ import annotations

import json
from typing import Any

from support.canang_process import CanangProcess, http_request
from support.cluster import Cluster
from support.waiting import eventually

KEY = "0123456789abcdef-of-an-operator"


def nodes_at(node: CanangProcess) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = http_request(node.internal_port, "/console/api/nodes", headers=headers)
    assert answer.status == 200
    return json.loads(answer.text)


async def test_it_shows_all_nodes_and_why_none_is_ready_without_redis(cluster: Cluster):
    redis = cluster.start_redis()
    own, _ = await cluster.start(2, redis, internal_key=KEY)

    def both_ready():
        told = nodes_at(own)
        return len(told["nodes"]) == 2 and all(one["ready"] for one in told["nodes"])

    await eventually(both_ready, "both nodes", 10)
    told = nodes_at(own)
    assert told["fault"] == "" and told["nodes"][0]["id"] == told["node"], "its own is the first"
    assert all("announces" not in one and "key" not in one for one in told["nodes"])
    redis.kill()

    def faulty():
        page = nodes_at(own)
        return page if page["fault"] else None

    told = await eventually(faulty, "what is wrong", 20, 0.2)
    shown = told["nodes"][0]
    assert shown["ready"] is False and "redis" in shown["reason"].lower()
    assert shown["reason"] == told["fault"]
