"""Centrifugo's client of its server API for Python, `cent`, against this server."""

from __future__ import annotations

import asyncio

import cent
import pytest

from support.clients import close_all, open_client, receive

KEY = "0123456789abcdef-of-a-service"


@pytest.fixture
def keyed(start_canang):
    return start_canang(api_key=KEY)


@pytest.fixture
def service(keyed):
    with cent.Client(f"http://127.0.0.1:{keyed.internal_port}/api", KEY) as client:
        yield client


async def test_it_publishes_and_broadcasts(keyed, service):
    members = [await open_client(keyed.url(f"/ws/{room}")) for room in ("kitchen", "hall")]
    await keyed.members_are(2)
    first = service.publish(cent.PublishRequest(channel="kitchen", data={"n": 1}))
    assert first.offset == 1 and first.epoch
    sent = service.broadcast(
        cent.BroadcastRequest(channels=["kitchen", "hall", ""], data="all", idempotency_key="k")
    )
    assert [one.result.offset for one in sent.responses[:2]] == [2, 1]
    assert sent.responses[2].error.code == 107
    assert [await receive(members[0]), await receive(members[0])] == ['{"n":1}', '"all"']
    assert await receive(members[1]) == '"all"'
    await close_all(*members)


async def test_it_asks_of_rooms_and_nodes(keyed, service):
    members = [await open_client(keyed.url(f"/ws/kitchen?user={user}")) for user in "aab"]
    await keyed.members_are(3)
    presence = service.presence(cent.PresenceRequest(channel="kitchen")).presence
    assert sorted(info.user for info in presence.values()) == ["a", "a", "b"]
    assert all(info.client == name for name, info in presence.items())
    stats = service.presence_stats(cent.PresenceStatsRequest(channel="kitchen"))
    assert (stats.num_clients, stats.num_users) == (3, 2)
    [node] = service.info(cent.InfoRequest()).nodes
    assert (node.num_clients, node.num_channels) == (3, 1)
    await close_all(*members)


async def test_it_reads_histories(keyed, service):
    member = await open_client(keyed.url("/ws/kitchen"))
    await member.send(b"\0")
    await receive(member)
    for n in range(2):
        service.publish(cent.PublishRequest(channel="kitchen", data=n))
    top = service.history(cent.HistoryRequest(channel="kitchen"))
    assert (top.publications, top.offset) == ([], 3)
    kept = service.history(cent.HistoryRequest(channel="kitchen", limit=10))
    assert [(one.offset, one.data) for one in kept.publications] == [(1, None), (2, 0), (3, 1)]
    newest = cent.HistoryRequest(channel="kitchen", limit=1, reverse=True)
    assert service.history(newest).publications[0].offset == 3
    since = cent.StreamPosition(offset=2, epoch=top.epoch)
    rest = service.history(cent.HistoryRequest(channel="kitchen", limit=10, since=since))
    assert [one.offset for one in rest.publications] == [3]
    with pytest.raises(cent.CentApiResponseError) as wrong:
        since = cent.StreamPosition(offset=2, epoch="other")
        service.history(cent.HistoryRequest(channel="kitchen", limit=10, since=since))
    assert wrong.value.code == 112
    await member.close()


async def test_it_lists_channels_and_removes_histories(keyed, service):
    rooms = ["kitchen", "kitchen", "hall"]
    members = [await open_client(keyed.url(f"/ws/{room}")) for room in rooms]
    await keyed.members_are(3)
    listed = service.channels(cent.ChannelsRequest()).channels
    assert {name: one.num_clients for name, one in listed.items()} == {"kitchen": 2, "hall": 1}
    assert set(service.channels(cent.ChannelsRequest(pattern="h*")).channels) == {"hall"}
    service.publish(cent.PublishRequest(channel="kitchen", data=1))
    service.history_remove(cent.HistoryRemoveRequest(channel="kitchen"))
    kept = service.history(cent.HistoryRequest(channel="kitchen", limit=10))
    assert (kept.publications, kept.offset) == ([], 1)
    await close_all(*members)


def test_it_sends_batches(service):
    told = service.batch(
        cent.BatchRequest(
            requests=[
                cent.PublishRequest(channel="kitchen", data=1),
                cent.BroadcastRequest(channels=["kitchen", "hall"], data=2),
                cent.PresenceRequest(channel="kitchen"),
                cent.PresenceStatsRequest(channel="kitchen"),
                cent.HistoryRequest(channel="kitchen", limit=10),
                cent.InfoRequest(),
            ],
            parallel=True,
        )
    ).replies
    assert told[0].offset == 1
    assert [one.result.offset for one in told[1].responses] == [2, 1]
    assert told[2].presence == {}
    assert told[3].num_clients == 0
    assert [one.data for one in told[4].publications] == [1, 2]
    assert len(told[5].nodes) == 1


async def test_it_commands(keyed, service):
    ann = await open_client(keyed.url("/ws/kitchen?user=ann"))
    await keyed.members_are(1)
    service.unsubscribe(cent.UnsubscribeRequest(user="ann", channel="hall"))
    service.subscribe(cent.SubscribeRequest(user="ann", channel="hall"))
    service.refresh(cent.RefreshRequest(user="ann"))
    service.refresh(cent.RefreshRequest(user="ann", expire_at=2**40))
    others = cent.DisconnectRequest(user="ann", client="another/1", whitelist=["another/2"])
    service.disconnect(others)
    wanted = cent.Disconnect(code=4001, reason="bye")
    service.disconnect(cent.DisconnectRequest(user="ann", disconnect=wanted))
    await asyncio.wait_for(ann.wait_closed(), 5)
    assert (ann.close_code, ann.close_reason) == (4001, "bye")


def test_it_is_told_what_is_not_here(service):
    for ask, request, code in (
        (service.subscribe, cent.SubscribeRequest(user="ann", channel="hall", data=1), 108),
        (service.publish, cent.PublishRequest(channel="kitchen", data=1, tags={"": "b"}), 107),
        (service.publish, cent.PublishRequest(channel=".", data=1), 107),
    ):
        with pytest.raises(cent.CentApiResponseError) as wrong:
            ask(request)
        assert wrong.value.code == code


def test_a_wrong_key_is_refused(keyed):
    with cent.Client(f"http://127.0.0.1:{keyed.internal_port}/api", KEY + "x") as stranger:
        with pytest.raises(cent.CentUnauthorizedError):
            stranger.info(cent.InfoRequest())


async def test_its_other_client_works_too(keyed):
    async with cent.AsyncClient(f"http://127.0.0.1:{keyed.internal_port}/api", KEY) as service:
        sent = await asyncio.gather(
            *(service.publish(cent.PublishRequest(channel="kitchen", data=n)) for n in range(50))
        )
    assert sorted(one.offset for one in sent) == list(range(1, 51))
