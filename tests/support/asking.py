"""What tests ask a node for, as a client that leaves at once."""

from __future__ import annotations

import json

from .canang_process import CanangProcess
from .raw_websocket import RawConnection, RawWebSocket, Response, request_head


def ask(canang: CanangProcess, path: str, **changes: str) -> Response:
    """The answer to a handshake; `changes` as of `request_head`."""
    with RawConnection(canang.port) as client:
        client.send(request_head(path, **changes))
        return client.read_response()


def history_of(canang: CanangProcess, room: str) -> int:
    """The number of messages that a newcomer gets."""
    with RawWebSocket(canang.port, f"/ws/{room}?history=1000&meta=true") as client:
        client.send_text("marker")
        first = json.loads(client.read_data().payload)["join"]["offset"]
        while (read := json.loads(client.read_data().payload))["data"] != "marker":
            pass
    return read["offset"] - first - 1
