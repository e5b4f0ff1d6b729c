"""The access log of the server API."""

from __future__ import annotations

import re

from support.canang_process import http_request
from support.server_api import post
from support.waiting import wait_until

KEY = "0123456789abcdef-of-a-service"
LINE = re.compile(
    r'access peer=127\.0\.0\.1:\d+ method=(\S+) path="([^"]*)" status=(\d+)( error=\d+)?'
    r' received=(\d+) sent=(\d+) ms=\d+\.\d agent="(.*)"$'
)


def told(canang, path, body, **headers):
    """The answer to a request, and what its line of the log says."""
    before = len(canang.log_with("access peer="))
    answer = post(canang, path, body, {"X-API-Key": KEY, "User-Agent": "billing/2.1"} | headers)
    lines = wait_until(lambda: canang.log_with("access peer=")[before:], "a line tells of it")
    assert len(lines) == 1, lines
    match = LINE.search(lines[0])
    assert match, lines[0]
    method, path, status, error, received, sent, agent = match.groups()
    assert int(status) == answer.status and int(sent) == len(answer.body)
    return answer, (method, path, error, int(received), agent)


def test_a_line_tells_of_each_request(start_canang):
    canang = start_canang(api_key=KEY, api_log="yes")
    body = '{"channel":"kitchen","data":{"secret":"of ann"}}'
    answer, line = told(canang, "/api/publish", body)
    assert answer.result and line == ("POST", "/api/publish", None, len(body), "billing/2.1")

    answer, line = told(canang, "/api/history", '{"channel":"kitchen","limit":"x"}')
    assert answer.error[1] == 107
    assert line == ("POST", "/api/history", " error=107", 33, "billing/2.1")

    answer, line = told(canang, "/api/batch", '{"commands":[{"info":{}}]}')
    assert answer.status == 200 and line[:3] == ("POST", "/api/batch", None)

    assert not canang.log_with("of ann") and not canang.log_with("kitchen") and not canang.log_with(KEY)


def test_a_line_tells_of_those_that_are_refused(start_canang):
    canang = start_canang(api_key=KEY, api_log="yes")
    answer, line = told(canang, "/api/publish?key=hidden", "{}", **{"X-API-Key": "wrong" * 4})
    assert answer.status == 401 and line == ("POST", "/api/publish", None, 0, "billing/2.1")
    answer, line = told(canang, "/api/publish", b"x" * 5_000_000)
    assert answer.status == 413 and line[:3] == ("POST", "/api/publish", None)
    assert not canang.log_with("hidden") and not canang.log_with("wrong" * 4)


def test_no_request_can_write_a_line_of_its_own(start_canang):
    canang = start_canang(api_key=KEY, api_log="yes")
    _, line = told(canang, "/api/info", "{}", **{"User-Agent": 'x" status=200\taccess peer=\x85'})
    assert line[4].startswith('x\\" status=200') and "\t" not in line[4]


def test_no_client_fills_the_log_with_its_name(start_canang):
    canang = start_canang(api_key=KEY, api_log="yes")
    for key, status in (("wrong" * 4, 401), (KEY, 200)):
        answer, line = told(canang, "/api/info", "{}", **{"X-API-Key": key, "User-Agent": "x" * 5000})
        assert (answer.status, line[4]) == (status, "x" * 200)


def test_what_is_sent_of_a_page_to_who_asks_for_its_head_is_nothing(start_canang):
    canang = start_canang(api_key=KEY, api_log="yes")
    for method, is_sent in (("HEAD", False), ("GET", True)):
        headers = {"X-API-Key": KEY}
        assert http_request(canang.internal_port, "/api/openapi.json", method, headers).status == 200
        lines = wait_until(lambda: canang.log_with(f"method={method}"), "a line tells of it")
        sent = int(re.findall(r" sent=(\d+) ", lines[0])[0])
        assert (sent > 0) == is_sent, lines


def test_other_pages_and_other_nodes_settings_have_no_line(start_canang):
    logging = start_canang(api_key=KEY, api_log="yes")
    quiet = start_canang(api_key=KEY)
    for canang in (logging, quiet):
        assert http_request(canang.internal_port, "/healthz").status == 200
        assert post(canang, "/api/no_such_method", "{}", {"X-API-Key": KEY}).status == 404
    assert post(quiet, "/api/info", "{}", {"X-API-Key": KEY}).result
    told(logging, "/api/info", "{}")  # so that its log is as far as this
    assert len(logging.log_with("access peer=")) == 1 and not quiet.log_with("access peer=")
