"""What the settings of a room say of clients of Centrifugo's protocol that recover, or that do not ask for it."""

import asyncio

import pytest

from support.centrifugo import FORMATS, peers
from support.server_api import call

formats = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)

TABLES = """
[namespaces.positioned]
force-positioning = true

[namespaces.closed]
allow-history = "nobody"

[namespaces.forced]
force-recovery = true
allow-history = "nobody"

[namespaces.cache]
recovery-mode = "cache"

[namespaces.auto]
force-recovery = true
recovery-mode = "cache"
auto-recovery = true
join-leave = true
history-ttl = "3s"
"""


@pytest.fixture
def canang(start_canang, tmp_path):
    config = tmp_path / "canang.toml"
    config.write_text(TABLES)
    return start_canang(config=str(config))


def flags(told):
    """Those of an answer that are true."""
    names = ("positioned", "recoverable", "was_recovering", "recovered")
    return {name for name in names if told.get(name)}


async def again(peer, room, **asked):
    await peer.ask(unsubscribe={"channel": room})
    return await peer.subscribe(room, **asked)


def recovered(peer, told):
    return [peer.format.value(pub["data"]) for pub in told.get("publications", [])]


@formats
async def test_a_room_says_what_was_not_asked_for(canang, format):
    async with peers(canang, format) as (peer,):
        assert flags(await peer.subscribe("usual")) == set()
        assert flags(await peer.subscribe("positioned:a")) == {"positioned"}
        assert flags(await peer.subscribe("forced:a")) == {"positioned", "recoverable"}
        assert flags(await peer.subscribe("cache:a")) == set()
        assert flags(await peer.subscribe("cache:b", recoverable=True)) == {
            "positioned", "recoverable",
        }  # fmt: skip


@formats
async def test_who_has_to_recover_may_do_so_whoever_may_see_the_history(canang, format):
    async with peers(canang, format) as (peer,):
        for room, is_allowed in (("forced:a", True), ("closed:a", False)):
            at = await peer.subscribe(room)
            for n in range(3):
                await peer.publish(room, n)
            since = {"recover": True, "epoch": at["epoch"], "offset": at.get("offset", 0)}
            told = await again(peer, room, **since)
            assert told.get("recovered", False) == is_allowed
            assert recovered(peer, told) == ([0, 1, 2] if is_allowed else [])
            assert "error" in await peer.ask(history={"channel": room, "limit": 3})


@formats
async def test_a_cache_gives_the_newest_alone_and_only_to_who_lacks_it(canang, format):
    room = "cache:a"
    async with peers(canang, format) as (peer,):
        told = await peer.subscribe(room, recover=True)
        assert flags(told) == {"positioned", "recoverable", "was_recovering"}, "there is none yet"
        first = told.get("offset", 0)
        for n in range(5):
            await peer.publish(room, n)
        told = await again(peer, room)
        assert recovered(peer, told) == [], "it did not ask"
        for asked in ({}, {"epoch": told["epoch"], "offset": first}, {"epoch": "none", "offset": 9}):
            told = await again(peer, room, recover=True, **asked)
            assert flags(told) == {"positioned", "recoverable", "was_recovering", "recovered"}
            assert recovered(peer, told) == [4]
            newest = told["publications"][0]["offset"]
            assert told["offset"] == newest - 1
        told = await again(peer, room, recover=True, epoch=told["epoch"], offset=newest)
        assert flags(told) == {"positioned", "recoverable", "was_recovering", "recovered"}
        assert recovered(peer, told) == [], "it has that one"
        assert told["offset"] == newest
        await peer.publish(room, "next")
        await peer.until(lambda: peer.values(room)[-1] == "next", "what is live")
        assert peer.publications(room)[-1]["offset"] == newest + 1


@formats
async def test_the_newest_comes_unasked_for_as_long_as_it_is_kept(canang, format):
    room = "auto:a"
    all_flags = {"positioned", "recoverable", "was_recovering", "recovered"}
    async with peers(canang, format) as (peer,):
        assert flags(await peer.subscribe(room)) == all_flags - {"recovered"}
        for n in range(3):
            await peer.publish(room, n)
        told = await again(peer, room)
        assert (flags(told), recovered(peer, told)) == (all_flags, [2])

        async def is_forgotten():
            told = await again(peer, room)
            return recovered(peer, told) == [] and flags(told) == all_flags - {"recovered"}

        async with asyncio.timeout(15):
            while not await is_forgotten():
                await asyncio.sleep(0.1)
        await call(canang, "publish", channel=room, data="new")
        assert recovered(peer, await again(peer, room)) == ["new"]
