"""Publications that are told as deltas, frame by frame, against the decoder of centrifuge-python."""

import json
import random

import pytest
from centrifuge.fossil import apply_delta

from support.centrifugo import FORMATS, Json, Peer, peers
from support.server_api import call

formats = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
LIMIT = 64 * 1024


@pytest.fixture
def canang(start_canang, tmp_path):
    config = tmp_path / "canang.toml"
    config.write_text('[namespaces.d]\ndelta = "fossil"\n')
    return start_canang(config=str(config), max_message_bytes=128 * 1024)


def document(n: int, size: int = 1000) -> dict:
    """They differ in a few figures."""
    rest = [
        {"id": i, "name": f"é{i}鑼", "price": 7 * i + (n if i == 3 else 0)}
        for i in range(size // 40)
    ]
    return {"n": n, "what": "a long document that stays nearly the same", "rest": rest}


class Reader:
    """Makes of what one subscription is told what was published."""

    def __init__(self, peer: Peer, room: str) -> None:
        self.peer, self.room = peer, room
        self.base = b""
        self.read = 0
        self.deltas = 0
        self.bytes = 0

    async def subscribe(self, **asked):
        """The answer, and what was recovered in it."""
        self.read = len(self.peer.publications(self.room))
        told = await self.peer.subscribe(self.room, delta="fossil", **asked)
        assert told["delta"] is True
        return told, [self.whole(pub) for pub in told.get("publications", [])]

    def whole(self, pub):
        data = pub["data"].encode() if self.peer.format is Json else pub["data"]
        self.bytes += len(data)
        self.deltas += pub.get("delta", False)
        self.base = bytes(apply_delta(self.base, data)) if pub.get("delta") else data
        return json.loads(self.base)

    async def has(self, count: int):
        """The next `count` publications."""
        all_of_it = await self.peer.has(self.room, self.read + count)
        news = all_of_it[self.read : self.read + count]
        self.read += count
        return [self.whole(pub) for pub in news]


@formats
async def test_who_asks_has_them_where_the_room_does(canang, format):
    async with peers(canang, format) as (peer,):
        assert (await peer.subscribe("d:a", delta="fossil"))["delta"] is True
        for room, asked in (("other", {"delta": "fossil"}), ("d:b", {"delta": "vcdiff"}), ("d:c", {})):
            assert "delta" not in await peer.subscribe(room, **asked)
            await peer.publish(room, document(1))
            await peer.publish(room, document(2))
            await peer.has(room, 2)
            assert peer.values(room) == [document(1), document(2)], "plainly"


@formats
async def test_the_first_is_whole_and_all_others_say_what_they_change(canang, format):
    async with peers(canang, format, format) as (ana, budi):
        reader = Reader(ana, "d:a")
        await reader.subscribe()
        await budi.subscribe("d:a")
        for n in range(10):
            await budi.publish("d:a", document(n))
        assert await reader.has(10) == [document(n) for n in range(10)]
        assert reader.deltas == 9
        await budi.has("d:a", 10)
        assert budi.values("d:a") == [document(n) for n in range(10)]
        got, usual = (sum(map(len, peer.frames)) for peer in (ana, budi))
        assert got < usual / 4, "on the wire"
        whole = len(json.dumps(document(0), ensure_ascii=False).encode())
        assert reader.bytes < 1.5 * whole, "nine deltas are less than half of one document"


@formats
async def test_who_comes_in_the_middle_begins_with_a_whole_one(canang, format):
    async with peers(canang, format, format, format) as (ana, budi, citra):
        readers = [Reader(peer, "d:a") for peer in (ana, budi)]
        await readers[0].subscribe()
        for n in range(3):
            await citra.ask(publish={"channel": "d:a", "data": format.data(n)})  # not a member
        await citra.subscribe("d:a")
        for n in range(3):
            await citra.publish("d:a", document(n))
        assert await readers[0].has(3) == [document(n) for n in range(3)]
        await readers[1].subscribe(join_leave=True)
        for n in range(3, 6):
            await citra.publish("d:a", document(n))
        for reader in readers:
            assert await reader.has(3) == [document(n) for n in range(3, 6)]
        assert [reader.deltas for reader in readers] == [5, 2]


@formats
async def test_the_chain_goes_on_behind_what_was_recovered(canang, format):
    async with peers(canang, format, format) as (ana, budi):
        reader = Reader(ana, "d:a")
        told, _ = await reader.subscribe(recoverable=True)
        await budi.subscribe("d:a")
        await ana.ask(unsubscribe={"channel": "d:a"})
        for n in range(5):
            await budi.publish("d:a", document(n))
        since = {"recover": True, "epoch": told["epoch"], "offset": told.get("offset", 0)}
        told, missed = await reader.subscribe(**since)
        assert missed == [document(n) for n in range(5)]
        assert [pub.get("delta", False) for pub in told["publications"]] == [False] + 4 * [True]
        await budi.publish("d:a", document(5))
        assert await reader.has(1) == [document(5)]
        assert reader.deltas == 5, "the next one is a delta of the last that was recovered"
        history = (await ana.ask(history={"channel": "d:a", "limit": 10}))["history"]
        assert [format.value(pub["data"]) for pub in history["publications"]] == [
            document(n) for n in range(6)
        ], "plainly"


@formats
async def test_what_skips_the_history_is_part_of_the_chain(canang, format):
    async with peers(canang, format) as (ana,):
        reader = Reader(ana, "d:a")
        await reader.subscribe()
        for n in range(6):
            await call(
                canang, "publish", channel="d:a", data=document(n), skip_history=n % 2 == 1
            )
        assert await reader.has(6) == [document(n) for n in range(6)]
        assert reader.deltas == 5


@formats
async def test_what_is_too_large_is_whole_and_so_is_the_next(canang, format):
    async with peers(canang, format) as (ana,):
        reader = Reader(ana, "d:a")
        await reader.subscribe()
        said = ["small " * 20, "x" * LIMIT, "small " * 20, "small " * 21]
        for value in said:
            await ana.publish("d:a", value)
        assert await reader.has(4) == said
        assert reader.deltas == 1


@formats
async def test_random_documents_reach_all_in_one_order(canang, format):
    """Texts in which characters differ in one byte, and documents that have nothing in common."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    letters = "aéè鑼鑽\U0001f941\U0001f942 \"\\\n\u2028"
    said = [""]
    for _ in range(150):
        text = list(said[-1])
        for _ in range(dice.randrange(4)):
            at = dice.randrange(len(text) + 1)
            text[at : at + dice.randrange(20)] = dice.choices(letters, k=dice.randrange(60))
        said.append("".join(text) if dice.random() < 0.95 else "".join(dice.choices(letters, k=300)))
    values = [dice.choice([text, {"text": text}, [text, text]]) for text in said]
    async with peers(canang, format, format, Json) as (ana, budi, citra):
        readers = [Reader(ana, "d:a"), Reader(budi, "d:a")]
        await readers[0].subscribe()
        await readers[1].subscribe(join_leave=True)
        await citra.subscribe("d:a")
        for value in values:
            await citra.publish("d:a", value)
        for reader in readers:
            assert await reader.has(len(values)) == values
            assert reader.deltas > 50
        await citra.has("d:a", len(values))
        assert citra.values("d:a") == values
