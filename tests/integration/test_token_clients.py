"""Clients of the plain protocol that show a token of theirs: what it lets them do, and until when."""

import json
import signal
import time

import jwt
import pytest

from support.asking import ask
from support.canang_process import run_to_end
from support.redis_process import free_port
from support.key_server import KeyServer
from support.raw_websocket import TEXT, RawConnection, RawWebSocket, frame, request_head
from support.token_keys import jwk, jwks, make
from support.tokens import SECRET, RsaKey, room_token, token
from support.waiting import wait_until

OLD = {"lasts": -60}
WAYS = ["Authorization", "query", "subprotocol"]


@pytest.fixture
def canang(start_canang):
    return start_canang(token_hmac_secret=SECRET, personal_room="me:", token_leeway="1s")


@pytest.fixture
def key_server():
    with KeyServer() as server:
        yield server


def asked_with(way, shown, path="/ws/lobby"):
    """A handshake that shows a token in one of the ways in which that can be done."""
    if way == "query":
        return request_head(f"{path}?token={shown}")
    if way == "subprotocol":
        return request_head(path, Sec_WebSocket_Protocol=f"bearer.{shown}")
    return request_head(path, Authorization=f"Bearer {shown}")


def answer_to(canang, request):
    with RawConnection(canang.port) as client:
        client.send(request)
        return client.read_response()


def member(canang, shown, path="/ws/lobby?meta=true"):
    join = "&" if "?" in path else "?"
    client = RawWebSocket(canang.port, f"{path}{join}token={shown}")
    return client


@pytest.mark.parametrize("way", WAYS)
def test_a_token_is_taken_in_each_way(canang, way):
    good = answer_to(canang, asked_with(way, token()))
    assert good.status == 101
    if way == "subprotocol":
        assert good.headers["sec-websocket-protocol"] == f"bearer.{token()}", "a browser wants one"
    for bad in (token(secret="another secret of thirty-two chars"), "x", "a.b.c", token() + "a"):
        refused = answer_to(canang, asked_with(way, bad))
        assert (refused.status, refused.body) == (401, b"the token is not valid.\n")
    expired = answer_to(canang, asked_with(way, token(**OLD)))
    assert (expired.status, expired.body) == (401, b"the token has expired, or does not count yet.\n")


def test_what_a_401_asks_for(canang):
    for request in (asked_with("query", "x"), b"GET /sse?token=x HTTP/1.1\r\nHost: a\r\n\r\n"):
        assert answer_to(canang, request).headers["www-authenticate"] == 'Bearer realm="canang"'


def test_a_token_does_not_stand_in_the_log(start_canang):
    canang = start_canang(token_hmac_secret=SECRET, log_level="debug")
    for path in ("/ws/%00", "/ws/lobby?history=x&", "/nowhere"):
        with RawConnection(canang.port) as client:
            join = "&" if "?" in path else "?"
            client.send(request_head(f"{path}{join}token={token()}&user=x"))
            client.read_response()
    wait_until(lambda: any("token=..." in line for line in canang.log_lines()), "it is told without", 5)
    assert token() not in canang.stderr() + canang.stdout()


def test_another_subprotocol_is_answered_where_there_is_one(canang):
    offered = request_head("/ws/lobby", Sec_WebSocket_Protocol=f"bearer.{token()}, chat")
    assert answer_to(canang, offered).headers["sec-websocket-protocol"] == "chat"


def test_without_a_token_nobody_comes_in(canang):
    refused = ask(canang, "/ws/lobby?user=ann")
    assert (refused.status, refused.body) == (401, b"a token is needed here.\n")
    reasons = [("no_token", 1)]
    wait_until(
        lambda: all(
            canang.metrics().total("canang_handshakes_rejected_total", reason=r) == n for r, n in reasons
        ),
        "it is counted",
        5,
    )
    assert canang.metrics().total("canang_token_checks_total", result="missing") == 1


def test_a_token_says_who_a_client_is(canang):
    with member(canang, token("ann"), "/ws/lobby?meta=true&user=bob"):
        wait_until(lambda: users_of(canang, "lobby") == ["ann"], "the token's word counts", 5)


def users_of(canang, room):
    return [one["user"] for one in json.loads(canang.get_internal(f"/rooms/{room}/presence").body)["members"]]


def test_who_comes_without_a_token_has_no_name_where_there_are_tokens(start_canang):
    canang = start_canang(token_hmac_secret=SECRET, anonymous="yes")
    with RawWebSocket(canang.port, "/ws/lobby?user=ann"):
        wait_until(lambda: users_of(canang, "lobby") == [""], "anybody could say that", 5)


def test_without_keys_a_token_is_refused_but_for_a_proxys(start_canang):
    canang = start_canang()
    assert answer_to(canang, asked_with("query", token())).status == 401
    assert answer_to(canang, asked_with("Authorization", token())).status == 101, "for one in front"


def test_the_first_key_closes_the_door_while_the_node_runs(start_canang, tmp_path):
    config = tmp_path / "canang.toml"
    config.write_text("")
    canang = start_canang(config=str(config), personal_room="me:")
    assert ask(canang, "/ws/me:ann?user=ann").status == 101
    config.write_text(f'token-hmac-secret = "{SECRET}"\n')
    canang.process.send_signal(signal.SIGHUP)
    wait_until(lambda: ask(canang, "/ws/lobby?user=ann").status == 401, "it is closed", 5)
    assert ask(canang, f"/ws/me:ann?token={token()}").status == 101
    config.write_text("")
    canang.process.send_signal(signal.SIGHUP)
    wait_until(lambda: ask(canang, f"/ws/lobby?token={token()}").status == 401, "it has no key any more", 5)
    assert ask(canang, "/ws/lobby?user=ann").status == 401, "and stays closed"


@pytest.mark.parametrize("way", WAYS)
def test_while_the_keys_have_not_come_it_cannot_be_told(start_canang, way):
    """Nothing listens there."""
    canang = start_canang(token_jwks=f"http://127.0.0.1:{free_port()}/keys")
    assert answer_to(canang, asked_with(way, token())).status == 503
    assert ask(canang, "/ws/lobby").status == 401


def test_without_keys_everybody_has_to_be_let_in():
    done = run_to_end(["--anonymous", "no", "--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0"])
    assert done.returncode == 1 and "nobody could connect" in done.stderr


def closed_with(client):
    end = client.read_close()
    return end.close_code, end.close_reason


def test_a_connection_ends_with_its_token(canang):
    with member(canang, token(lasts=1)) as client:
        client.read_data()
        begun = time.monotonic()
        assert closed_with(client) == (3005, "connection expired")
        assert time.monotonic() - begun < 10  # one, and one of leeway
    wait_until(lambda: canang.metrics().total("canang_closes_total", reason="expired") == 1, "told", 5)


def test_it_does_not_where_the_token_says_so(canang):
    with member(canang, token(lasts=1, expire_at=0)) as client:
        client.read_data()
        time.sleep(3)  # what does not happen can only be waited for
        client.send(frame(TEXT, b"here"))
        assert json.loads(client.read_data().payload)["data"] == "here"


@pytest.mark.parametrize(
    "path, shown, status",
    [
        ("/ws/$board", token(), 403),
        ("/ws/$board", room_token("$board"), 101),
        ("/ws/$other", room_token("$board"), 401),
        ("/ws/$board", room_token("$board", **OLD), 401),
        ("/ws/$board", token(caps=[{"channels": ["$b*"], "match": "wildcard", "allow": ["sub"]}]), 101),
        ("/ws/$board", token(caps=[{"channels": ["$b*"], "match": "wildcard", "allow": ["pub"]}]), 403),
        ("/ws/me:ann", token("ann"), 101),
        ("/ws/me:bob", token("ann"), 403),
        ("/ws/lobby", token(), 101),
        ("/sse/$board", token(), 403),
        ("/sse/lobby", token(**OLD), 401),
        ("/sse/lobby", token(nbf=2**40), 401),
        ("/sse?room=a&room=b", token(), 200),
        ("/sse?room=a&room=b", token(**OLD), 401),
        ("/sse?room=a&room=b", "x", 401),
        ("/sse?room=a&room=b", "", 401),
        ("/ws/me:ann", room_token("$board"), 401),
        ("/ws/lobby", room_token("$board"), 401),
        ("/ws/$board", room_token("$board", client="n/1"), 401),
    ],
)
def test_what_a_token_opens(canang, path, shown, status):
    target = f"{path.replace('$', '%24')}{'&' if '?' in path else '?'}token={shown}"
    request = request_head(target)
    if path.startswith("/sse"):
        request = f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    with RawConnection(canang.port) as client:
        client.send(request)
        assert client.read_exactly(12, 5).decode() == f"HTTP/1.1 {status}"


CONFIG = """
[namespaces.talk]
user-rooms = true
allow-subscribe = "token"

[namespaces.news]
allow-publish = "token"
"""


@pytest.fixture
def ruled(start_canang, tmp_path):
    path = tmp_path / "canang.toml"
    path.write_text(CONFIG)
    return start_canang(config=str(path), token_hmac_secret=SECRET)


@pytest.mark.parametrize(
    "room, user, status",
    [("talk:%23ann", "ann", 101), ("talk:%23ann,bob", "bob", 101), ("talk:%23ann", "bob", 403), ("talk:1", "ann", 403)],
)
def test_rooms_whose_names_list_their_users(ruled, room, user, status):
    assert ask(ruled, f"/ws/{room}?token={token(user)}").status == status


def test_a_claim_lets_its_bearer_publish(ruled):
    may = token(caps=[{"channels": ["news:1"], "allow": ["pub"]}])
    with member(ruled, may, "/ws/news:1?meta=true") as author:
        author.read_data()
        author.send(frame(TEXT, b"yes"))
        assert json.loads(author.read_data().payload)["data"] == "yes"
    with member(ruled, token(), "/ws/news:1?meta=true") as author:
        author.read_data()
        author.send(frame(TEXT, b"no"))
        assert json.loads(author.read_data().payload)["error"]["code"] == "not_allowed"


def test_signatures_of_public_keys_are_checked_beside_the_loop(start_canang, tmp_path):
    key, other = RsaKey(tmp_path), RsaKey(tmp_path, "other")
    canang = start_canang(token_public_key=str(key.public))
    assert answer_to(canang, asked_with("query", key.token())).status == 101
    assert answer_to(canang, asked_with("query", other.token())).status == 401
    with member(canang, key.token("ann")) as client:
        client.read_data()
        wait_until(lambda: users_of(canang, "lobby") == ["ann"], "it is known who it is", 5)


def test_a_key_that_is_rotated_under_load_loses_nobody(start_canang, key_server):
    """Clients come all the while, with tokens of the old key and then of the new one; who is told to come back does."""
    old, new = make("p256"), make("p256")
    key_server.body = jwks(jwk(old, "p256", "old"))
    canang = start_canang(token_jwks=key_server.url())
    canang.wait_metric("canang_token_keys", 1)
    statuses = []

    def comes_in(key, kid):
        shown = jwt.encode({"sub": "ann"}, key, algorithm="ES256", headers={"kid": kid})
        statuses.append(ask(canang, f"/ws/lobby?token={shown}").status)
        return statuses[-1] == 101

    with member(canang, jwt.encode({"sub": "ann"}, old, algorithm="ES256", headers={"kid": "old"})) as stays:
        stays.read_data()
        for _ in range(20):
            assert comes_in(old, "old")
        key_server.body = jwks(jwk(old, "p256", "old"), jwk(new, "p256", "new"))
        wait_until(lambda: comes_in(old, "old") and comes_in(new, "new"), "the new key counts", 15)
        key_server.body = jwks(jwk(new, "p256", "new"))
        for _ in range(20):
            assert comes_in(new, "new")
        assert set(statuses) <= {101, 503}, "nobody is told to stay away"
        stays.send(frame(TEXT, b"here"))
        assert json.loads(stays.read_data().payload)["data"] == "here"


def test_a_client_that_goes_while_its_token_is_checked_leaves_nothing_behind(start_canang, tmp_path):
    key = RsaKey(tmp_path)
    canang = start_canang(token_public_key=str(key.public))
    request = asked_with("query", key.token())
    for _ in range(200):
        with RawConnection(canang.port) as client:
            client.send(request)
    canang.wait_metric("canang_connections", 0)
    wait_until(
        lambda: canang.metrics().total("canang_token_checks_total", result="good") == 200, "all were looked at", 10
    )
    assert answer_to(canang, request).status == 101


def test_what_is_expired_or_bad_never_reaches_others(canang):
    """Bad tokens of one client while others talk: nobody else notices."""
    with member(canang, token("ann")) as ann:
        ann.read_data()
        for shown in ("x" * 9000, token(**OLD), "..", "a" * 15_000):
            assert answer_to(canang, asked_with("Authorization", shown)).status in (401, 431)
        ann.send(frame(TEXT, b"one"))
        assert json.loads(ann.read_data().payload)["data"] == "one"
