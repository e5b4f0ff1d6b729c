"""A name server on a port of the loopback, as a container engine has one: it knows the addresses of what runs."""

from __future__ import annotations

import socket
import struct
import threading

HEADER = struct.Struct(">HHHHHH")
A, TTL_S = 1, 1
ANSWER, NO_SUCH_NAME = 0x8580, 0x8583


class NameServer:
    """`addresses` may be changed while it runs. It answers for IPv4."""

    def __init__(self) -> None:
        self.addresses: dict[str, str] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            query, asker = self._socket.recvfrom(4096)
            if not query:  # from stop()
                return
            self._socket.sendto(self._answer(query), asker)

    def _answer(self, query: bytes) -> bytes:
        number, *_ = HEADER.unpack_from(query)
        end = query.index(0, HEADER.size) + 5  # behind the name: its zero, the kind and the class
        question = query[HEADER.size : end]
        labels, at = [], 0
        while size := question[at]:
            labels.append(question[at + 1 : at + 1 + size].decode())
            at += 1 + size
        address = self.addresses.get(".".join(labels))
        if address is None:
            return HEADER.pack(number, NO_SUCH_NAME, 1, 0, 0, 0) + question
        if struct.unpack(">H", question[-4:-2])[0] != A:
            return HEADER.pack(number, ANSWER, 1, 0, 0, 0) + question
        record = struct.pack(">HHHIH", 0xC00C, A, 1, TTL_S, 4) + socket.inet_aton(address)
        return HEADER.pack(number, ANSWER, 1, 1, 0, 0) + question + record

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()
