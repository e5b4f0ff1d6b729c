"""The description of the server API, docs/openapi.json, says what the server does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from support.canang_process import http_request
from support.server_api import METHODS, ApiAnswer, post

FILE = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
DESCRIPTION = json.loads(FILE.read_text())
POSTS = [path for path, item in DESCRIPTION["paths"].items() if "post" in item]


def check(schema: dict[str, Any], value: Any) -> None:
    """Schemas here mean the same to OpenAPI 3.0 and to JSON Schema."""
    whole = schema | {"components": DESCRIPTION["components"]}
    Draft202012Validator.check_schema(whole)
    Draft202012Validator(whole).validate(value)


def answer_schema(path: str, status: int) -> dict[str, Any]:
    answer = DESCRIPTION["paths"][path]["post"]["responses"][str(status)]
    if "$ref" in answer:
        answer = DESCRIPTION["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    return answer["content"]["application/json"]["schema"]


def request_of(path: str) -> dict[str, Any]:
    return DESCRIPTION["paths"][path]["post"]["requestBody"]["content"]["application/json"]


def ask(canang, path: str, body: Any) -> ApiAnswer:
    answer = post(canang, path, json.dumps(body))
    check(answer_schema(path, answer.status), answer.json)
    return answer


def test_the_server_hands_it_out(canang):
    answer = canang.get_internal("/api/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.body == FILE.read_bytes()
    assert canang.get_internal("/api/openapi.json", "HEAD").status == 200
    assert post(canang, "/api/openapi.json", {}).status == 405


def test_it_is_behind_the_key(start_canang):
    canang = start_canang(api_key="0123456789abcdef-of-a-service")
    assert canang.get_internal("/api/openapi.json").status == 401
    headers = {"X-API-Key": "0123456789abcdef-of-a-service"}
    assert http_request(canang.internal_port, "/api/openapi.json", headers=headers).status == 200


def test_it_names_all_methods_and_no_others(canang):
    assert {f"/api/{method}" for method in METHODS} == set(POSTS)
    commands = DESCRIPTION["components"]["schemas"]["Command"]["properties"]
    assert set(commands) == set(METHODS) - {"batch"}


@pytest.mark.parametrize("path", POSTS)
def test_each_example_is_answered_as_described(canang, path):
    request = request_of(path)
    check(request["schema"], request["example"])
    answer = ask(canang, path, request["example"])
    is_here = "Not here" not in DESCRIPTION["paths"][path]["post"]["summary"]
    assert answer.status == 200
    assert ("error" in answer.json) != is_here


@pytest.mark.parametrize("path", POSTS)
def test_what_cannot_be_read_is_answered_as_described(canang, path):
    for body in (7, [], {"channel": 7, "channels": 7, "user": 7, "commands": 7, "method": 7}):
        answer = ask(canang, path, body)
        assert answer.status in (200, 400) and "error" in answer.json


BROADCAST = {"channels": ["kitchen", "."], "data": 1}
MANY = [
    ("/api/publish", {"channel": "kitchen", "b64data": "AA=="}),
    ("/api/publish", {"channel": "kitchen", "data": "hi", "skip_history": True}),
    ("/api/broadcast", BROADCAST),
    ("/api/history", {"channel": "kitchen", "limit": -1}),
    ("/api/history", {"channel": "kitchen", "since": {"offset": 1, "epoch": "x"}}),
    ("/api/history", {"channel": "nowhere"}),
    ("/api/batch", {"commands": [{"info": {}}, {"broadcast": BROADCAST}, {"x": 1}]}),
    ("/api/batch", {"commands": [{"history": {"channel": "kitchen", "limit": 9}}]}),
    ("/api/subscribe", {"client": "n/1", "channel": "kitchen"}),
    ("/api/disconnect", {"user": "ann", "whitelist": ["n/1"]}),
    ("/api/refresh", {"user": "ann"}),
    ("/api/refresh", {"user": "ann", "expire_at": 2**40}),
    ("/api/batch", {"commands": [{"subscribe": {"user": "ann", "channel": "kitchen"}}]}),
    ("/api/channels", {}),
    ("/api/history_remove", {"channel": "nowhere"}),
    ("/api/batch", {"commands": [{"history_remove": {"channel": "kitchen"}}, {"channels": {}}]}),
    ("/api/batch", {"commands": []}),
    ("/api/batch", {}),
]


def test_results_of_all_kinds_are_as_described(canang):
    for path, body in MANY:
        assert ask(canang, path, body).status == 200


def test_the_schemas_notice_what_is_wrong():
    """So that the tests above can fail."""
    with pytest.raises(Exception, match="additional|Additional|not valid"):
        check(answer_schema("/api/publish", 200), {"result": {"offset": 1, "place": 1}})
    with pytest.raises(Exception, match="not one of"):
        check(answer_schema("/api/publish", 400), {"error": {"code": 1, "message": "x"}})
