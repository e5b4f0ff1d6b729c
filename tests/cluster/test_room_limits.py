"""What rooms and their recent publications may take of a node in a cluster: Redis has the histories."""

from support.asking import ask, history_of
from support.raw_websocket import TEXT, RawWebSocket, frame
from support.waiting import wait_until

MIB = 1 << 20
MESSAGES = 128


def counted(canang, owner):
    return canang.metrics().total("canang_memory_bytes", owner=owner)


def test_recent_publications_stay_within_the_budget_and_redis_has_the_rest(
    start_canang, start_redis
):
    canang = start_canang(redis=start_redis().url, history_budget="1MiB", workers=1)
    members = []
    for n in range(80):
        members.append(RawWebSocket(canang.port, f"/ws/room{n}?echo=false"))
        members[-1].send(frame(TEXT, b"") * MESSAGES)
        canang.wait_metric("canang_publications_total", (n + 1) * MESSAGES)
    wait_until(lambda: 0 < counted(canang, "history") <= MIB, "the budget holds")
    assert counted(canang, "history") > MIB / 2
    assert counted(canang, "rooms") > 80 * 2000
    assert history_of(canang, "room0") == MESSAGES, "read from Redis"
    assert history_of(canang, "room79") == MESSAGES
    for member in members:
        member.close()
    wait_until(
        lambda: counted(canang, "rooms") == counted(canang, "history") == 0,
        "rooms that are gone cost nothing",
        15,
    )


def test_a_room_too_many_is_refused_in_a_cluster_too(start_canang, start_redis):
    canang = start_canang(redis=start_redis().url, max_rooms=3)
    members = [RawWebSocket(canang.port, f"/ws/room{n}") for n in range(3)]
    canang.wait_members(3)
    refused = ask(canang, "/ws/another")
    assert refused.status == 503
    assert b"as many rooms as it may" in refused.body
    assert ask(canang, "/ws/room1").status == 101
    members[0].close_normally()
    wait_until(lambda: ask(canang, "/ws/another").status == 101, "the room that was left gives way")
    for member in members[1:]:
        member.close()
