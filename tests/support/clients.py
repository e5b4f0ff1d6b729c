"""The proper client: the `websockets` library, without its own keepalive and compression."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

RECEIVE_TIMEOUT_S = 5.0


async def open_client(url: str, **options: Any) -> ClientConnection:
    settings = {"compression": None, "ping_interval": None, "max_size": None, "max_queue": None}
    return await connect(url, **(settings | {"close_timeout": 2, "proxy": None} | options))


async def receive(client: ClientConnection, timeout: float = RECEIVE_TIMEOUT_S) -> str | bytes:
    return await asyncio.wait_for(client.recv(), timeout)


async def receive_many(
    client: ClientConnection, count: int, timeout: float = 20.0
) -> list[str | bytes]:
    async with asyncio.timeout(timeout):
        return [await client.recv() for _ in range(count)]


async def receive_up_to(
    client: ClientConnection, last: str | bytes, timeout: float = 20.0
) -> list[str | bytes]:
    """All messages before `last`, which is taken too."""
    before = []
    async with asyncio.timeout(timeout):
        while (message := await client.recv()) != last:
            before.append(message)
    return before


async def close_all(*clients: ClientConnection) -> None:
    await asyncio.gather(*(client.close() for client in clients))
