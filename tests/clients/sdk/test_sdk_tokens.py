"""What the SDKs of Centrifugo's protocol, as they are published, make of tokens: they get others by themselves in time."""

import pytest

from support.proxy import Proxy
from support.sdk import SdkError
from support.tokens import SECRET, room_token, token

INVALID_TOKEN = 3500


@pytest.fixture(autouse=True)
def knows_tokens(sdk):
    if sdk.language == "page":
        pytest.skip("the chat page has no tokens")


@pytest.fixture
def canang(start_canang):
    return start_canang(token_hmac_secret=SECRET, token_leeway="0s")


async def connected(start_client, canang, **claims):
    client = start_client(canang.port, has_token=True)
    await client.has_started()
    await client.take_token(token("ana", **claims))
    return await client.connect()


async def test_a_token_says_who_a_client_is(canang, start_client):
    ana = await connected(start_client, canang)
    await ana.join("r", join_leave=True)
    assert [one["user"] for one in await ana.presence("r")] == ["ana"]
    assert ana.of("asked")[0]["room"] == ""


async def test_a_client_refreshes_its_token_and_stays(canang, start_client):
    ana = await connected(start_client, canang, lasts=5)
    await ana.join("r")
    await ana.take_token(token("ana", lasts=3600))
    await ana.has("asked", 2)
    await ana.until(
        lambda: canang.metrics().total("canang_token_checks_total", result="good") == 2, "it is taken"
    )
    await ana.publish("r", "still here")
    await ana.has("publication", 1, "r")
    assert len(ana.of("connected")) == 1 and not ana.of("disconnected")


async def test_who_has_an_expired_token_gets_another_and_comes_in(canang, start_client):
    ana = start_client(canang.port, has_token=True)
    await ana.take_token(token("ana", lasts=-5))
    await ana.ask("connect")
    await ana.has("asked", 2)
    await ana.take_token(token("ana"))
    await ana.has("connected")
    await ana.join("r")


async def test_a_token_that_is_none_ends_it_for_good(canang, start_client):
    ana = start_client(canang.port, has_token=True)
    await ana.take_token(token("ana", secret="another secret of thirty-two chars"))
    await ana.ask("connect")
    [end] = await ana.has("disconnected")
    assert end["code"] == INVALID_TOKEN
    assert not ana.of("connected")


async def test_a_room_has_a_token_of_its_own_which_is_refreshed(canang, start_client):
    ana = await connected(start_client, canang)
    await ana.take_token(room_token("$r", "ana", lasts=5), "$r")
    await ana.join("$r")
    await ana.take_token(room_token("$r", "ana", lasts=3600), "$r")
    await ana.has("asked", 2, "$r")
    await ana.until(
        lambda: canang.metrics().total("canang_token_checks_total", result="good") == 3, "it is taken"
    )
    await ana.publish("$r", 1)
    await ana.has("publication", 1, "$r")
    assert not ana.of("unsubscribed", "$r")


async def test_without_the_rooms_token_a_client_is_not_in_it(canang, start_client):
    ana = await connected(start_client, canang)
    ana.tell("subscribe", room="$r", recoverable=False, join_leave=False, delta="")
    await ana.has("unsubscribed", 1, "$r")
    with pytest.raises(SdkError) as refused:
        await ana.publish("$r", 1)
    assert refused.value.code == 103


async def test_everybody_comes_back_with_the_tokens_that_they_have(canang, start_client, start_canang):
    """A node ends: what was good there is good elsewhere."""
    other = start_canang(token_hmac_secret=SECRET)
    async with Proxy(canang.port) as door:
        ana = start_client(door.port, has_token=True)
        await ana.take_token(token("ana", lasts=60))
        await ana.connect()
        await ana.take_token(room_token("$r", "ana"), "$r")
        await ana.join("$r")
        door.target_port = other.port
        door.end()
        await ana.has("connected", 2)
        await ana.has("subscribed", 2, "$r")
        await ana.publish("$r", 1)
        await ana.has("publication", 1, "$r")
