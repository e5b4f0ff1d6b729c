"""The PyPI package `centrifuge-python`, told by lines what to do: see tests/support/sdk.py for the lines.

python driver.py URL json|protobuf
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from typing import Any

from centrifuge import (
    CentrifugeError,
    Client,
    ClientEventHandler,
    ClientInfo,
    DeltaType,
    Publication,
    StreamPosition,
    SubscriptionEventHandler,
)

URL, FORMAT = sys.argv[1:]
IS_PROTOBUF = FORMAT == "protobuf"


def say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def encoded(data: Any) -> Any:
    """With Protobuf the data are bytes, which are JSON to these tests, or else told in base64."""
    return json.dumps(data).encode() if IS_PROTOBUF else data


def decoded(data: Any) -> dict[str, Any]:
    if not IS_PROTOBUF:
        return {"data": data}
    try:
        return {"data": json.loads(data)}
    except ValueError:
        return {"base64": base64.b64encode(data).decode()}


def publication(pub: Publication) -> dict[str, Any]:
    return {"offset": pub.offset, "user": pub.info and pub.info.user, **decoded(pub.data)}


def member(info: ClientInfo) -> dict[str, Any]:
    about = {"client": info.client, "user": info.user}
    if info.conn_info:
        about["info"] = decoded(info.conn_info)["data"]
    return about


class ClientEvents(ClientEventHandler):
    async def on_connecting(self, ctx) -> None:
        say(event="connecting", code=ctx.code, reason=ctx.reason)

    async def on_connected(self, ctx) -> None:
        say(event="connected", client=ctx.client)

    async def on_disconnected(self, ctx) -> None:
        say(event="disconnected", code=ctx.code, reason=ctx.reason)

    # of subscriptions that the server began

    async def on_subscribed(self, ctx) -> None:
        at = ctx.stream_position
        say(
            event="server_subscribed",
            room=ctx.channel,
            was_recovering=ctx.was_recovering,
            recovered=ctx.recovered,
            offset=at.offset if at else 0,
            epoch=at.epoch if at else "",
        )

    async def on_unsubscribed(self, ctx) -> None:
        say(event="server_unsubscribed", room=ctx.channel)

    async def on_publication(self, ctx) -> None:
        say(event="server_publication", room=ctx.channel, **publication(ctx.pub))


class RoomEvents(SubscriptionEventHandler):
    def __init__(self, room: str) -> None:
        self.room = room

    def say(self, event: str, **more: Any) -> None:
        say(event=event, room=self.room, **more)

    async def on_subscribed(self, ctx) -> None:
        at = ctx.stream_position
        self.say(
            "subscribed",
            was_recovering=ctx.was_recovering,
            recovered=ctx.recovered,
            offset=at.offset if at else 0,
            epoch=at.epoch if at else "",
        )

    async def on_unsubscribed(self, ctx) -> None:
        self.say("unsubscribed", code=ctx.code)

    async def on_publication(self, ctx) -> None:
        self.say("publication", **publication(ctx.pub))

    async def on_join(self, ctx) -> None:
        self.say("join", **member(ctx.info))

    async def on_leave(self, ctx) -> None:
        self.say("leave", **member(ctx.info))


class Driver:
    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}  # by room; of the client itself by none
        self.client = Client(
            URL,
            get_token=self.own_token if os.environ.get("SDK_HAS_TOKEN") else None,
            events=ClientEvents(),
            use_protobuf=IS_PROTOBUF,
            min_reconnect_delay=0.05,
            max_reconnect_delay=0.3,
            max_server_ping_delay=2,
        )

    async def own_token(self, *_: Any) -> str:
        return await self.token_of("")

    async def token_of(self, room: str) -> str:
        say(event="asked", room=room)
        return self.tokens[room]

    async def token(self, room: str, token: str) -> None:
        self.tokens[room] = token

    async def connect(self) -> None:
        await self.client.connect()

    async def disconnect(self) -> None:
        await self.client.disconnect()

    async def subscribe(
        self, room: str, recoverable: bool, join_leave: bool, delta: str = ""
    ) -> None:
        subscription = self.client.new_subscription(
            room,
            events=RoomEvents(room),
            recoverable=recoverable,
            join_leave=join_leave,
            delta=DeltaType(delta) if delta else None,
            get_token=(lambda _: self.token_of(room)) if room in self.tokens else None,
        )
        await subscription.subscribe()

    async def unsubscribe(self, room: str) -> None:
        subscription = self.client.get_subscription(room)
        await subscription.unsubscribe()
        self.client.remove_subscription(subscription)

    async def publish(self, room: str, data: Any) -> None:
        await self.client.publish(room, encoded(data))

    async def history(
        self, room: str, limit: int, since: dict[str, Any] | None, reverse: bool
    ) -> dict[str, Any]:
        after = since and StreamPosition(offset=since["offset"], epoch=since["epoch"])
        found = await self.client.history(room, limit, after, reverse)
        publications = [publication(pub) for pub in found.publications]
        return {"offset": found.offset, "epoch": found.epoch, "publications": publications}

    async def presence(self, room: str) -> dict[str, Any]:
        found = await self.client.presence(room)
        return {"clients": [member(info) for info in found.clients.values()]}

    async def stats(self, room: str) -> dict[str, Any]:
        found = await self.client.presence_stats(room)
        return {"clients": found.num_clients, "users": found.num_users}

    async def rpc(self, method: str, data: Any) -> dict[str, Any]:
        return decoded((await self.client.rpc(method, encoded(data))).data)

    async def obey(self, line: dict[str, Any]) -> None:
        number, verb = line.pop("id"), line.pop("do")
        try:
            say(id=number, ok=await getattr(self, verb)(**line) or {})
        except CentrifugeError as error:
            say(id=number, error={"code": getattr(error, "code", 0), "message": str(error)})


async def main() -> None:
    driver, tasks = Driver(), set()
    reader = asyncio.StreamReader(limit=1 << 24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        task = asyncio.create_task(driver.obey(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())
