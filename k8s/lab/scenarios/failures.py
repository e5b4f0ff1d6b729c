"""What happens to nodes and machines that nobody wanted."""

from __future__ import annotations

import json
import time

from support.waiting import wait_until

from . import deployments, judging, pods
from .cluster import Failed, get, kubectl, lab, machines, namespace, signal_server
from .cluster import apply as apply_objects
from .deployments import NAMESPACE
from .load import NAMESPACE as CLIENTS
from .load import Crowd, Load
from .registry import scenario
from .run import Run
from .scraper import Scraper
from .watch import Watch

QUIET_S = 3.0
# docs/kubernetes.md promises these.
RESTART_AFTER_KILL_S = 10
BACK_AFTER_KILL_S = 8  # some try the dead pod three times before the Service drops it, and wait longer each time
RESTART_AFTER_HANG_S = 25
BACK_AFTER_HANG_S = 30
REPLACED_AFTER_LOSS_S = 60
BACK_AFTER_LOSS_S = 35
# Whoever is away for so long resumes only where the history reaches back as far: at the five messages a second of a
# room here, the default of 128 does for 25 s.
HISTORY_SIZE = 1000


@scenario("kill", "`kill -9` of a server", short=True)
def kill(run: Run) -> None:
    _signalled(run, "KILL", RESTART_AFTER_KILL_S, BACK_AFTER_KILL_S)


@scenario("hang", "A server that hangs (SIGSTOP)", short=True)
def hang(run: Run) -> None:
    _signalled(run, "STOP", RESTART_AFTER_HANG_S, BACK_AFTER_HANG_S)


def _signalled(run: Run, signal: str, restart_s: float, back_s: float) -> None:
    deployments.trial()
    with Watch() as watch, Load() as load:
        time.sleep(QUIET_S)
        victim = deployments.servers()[0]
        name = victim["metadata"]["name"]
        since = run.mark(f"SIG{signal} to {name}")
        signal_server(victim, signal)

        def restarted() -> bool:
            seen = watch.now().get(name)
            return seen is not None and seen.restarts > 0 and seen.is_ready

        took = run.seconds_until(restarted, since, "restarted and ready", 150, 0.1)
        unready = watch.first_unready(name, since)
        run.figure("until the Service had it no more", unready - since, unit="s")
        run.figure("until it was restarted and ready", took, restart_s, "s")
        time.sleep(QUIET_S)
    judging.delivered(run, load.journal())
    judging.cut_off(run, load.journal(), since, back_s)


@scenario("machine", "A machine of three that is gone at once", machines=3)
def machine(run: Run) -> None:
    deployments.trial()
    folder = deployments.overlay(
        *("machine", "trial"),
        replicas=[{"name": "canang", "count": 3}],
        configMapGenerator=deployments.settings(f"CANANG_HISTORY_SIZE={HISTORY_SIZE}"),
    )
    deployments.apply(folder)
    deployments.rolled_out()
    victim, safe = _victim()
    on_it = [p["metadata"]["name"] for p in deployments.servers() if p["spec"]["nodeName"] == victim]
    try:
        with Watch() as watch, Load(machine=safe) as load:
            time.sleep(QUIET_S)
            since = run.mark(f"kill {victim}, with {len(on_it)} of three nodes")
            lab("kill-node", victim)
            _follow(run, watch, set(on_it), since)
        judging.delivered(run, load.journal())
        judging.cut_off(run, load.journal(), since, BACK_AFTER_LOSS_S)
    finally:
        lab("start-node", victim, timeout=180)
        wait_until(lambda: victim in machines(), f"{victim} is back", 120, 1)
        kubectl("scale", "deployment/canang", "-n", NAMESPACE, "--replicas=2")


def _victim() -> tuple[str, str]:
    """A machine with a node and without Redis; and the one with Redis, where the clients are to be."""
    (redis,) = get("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=redis")["items"]
    safe = redis["spec"]["nodeName"]
    others = sorted({pod["spec"]["nodeName"] for pod in deployments.servers()} - {safe})
    if not others:
        raise Failed("all nodes are on one machine")
    return others[-1], safe


def _follow(run: Run, watch: Watch, lost: set[str], since: float) -> None:
    def dropped() -> bool:
        return not any(seen.is_ready for seen in watch.now().values() if seen.name in lost)

    def replaced() -> bool:
        return len([seen for seen in watch.serving() if seen.name not in lost]) >= 3

    dropped_s = run.seconds_until(dropped, since, "the Service has its nodes no more", 120)
    run.figure("until the Service had its nodes no more", dropped_s, unit="s")
    replaced_s = run.seconds_until(replaced, since, "three nodes serve again", 360)
    run.figure("until three nodes served again", replaced_s, REPLACED_AFTER_LOSS_S, "s")


# A node with little memory, and more idle connections than fit into it.
MEMORY = "64Mi"
MEMORY_BYTES = 64 << 20
INTRUDERS = 14_000
INTRUDE = """
import json, resource, socket, sys, time
count, hold_s = int(sys.argv[1]), float(sys.argv[2])
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
address = socket.getaddrinfo("canang.canang.svc.cluster.local", 80)[0][4]
def come(number):
    one = socket.create_connection(address, timeout=5)
    one.sendall(b"GET /ws/crowd-%d HTTP/1.1\\r\\nHost: canang\\r\\nUpgrade: websocket\\r\\n"
                b"Connection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n" % (number // 100))
    head = one.recv(4096)
    return one, int(head.split()[1]), b"retry-after" in head.lower()
kept, answers, told = [], {}, 0
refused_in_a_row = 0
for number in range(count):
    try:
        one, status, retry = come(number)
    except (OSError, IndexError, ValueError):
        one, status, retry = None, 0, False
    answers[status] = answers.get(status, 0) + 1
    told += status == 503 and retry
    refused_in_a_row = 0 if status == 101 else refused_in_a_row + 1
    if status == 101:
        kept.append(one)
    if refused_in_a_row >= 300:
        break
time.sleep(hold_s)
print(json.dumps({"answers": answers, "told": told}), flush=True)
"""


def _little_memory() -> dict[str, object]:
    patch = [
        {"op": "replace", "path": f"/spec/template/spec/containers/0/resources/{what}/memory", "value": MEMORY}
        for what in ("requests", "limits")
    ]
    return {"target": {"kind": "Deployment", "name": "canang"}, "patch": json.dumps(patch)}


@scenario("memory", "More connections than a node's memory holds")
def memory(run: Run) -> None:
    deployments.trial()
    folder = deployments.overlay(
        *("memory", "trial"),
        patches=[_little_memory()],
        replicas=[{"name": "canang", "count": 1}],
        # these connections don't answer pings, so none is sent
        configMapGenerator=deployments.settings("CANANG_PING_INTERVAL=1h"),
    )
    deployments.apply(folder)
    deployments.rolled_out()
    few = Crowd(rooms=10, members=5, rate=50)
    with Watch() as watch, Load(few) as load, Scraper(watch):
        began = run.mark(f"up to {INTRUDERS:,} idle connections to a node with {MEMORY}")
        apply_objects(namespace(CLIENTS), pods.pod("intruder", CLIENTS))
        pods.wait_running("intruder", CLIENTS)
        said = json.loads(pods.python("intruder", CLIENTS, INTRUDE, str(INTRUDERS), "10", timeout=180))
        run.tell(f"answers: {said}")
        answers = {int(status): count for status, count in said["answers"].items()}
        run.figure("connections that it took", answers.get(101, 0), 1, at_least=True)
        run.figure("answers 503", answers.get(503, 0), 1, at_least=True)
        run.equal("of them with Retry-After", said["told"], answers.get(503, 0))
        pods.delete(CLIENTS, "intruder")
        back = pods.now()
        run.figure("until it takes clients again", _until_admitted(run, back), 10, "s")
        run.figure("restarts", watch.restarted(), 0)
        run.figure("pods that were OOMKilled", watch.oom_killed(), 0)
    judging.delivered(run, load.journal())
    closed = [outage for outage in load.journal().outages if outage.lost_s >= began]
    run.figure("earlier clients that were closed", len(closed), 0)


def _until_admitted(run: Run, since: float) -> float:
    apply_objects(pods.pod("newcomer", CLIENTS))
    pods.wait_running("newcomer", CLIENTS)

    def admitted() -> bool:
        said = json.loads(pods.python("newcomer", CLIENTS, INTRUDE, "1", "0"))
        return "101" in said["answers"]

    return run.seconds_until(admitted, since, "it takes clients again", 60)
