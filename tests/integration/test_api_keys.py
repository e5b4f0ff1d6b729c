"""Who may use the server API."""

from __future__ import annotations

import pytest

from support.canang_process import http_request
from support.server_api import METHODS, post

KEY = "0123456789abcdef-of-a-service"
OTHER_KEY = "fedcba9876543210-of-a-service"
INTERNAL_KEY = "0123456789abcdef-of-an-operator"
PUBLISH = {"channel": "kitchen", "data": {"n": 1}}


@pytest.fixture(params=["127.0.0.1:0", "0.0.0.0:0"])
def keyed(request, start_canang):
    return start_canang(
        api_key=f"{KEY},{OTHER_KEY}", internal_key=INTERNAL_KEY, internal_listen=request.param
    )


def test_each_of_the_keys_opens_the_api(keyed):
    for key in (KEY, OTHER_KEY):
        for headers in (
            {"X-API-Key": key},
            {"x-api-key": key},
            {"Authorization": f"apikey {key}"},
            {"Authorization": f"ApiKey   {key}"},
            {"Authorization": f"Bearer {INTERNAL_KEY}", "X-API-Key": key},
        ):
            assert post(keyed, "/api/publish", PUBLISH, headers).result, headers
            assert post(keyed, "/api/disconnect", {"user": "ann"}, headers).result


def test_without_a_right_key_it_is_closed(keyed):
    for headers in (
        {},
        {"X-API-Key": ""},
        {"X-API-Key": KEY[:-1]},
        {"X-API-Key": KEY + "x"},
        {"X-API-Key": f"{KEY},{OTHER_KEY}"},
        {"X-API-Key": f"apikey {KEY}"},
        {"X-API-Key": INTERNAL_KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": KEY},
        {"Authorization": f"Bearer {INTERNAL_KEY}"},
        {"Authorization": f"apikey {INTERNAL_KEY}"},
    ):
        for method in METHODS:
            answer = post(keyed, f"/api/{method}", b"not even JSON", headers)
            assert answer.status == 401, headers
            assert answer.headers["www-authenticate"] == 'apikey realm="canang"'
            assert b"X-API-Key" in answer.body
            assert KEY.encode() not in answer.body
    assert post(keyed, "/api/publish?api_key=" + KEY, PUBLISH).status == 401


def test_a_key_of_the_api_opens_nothing_else(keyed):
    for headers in ({"X-API-Key": KEY}, {"Authorization": f"apikey {KEY}"},
                    {"Authorization": f"Bearer {KEY}"}):  # fmt: skip
        for path in ("/nodes", "/rooms/kitchen"):
            answer = http_request(
                keyed.internal_port, path, headers=headers, host=keyed.internal_host
            )
            assert answer.status == 401
        assert post(keyed, "/drain", b"", headers).status == 401


def test_without_any_key_it_is_for_this_machine_only(start_canang):
    beyond = start_canang(internal_listen="0.0.0.0:0")
    assert post(beyond, "/api/publish", PUBLISH).status == 403
    operators = start_canang(internal_key=INTERNAL_KEY)
    answer = post(
        operators, "/api/publish", PUBLISH, {"Authorization": f"Bearer {INTERNAL_KEY}"}
    )
    assert answer.status == 403
    assert b"--api-key" in answer.body


def test_pages_of_web_sites_cannot_use_it(canang, keyed):
    page = {"Origin": "http://evil.example", "Content-Type": "text/plain"}
    assert post(canang, "/api/publish", PUBLISH, page).status == 403
    assert post(canang, "/api/publish", PUBLISH, {"Host": "evil.example"}).status == 403
    assert post(keyed, "/api/publish", PUBLISH, page | {"X-API-Key": KEY}).status == 403
