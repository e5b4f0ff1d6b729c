"""Two thousand clients of an SDK, as it is published and set, over the end of their node."""

import asyncio
import time
from contextlib import suppress

import pytest

from support.crowd import allow_many_files
from support.haproxy import HAProxy, Ports
from support.redis_process import free_port
from support.sdk_crowd import SdkCrowd, faults_of, percentile, story_of
from support.server_api import call

CLIENTS, ROOMS, PROCESSES = 2000, 20, 2
PUBLISH_EVERY_S = 0.25  # in each of the rooms: 8,000 deliveries a second
BACK_WITHIN_S = 20.0  # the longest that the SDK waits before an attempt
CONNECT_WITHIN_S = 40.0
NODE = {"rebalance_after": "0s", "drain_grace": "1s", "drain_period": "5s"}


class Publisher:
    """Publishes 0, 1, 2, ... in all rooms by the API of a node, until it is told to stop."""

    def __init__(self, node) -> None:
        self.count = 0
        self._node = node
        self._is_over = False
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        rooms = [f"crowd:{n}" for n in range(ROOMS)]
        began = asyncio.get_running_loop().time()
        while not self._is_over:
            result = await call(self._node, "broadcast", channels=rooms, data=self.count)
            assert all("error" not in one for one in result["responses"]), result
            self.count += 1
            due = began + self.count * PUBLISH_EVERY_S
            await asyncio.sleep(max(0, due - asyncio.get_running_loop().time()))

    async def reaches(self, count: int) -> None:
        while self.count < count:
            await asyncio.wait([self._task], timeout=0.05)
            if self._task.done():
                self._task.result()

    async def stop(self) -> int:
        self._is_over = True
        await self._task
        return self.count


async def becomes(ask, wanted: int, what: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while (seen := await ask()) < wanted:
        assert time.monotonic() < deadline, f"{seen} of {wanted} {what} within {timeout} s"
        await asyncio.sleep(0.2)


@pytest.fixture
def behind_one_address(tmp_path):
    """`start(nodes)`: an HAProxy in front of some nodes, as an operator would have it."""
    proxies = []

    def start(nodes) -> HAProxy:
        folder = tmp_path / "haproxy"
        folder.mkdir()
        at = {f"n{n}": Ports(node.port, node.internal_port) for n, node in enumerate(nodes)}
        proxies.append(HAProxy(folder, free_port(), at))
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.kill()


@pytest.mark.timeout(150)
@pytest.mark.parametrize("ending", ["drained", "killed"])
async def test_two_thousand_clients_come_back(
    start_canang, start_redis, behind_one_address, ending
):
    allow_many_files()
    redis = start_redis()
    leaving, staying = (start_canang(redis=redis.url, **NODE) for _ in range(2))
    proxy = behind_one_address([leaving, staying])
    proxy.wait_state("n0", up=True, timeout=10)
    proxy.admit("n1", False)
    async with SdkCrowd(proxy.port, CLIENTS, ROOMS, PROCESSES) as crowd:
        await becomes(crowd.subscribed, CLIENTS, "clients are in their rooms", CONNECT_WITHIN_S)
        await leaving.members_are(CLIENTS)
        proxy.admit("n1", True)
        await asyncio.to_thread(proxy.wait_state, "n1", True, 10)

        publisher = Publisher(staying)
        await publisher.reaches(8)
        await asyncio.to_thread(leaving.stop if ending == "drained" else leaving.kill)
        await becomes(crowd.returned, CLIENTS, "clients are back", BACK_WITHIN_S + 10)
        await publisher.reaches(publisher.count + 8)
        count = await publisher.stop()
        with suppress(AssertionError):  # the judge says better what is missing
            await becomes(crowd.least, count, "publications are with all", 10)
        stories = await crowd.stories()
        await staying.members_are(CLIENTS)
    assert len(stories) == CLIENTS
    faults = faults_of(stories, count)
    assert not faults, "\n".join([f"{len(faults)} faults:", *faults[:20]])
    seconds = sorted(back.seconds for story in stories for back in story.returns)
    report = {
        "clients": CLIENTS,
        "publications": count,
        "deliveries": sum(len(story.got) for story in stories),
        "returns": len(seconds),
        "p50_s": round(percentile(seconds, 0.5), 2),
        "p99_s": round(percentile(seconds, 0.99), 2),
        "max_s": round(seconds[-1], 2),
    }
    print(f"{ending}: {report}")  # pytest -s shows it
    assert seconds[-1] < BACK_WITHIN_S


# -- the judge ---------------------------------------------------------------------------------------


def log_of(*numbers, lost_after=2, recovered=True, first_offset=10):
    """Of a client that was away for half a second."""
    got = [["got", 1000 + n, first_offset + n, number] for n, number in enumerate(numbers)]
    away = [["lost", 2000, 3001], ["subscribed", 2500, "e", 12, True, recovered]]
    return [["subscribed", 900, "e", 9, False, False], *got[:lost_after], *away, *got[lost_after:]]


def judged(*logs, count=4):
    return faults_of([story_of("room", log) for log in logs], count)


def test_the_judge_has_nothing_against_all_once_and_in_order():
    assert judged(log_of(0, 1, 2, 3), log_of(0, 1, 2, 3, lost_after=0)) == []
    (back,) = story_of("room", log_of(0, 1, 2, 3)).returns
    assert (back.code, back.seconds, back.recovered) == (3001, 0.5, True)


@pytest.mark.parametrize(
    ("log", "fault"),
    [
        (log_of(0, 1, 3), "lost [2]"),
        (log_of(0, 1, 2), "lost [3]"),
        (log_of(0, 1, 1, 2, 3), "doubled [1]"),
        (log_of(0, 2, 1, 3), "reordered"),
        (log_of(0, 1, 2, 3, 4), "more than was published"),
        (log_of(0, 1, 2, 3, recovered=False), "not recovered"),
        (log_of(0, 1, 2, 3, first_offset=11), "other places"),
        (log_of(0, 1, 2, 3)[:4], "did not come back"),
        ([*log_of(0, 1, 2, 3), ["unsubscribed", 3000, 2000]], "unsubscribed"),
    ],
)
def test_the_judge_sees_each_fault(log, fault):
    found = judged(log_of(0, 1, 2, 3), log)
    assert any(fault in one and one.startswith("client 1") for one in found), found
