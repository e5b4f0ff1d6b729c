"""What the SDKs of Centrifugo's protocol, as they are published, make of what tokens say of clients."""

import pytest

from support.tokens import SECRET, token

CARD = {"name": "Ana \U0001f941", "n": [1.5, None]}


@pytest.fixture(autouse=True)
def knows_tokens(sdk):
    if sdk.language == "page":
        pytest.skip("the chat page has no tokens")


@pytest.fixture
def canang(start_canang):
    return start_canang(token_hmac_secret=SECRET, join_leave="*")


async def connected(start_client, canang, user, **claims):
    client = start_client(canang.port, has_token=True)
    await client.take_token(token(user, **claims))
    return await client.connect()


async def test_sdks_show_what_tokens_say(canang, start_client):
    ana = await connected(start_client, canang, "ana", info=CARD)
    budi = await connected(start_client, canang, "budi")
    await budi.join("cards", join_leave=True)
    await ana.join("cards")
    there = {who["user"]: who.get("info") for who in await budi.presence("cards")}
    assert there == {"ana": CARD, "budi": None}

    def joins():
        return [one.get("info") for one in budi.of("join", "cards") if one["user"] == "ana"]

    await budi.until(joins, "ana has come")
    assert joins() == [CARD]
