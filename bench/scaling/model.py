"""What a workload costs in Redis, in traffic and in memory, by the number of nodes.

Everything in Redis is a rate times a unit cost, on one core: Redis executes commands on one. Members are spread at
random over the nodes, as balancers do. What is not in here: bursts, TLS, replicas, and headers of TCP and IP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, exp

from .costs import PARTITIONS, QUANTITIES, Costs

CHECK_S = 4.0  # a quiet room is looked at so often by each node that has members there
HEARD_S = 2.0  # a room counts as quiet after so long
SHED_A_SECOND = 0.01  # of its connections, by a node that has too many
DRAIN_S = 16.0  # in which a node that drains closes its connections
HISTORY = 128
HISTORY_S = 300.0
OTHER_CALLS = 1.5 / 33.5  # a look at the acts of moderators each second, a probe each two
USABLE = 0.7  # of a core of Redis, so that bursts find room

# docs/operations.md, measured on a quiet machine
CONNECTION_BYTES = (0.9 + 3.6) * 1024
ROOM_BYTES = 4.4 * 1024
KEPT_BYTES = 120
DELIVERY_US = {"small": 8.0, "large": 5.0}
FRAME_BYTES = 2
MEASURED_BYTES = 64  # of the publications of measure.py


@dataclass(frozen=True)
class Shape:
    """What clients do. Times in seconds, rates a second."""

    name: str
    members: int  # all of them, each in one room
    room: int  # members of a room
    kind: str  # 'plain'; 'live': no history; 'told': presence, joins and leaves are told
    publishes: float  # in each room
    stay_s: float  # how long a member stays
    payload: int = 200

    @property
    def rooms(self) -> int:
        return self.members // self.room

    @property
    def publications(self) -> float:
        return self.rooms * self.publishes

    @property
    def joins(self) -> float:
        return self.members / self.stay_s


@dataclass
class Load:
    """Of Redis in a second, by what causes it."""

    cpu: dict[str, float] = field(default_factory=dict)  # shares of a core
    bytes_in: dict[str, float] = field(default_factory=dict)
    bytes_out: dict[str, float] = field(default_factory=dict)

    def add(self, cause: str, cpu_us: float, received: float, sent: float) -> None:
        self.cpu[cause] = self.cpu.get(cause, 0.0) + cpu_us / 1e6
        self.bytes_in[cause] = self.bytes_in.get(cause, 0.0) + received
        self.bytes_out[cause] = self.bytes_out.get(cause, 0.0) + sent

    @property
    def share(self) -> float:
        return sum(self.cpu.values())

    @property
    def most(self) -> str:
        return max(self.cpu, key=lambda cause: self.cpu[cause])


def nodes_with(members: float, nodes: int) -> float:
    """How many nodes have any of so many members."""
    return nodes * (1 - (1 - 1 / nodes) ** members)


def calls_for(rooms: float) -> float:
    """Calls for the quiet rooms of a partition on a node, of which it has so many on average; 64 a call."""
    return 1 - exp(-rooms) if rooms <= 64 else rooms / 64 + 0.5


def redis_load(costs: Costs, shape: Shape, nodes: int) -> Load:
    load = Load()
    load.add("nodes", *(costs.idle(q, nodes) for q in QUANTITIES))
    _add_quiet(load, costs, shape, nodes)
    _add_publications(load, costs, shape, nodes)
    add_joins(load, costs, shape, nodes, shape.joins)
    return load


def _add_quiet(load: Load, costs: Costs, shape: Shape, nodes: int) -> None:
    """Each node asks where its quiet rooms stand, and in rooms that tell leaves for those that nobody told."""
    held = shape.rooms * nodes_with(shape.room, nodes)
    looked_at = held * exp(-HEARD_S * shape.publishes)
    calls = nodes * PARTITIONS / CHECK_S * calls_for(looked_at / nodes / PARTITIONS)
    position = costs.replay["positions"]
    rooms = looked_at / CHECK_S
    asked = [calls * position[q].base + rooms * position[q].slope for q in QUANTITIES]
    load.add("quiet rooms", *asked)
    if shape.kind == "told":
        sweeps = [
            max(0.0, costs.of("quiet, told", q, 1) - costs.of("quiet, plain", q, 1))
            for q in QUANTITIES
        ]
        load.add("sweeps", *(held * cost for cost in sweeps))


def _add_publications(load: Load, costs: Costs, shape: Shape, nodes: int) -> None:
    """Measured with short ones; what is longer goes in once, and out to each node."""
    heard = nodes_with(shape.room, nodes)
    longer = shape.payload - MEASURED_BYTES
    what = f"publish, {shape.kind}"
    load.add(
        "publications",
        shape.publications * costs.of(what, "cpu_us", heard),
        shape.publications * (costs.of(what, "in", heard) + longer),
        shape.publications * (costs.of(what, "out", heard) + longer * heard),
    )


def add_joins(load: Load, costs: Costs, shape: Shape, nodes: int, rate: float) -> None:
    """As many join as leave. Who is the first of its room on its node has the channel subscribed to."""
    heard = nodes_with(shape.room, nodes)
    first = (1 - 1 / nodes) ** (shape.room - 1)
    kind = "told" if shape.kind == "told" else "plain"
    for share, names in ((first, ("first join", "last leave")), (1 - first, ("join", "leave"))):
        for name in names:
            parts = [costs.of(f"{name}, {kind}", q, heard) for q in QUANTITIES]
            load.add("joins and leaves", *(rate * share * part for part in parts))


@dataclass
class Forecast:
    load: Load
    redis_memory: float
    node_memory: float
    node_cores: float
    node_to_clients: float  # bytes a second
    node_from_redis: float
    node_to_redis: float
    roster_bytes: float
    scale_up_cpu: float  # of Redis, while older nodes shed connections
    drain_cpu: float  # while one node drains
    rebuild_s: float  # at least, until all is again as it was when Redis returns


def forecast(costs: Costs, shape: Shape, nodes: int) -> Forecast:
    load = redis_load(costs, shape, nodes)
    heard = nodes_with(shape.room, nodes)
    kept = 0.0 if shape.kind == "live" else min(HISTORY, shape.publishes * HISTORY_S)
    deliveries = shape.members * shape.publishes / nodes
    size = "small" if shape.room <= 100 else "large"
    held_by_node = shape.rooms * heard / nodes
    return Forecast(
        load=load,
        redis_memory=redis_memory(costs, shape, nodes, kept),
        node_memory=costs.node_memory
        + shape.members / nodes * CONNECTION_BYTES
        + held_by_node * (ROOM_BYTES + kept * (KEPT_BYTES + shape.payload)),
        node_cores=(deliveries * DELIVERY_US[size] + costs.node_idle_us) / 1e6,
        node_to_clients=deliveries * (shape.payload + FRAME_BYTES),
        node_from_redis=sum(load.bytes_out.values()) / nodes,
        node_to_redis=sum(load.bytes_in.values()) / nodes,
        roster_bytes=nodes * costs.description,
        scale_up_cpu=moved(costs, shape, nodes, shape.members * SHED_A_SECOND),
        drain_cpu=moved(costs, shape, nodes, shape.members / nodes / DRAIN_S),
        rebuild_s=rebuild_s(costs, shape, nodes),
    )


def redis_memory(costs: Costs, shape: Shape, nodes: int, kept: float) -> float:
    room = costs.room_memory[shape.kind].at(nodes_with(shape.room, nodes))
    members = costs.member_memory * shape.room if shape.kind == "told" else 0.0
    longer = shape.payload - MEASURED_BYTES
    history = costs.replay["kept_memory"].at(kept) + kept * longer if kept > 0 else 0.0
    return costs.roster_memory.at(nodes) + shape.rooms * (room + members + history)


def moved(costs: Costs, shape: Shape, nodes: int, rate: float) -> float:
    """CPU of Redis for connections that go from node to node, on top of what is there anyway."""
    load = Load()
    add_joins(load, costs, shape, nodes, rate)
    return load.share


def rebuild_s(costs: Costs, shape: Shape, nodes: int) -> float:
    """Redis' own time for what nodes ask when they come back: channels, positions, leases, and who is there."""
    replay = costs.replay
    held = shape.rooms * nodes_with(shape.room, nodes)
    channels = (
        shape.rooms * replay["subscriptions"]["first_us"]
        + (held - shape.rooms) * replay["subscriptions"]["more_us"]
    )
    positions = held * replay["positions"]["cpu_us"].slope
    leases = nodes * PARTITIONS * replay["leases"]["lease_us"]
    presence = held * replay["told_anew"].base
    if shape.kind == "told":
        presence += shape.members * replay["told_anew"].slope
        presence += held * replay["look"].at(shape.room)
    return (channels + positions + leases + presence) / 1e6


def nodes_that_fill(costs: Costs, shape: Shape, limit: float = USABLE) -> int | None:
    """The smallest number of nodes at which Redis needs more of a core than that; none up to 10,000."""
    low, high = 1, 10_000
    if redis_load(costs, shape, high).share <= limit:
        return None
    while low < high:
        middle = (low + high) // 2
        if redis_load(costs, shape, middle).share > limit:
            high = middle
        else:
            low = middle + 1
    return low


def connections_of_one(shape: Shape, load: Load, limit: float = USABLE) -> float:
    """How many connections of that sort a Redis carries, if as many nodes remain: rounded to two digits."""
    left = limit - load.cpu["nodes"]
    return float(f"{max(0.0, left) / (load.share - load.cpu['nodes']) * shape.members:.2g}")


def shards_for(costs: Costs, shape: Shape, nodes: int, limit: float = USABLE) -> int | None:
    """How many Redis it takes. Each has its own leases and probes of all nodes, rooms are divided; none: too few nodes
    can be told of by any of them."""
    load = redis_load(costs, shape, nodes)
    # of 33.5 calls a second of an idle node 32 are leases, and a partition's lie on one Redis only
    alone = costs.lines["idle"]["cpu_us"].slope * OTHER_CALLS
    fixed = nodes * (0.5 * costs.telling("cpu_us", nodes) + alone) / 1e6
    if fixed >= limit:
        return None
    return max(1, ceil((load.share - fixed) / (limit - fixed)))
