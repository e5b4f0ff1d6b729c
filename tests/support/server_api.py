"""The server API, as a service calls it."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .canang_process import CanangProcess

TIMEOUT_S = 10.0  # a command waits 5 s for nodes

# Each of them is a path, /api/METHOD.
METHODS = """
publish broadcast subscribe unsubscribe disconnect refresh presence presence_stats
history history_remove channels info rpc batch
ban unban mute unmute lockdown moderation
""".split()


@dataclass(frozen=True)
class ApiAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> dict[str, Any]:
        assert self.status == 200 and "result" in self.json, (self.status, self.body)
        return self.json["result"]

    @property
    def error(self) -> tuple[int, int]:
        """The HTTP status and the code."""
        assert self.headers["content-type"] == "application/json", self.body
        return self.status, self.json["error"]["code"]


def post(
    canang: CanangProcess,
    path: str,
    body: bytes | str | dict[str, Any],
    headers: Mapping[str, str] | None = None,
) -> ApiAnswer:
    """One request on a connection of its own; a dictionary is sent as JSON."""
    if isinstance(body, dict):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    connection = http.client.HTTPConnection(
        canang.internal_host, canang.internal_port, timeout=TIMEOUT_S
    )
    try:
        connection.request("POST", path, body, dict(headers or {}))
        response = connection.getresponse()
        fields = {name.lower(): value for name, value in response.getheaders()}
        return ApiAnswer(response.status, fields, response.read())
    finally:
        connection.close()


def publish(canang: CanangProcess, **fields: Any) -> ApiAnswer:
    return post(canang, "/api/publish", fields)


async def call(canang: CanangProcess, method: str, **fields: Any) -> dict[str, Any]:
    """The result of a method; the loop of the test goes on."""
    answer = await asyncio.to_thread(post, canang, f"/api/{method}", fields)
    return answer.result


def by_node(result: dict[str, Any]) -> dict[str, tuple[str, int]]:
    """Of a command: what came of it on each node."""
    return {one["node"]: (one["outcome"], one["connections"]) for one in result["nodes"]}
