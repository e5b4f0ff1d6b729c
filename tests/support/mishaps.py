"""What befalls Redis and the links to it, at random."""

from __future__ import annotations

import asyncio
import random

from .proxy import DOWN, UP, Proxy
from .redis_process import RedisProcess


class Mishaps:
    """Of one Redis, and of nodes that each reach it by a proxy of their own."""

    def __init__(self, dice: random.Random, redis: RedisProcess, proxies: list[Proxy]) -> None:
        self.dice, self.redis, self.proxies = dice, redis, proxies

    async def bytes_wait(self) -> None:
        proxy = self.dice.choice(self.proxies)
        proxy.hold(*self.dice.choice([(UP,), (DOWN,), (UP, DOWN)]))
        await asyncio.sleep(self.dice.uniform(0.05, 0.8))
        proxy.mend()

    async def redis_ends_links(self) -> None:
        self.redis.kill_clients(self.dice.choice(["pubsub", "normal"]))

    async def scripts_are_forgotten(self) -> None:
        self.redis.ask("SCRIPT", "FLUSH")

    async def redis_pauses(self) -> None:
        self.redis.pause()
        await asyncio.sleep(self.dice.uniform(0.05, 0.9))
        self.redis.resume()
