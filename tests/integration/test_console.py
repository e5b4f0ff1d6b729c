"""The console: who gets its page and its data, and what it tells."""

from __future__ import annotations

import json
import re

import pytest

from support.canang_process import http_request
from support.clients import close_all, open_client, receive
from support.server_api import post
from support.waiting import eventually

KEY = "0123456789abcdef-of-an-operator"
API_KEY = "0123456789abcdef-of-a-service"
QUESTIONS = {
    "rooms": {},
    "room": {"channel": "kitchen"},
    "history": {"channel": "kitchen", "limit": 5},
    "user": {"user": "ann"},
}
COMMANDS = {
    "publish": {"channel": "kitchen", "data": {"n": 1}},
    "disconnect": {"user": "ann"},
    "unsubscribe": {"user": "ann", "channel": "kitchen"},
}


@pytest.fixture
def keyed(start_canang):
    return start_canang(internal_key=KEY, api_key=API_KEY)


def page(canang, path="/console", method="GET", **headers):
    return http_request(canang.internal_port, path, method, headers)


def ask(canang, method, body, **headers):
    named = {"Authorization": f"Bearer {KEY}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return post(canang, f"/console/api/{method}", body, named)


def files_of(canang):
    """All that the page names, and what these name."""
    found = ["/console"]
    for path in found:
        text = page(canang, path).text
        for name in re.findall(r'(?:src|href)="(console/[^"]+)"', text):
            found.append("/" + name)
        for name in re.findall(r"from '\./([a-z_]+\.js)'", text):
            if f"/console/{name}" not in found:
                found.append(f"/console/{name}")
    return found


def test_the_page_and_its_files_need_no_key_and_hold_none(keyed):
    files = files_of(keyed)
    assert len(files) >= 13, files
    for path in files:
        answer = page(keyed, path)
        assert answer.status == 200, path
        assert KEY not in answer.text
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy and "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        head = page(keyed, path, "HEAD")
        assert head.status == 200 and head.text == ""
        assert head.headers["content-length"] == answer.headers["content-length"]
    assert page(keyed, "/console/nothing.js").status == 404
    assert page(keyed, "/console", "POST").status == 405


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(keyed):
    html = page(keyed).text
    assert not re.search(r"<style|<script(?![^>]*src=)|\son[a-z]+=|style=", html)
    for path in files_of(keyed):
        text = page(keyed, path).text
        if not path.endswith(".svg"):
            assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), path


def test_its_data_needs_the_internal_key(keyed):
    calls = QUESTIONS | COMMANDS
    for headers in (
        {},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"Authorization": KEY},
        {"Authorization": f"apikey {API_KEY}"},
        {"X-API-Key": API_KEY},
        {"X-API-Key": KEY},
    ):
        for method in calls:
            answer = post(keyed, f"/console/api/{method}", b"not even JSON", headers)
            assert answer.status == 401, (method, headers)
            assert answer.headers["www-authenticate"] == 'Bearer realm="canang"'
            assert KEY.encode() not in answer.body
        for path in ("/console/api/hour", "/console/api/nodes"):
            assert http_request(keyed.internal_port, path, headers=headers).status == 401
    assert post(keyed, f"/console/api/rooms?key={KEY}", {}).status == 401
    for method, body in calls.items():
        assert ask(keyed, method, body).result is not None, method
    hour = page(keyed, "/console/api/hour", Authorization=f"Bearer {KEY}")
    assert hour.status == 200 and hour.headers["cache-control"] == "no-store"


def test_the_key_is_needed_on_this_machine_too(start_canang):
    canang = start_canang()
    for path in ("/console", "/console/console.js", "/console/api/hour"):
        answer = page(canang, path)
        assert (answer.status, answer.text) == (403, "the console needs --internal-key\n"), path
    assert post(canang, "/console/api/rooms", {}).status == 403
    assert page(canang, "/nodes").status == 200, "all else is as it was"


def test_no_page_of_another_site_uses_it(keyed):
    own = f"http://127.0.0.1:{keyed.internal_port}"
    assert ask(keyed, "rooms", {}, Origin=own).status == 200
    assert ask(keyed, "rooms", {}, Origin=own, Sec_Fetch_Site="same-origin").status == 200
    for foreign in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": own, "Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ):
        for method, body in COMMANDS.items():
            assert ask(keyed, method, body, **foreign).status == 403, foreign
    options = http_request(
        keyed.internal_port, "/console/api/publish", "OPTIONS", {"Origin": "http://evil.example"}
    )
    assert options.status in (401, 403, 405)
    assert "access-control-allow-origin" not in options.headers


def test_methods_and_bodies_that_it_does_not_take(keyed):
    bearer = {"Authorization": f"Bearer {KEY}"}
    for method in QUESTIONS | COMMANDS:
        answer = page(keyed, f"/console/api/{method}", **bearer)
        assert (answer.status, answer.headers["allow"]) == (405, "POST"), method
        assert ask(keyed, method, b"[").error == (400, 107)
    assert ask(keyed, "room", {"channel": ""}).error == (200, 107)
    assert ask(keyed, "user", {}).error == (200, 107)
    assert ask(keyed, "room", b" " * 20_000).status == 413
    for method in ("ban", "history_remove", "broadcast", "batch", "info", "subscribe"):
        assert ask(keyed, method, {}).status in (404, 405), f"{method} is none of the console's"


def test_it_is_not_on_the_public_port(keyed):
    for path in ("/console", "/console/", "/console/console.js", "/console/api/hour"):
        assert http_request(keyed.port, path).status == 404, path
    answer = http_request(
        keyed.port, "/console/api/rooms", "POST", {"Authorization": f"Bearer {KEY}"}
    )
    assert answer.status in (404, 405)


async def test_it_tells_of_rooms_and_who_is_in_them(keyed):
    members = [await open_client(keyed.url(f"/ws/kitchen?user={user}")) for user in ("ann", "bob")]
    members.append(await open_client(keyed.url("/ws/hall?user=ann")))

    def rooms():
        return ask(keyed, "rooms", {}).result == {
            "rooms": [{"room": "kitchen", "members": 2}, {"room": "hall", "members": 1}],
            "total": 2,
        }

    await eventually(rooms, "both rooms")
    assert ask(keyed, "rooms", {"pattern": "h*"}).result["total"] == 1
    room = ask(keyed, "room", {"channel": "kitchen"}).result
    assert (room["members"], room["users"], room["presence"]) == (2, 2, True)
    [node] = room["nodes"]
    assert node["members"] == 2
    assert {one["user"] for one in room["shown"]} == {"ann", "bob"}
    assert all(one["client"].startswith(node["node"] + "/") for one in room["shown"])
    empty = ask(keyed, "room", {"channel": "empty"}).result
    assert (empty["members"], empty["nodes"], empty["shown"]) == (0, [], [])
    await close_all(*members)


async def test_it_finds_a_users_connections_and_ends_them(keyed):
    ann = [await open_client(keyed.url(f"/ws/{room}?user=ann")) for room in ("a", "b")]
    bob = await open_client(keyed.url("/ws/a?user=bob"))
    await eventually(
        lambda: ask(keyed, "user", {"user": "ann"}).result["connections"] == 2, "both connections"
    )
    found = ask(keyed, "user", {"user": "ann"}).result
    assert found["complete"] is True and [one["outcome"] for one in found["nodes"]] == ["done"]
    assert ask(keyed, "user", {"user": "nobody"}).result["connections"] == 0
    assert all(client.close_code is None for client in ann), "asking ends nothing"
    assert ask(keyed, "unsubscribe", {"user": "ann", "channel": "a"}).result["connections"] == 1
    await ann[0].wait_closed()
    assert ask(keyed, "disconnect", {"user": "ann"}).result["connections"] == 1
    for client in ann:
        await client.wait_closed()
        assert client.close_code == 3503
    assert bob.close_code is None
    await close_all(bob)


SECRET = "what nobody else is to read"


async def publish_secrets(canang):
    member = await open_client(canang.url("/ws/kitchen"))
    await member.send(SECRET)
    assert SECRET in await receive(member)
    tagged = {"channel": "kitchen", "data": {"text": SECRET}, "tags": {"tag": SECRET}}
    assert ask(canang, "publish", tagged).result["offset"] == 2
    await close_all(member)


async def test_payloads_are_not_told(keyed):
    await publish_secrets(keyed)
    answer = ask(keyed, "history", {"channel": "kitchen", "limit": 10})
    assert SECRET.encode() not in answer.body
    newest, oldest = answer.result["publications"]
    assert (newest["offset"], oldest["offset"]) == (2, 1), "the newest one first"
    assert (oldest["bytes"], oldest["binary"]) == (len(SECRET), False)
    for entry in (newest, oldest):
        assert not {"data", "b64data", "tags"} & set(entry)
    full = post(keyed, "/api/history", {"channel": "kitchen", "limit": 1}, {"X-API-Key": API_KEY})
    assert SECRET.encode() in full.body, "who has a key of the API reads them there"


async def test_payloads_are_told_where_the_option_says_so(start_canang):
    canang = start_canang(internal_key=KEY, console_payloads="on")
    await publish_secrets(canang)
    newest, oldest = ask(canang, "history", {"channel": "kitchen", "limit": 10}).result["publications"]
    assert oldest["data"] == SECRET
    assert (newest["data"], newest["tags"]) == ({"text": SECRET}, {"tag": SECRET})
    assert "bytes" not in oldest


def test_no_more_publications_are_told_than_a_page_shows(keyed):
    for n in range(25):
        assert ask(keyed, "publish", {"channel": "kitchen", "data": n}).result
    for wanted in ({"limit": 1000}, {"limit": -1}):
        told = ask(keyed, "history", {"channel": "kitchen"} | wanted).result["publications"]
        assert [entry["offset"] for entry in told] == list(range(25, 5, -1))


def test_nodes_tell_how_they_are(start_canang):
    canang = start_canang(internal_key=KEY, max_connections=40, memory_limit="1024GiB")
    bearer = {"Authorization": f"Bearer {KEY}"}
    told = json.loads(page(canang, "/console/api/nodes", **bearer).text)
    [node] = told["nodes"]
    assert (told["node"], told["fault"]) == (node["id"], "")
    [same] = json.loads(page(canang, "/nodes", **bearer).text)["nodes"]
    assert set(same) == set(node)
    assert (node["ready"], node["reason"]) == (True, "")
    assert node["closed"] == {"drain": 0, "rebalance": 0}
    assert {"connections", "memory"} <= set(node["used"])
    assert node["used"]["connections"] == 0
    assert 0 <= node["used"]["memory"] < 1


async def test_the_hour_of_a_node_fills(keyed):
    """Its first sample is there ten seconds after its start."""
    bearer = {"Authorization": f"Bearer {KEY}"}
    node = json.loads(page(keyed, "/nodes", **bearer).text)["node"]
    member = await open_client(keyed.url("/ws/kitchen"))

    def first():
        told = json.loads(page(keyed, "/console/api/hour", **bearer).text)
        assert told["node"] == node
        return told["hour"] if told["hour"]["cpu"] else None

    hour = await eventually(first, "a sample", timeout=20, poll=0.5)
    assert hour.pop("interval") == 10
    assert set(hour) == {
        "connections", "rooms", "memory_bytes", "publications", "deliveries", "sent_bytes", "cpu",
    }  # fmt: skip
    assert {len(samples) for samples in hour.values()} == {1}
    assert (hour["connections"], hour["rooms"]) == ([1], [1])
    assert hour["cpu"][0] >= 0 and hour["memory_bytes"][0] > 1_000_000
    await close_all(member)


@pytest.mark.parametrize("value", ["yes", "true", ""])
def test_the_option_is_on_or_off(value):
    from support.canang_process import run_to_end

    result = run_to_end([f"--console-payloads={value}", "--check-config"])
    assert result.returncode == 2
    assert "--console-payloads" in result.stderr and result.stderr.count("\n") == 1
