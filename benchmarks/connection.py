"""A small fast HTTP client: requests are bytes that were made before the clock starts, answers are hardly looked at.

On a machine that client, server and database share, what the client does not cost is what the server can use.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

TAXII = "application/taxii+json;version=2.1"
TIMEOUT_S = 300.0
RECEIVE_BYTES = 1 << 18
SKIM_BYTES = 1 << 20
END_OF_HEAD = b"\r\n\r\n"

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by lower-case name, and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def make_request(method: str, path: str, authorization: str, body: bytes = b"") -> bytes:
    """The bytes of an HTTP/1.1 request with a TAXII body. authorization: value of the header."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nAccept: {TAXII}\r\n"
    if body:
        head += f"Content-Type: {TAXII}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Connection:
    """One connection that is kept open.

    Raises ConnectionError if the server closes it, or answers without Content-Length.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._scratch = memoryview(bytearray(SKIM_BYTES))

    def send(self, request: bytes) -> Answer:
        """Send a request and read its answer."""
        head, received = self._ask(request)
        length = _length(head)
        while len(received) < length:
            self._receive(received)
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Answer(int(status_line.split(" ")[1]), headers, bytes(received))

    def skim(self, request: bytes) -> int:
        """Send a request, read its answer and throw the body away; the status."""
        head, received = self._ask(request)
        missing = _length(head) - len(received)
        while missing:
            count = self._socket.recv_into(self._scratch, min(missing, SKIM_BYTES))
            if not count:
                raise ConnectionError("the server closed the connection")
            missing -= count
        return int(head[9:12])

    def close(self) -> None:
        self._socket.close()

    def _ask(self, request: bytes) -> tuple[bytes, bytearray]:
        """The head of the answer, and what has come of its body."""
        self._socket.sendall(request)
        received = bytearray()
        while (end := received.find(END_OF_HEAD)) < 0:
            self._receive(received)
        head = bytes(received[:end])
        del received[: end + len(END_OF_HEAD)]
        return head, received

    def _receive(self, into: bytearray) -> None:
        piece = self._socket.recv(RECEIVE_BYTES)
        if not piece:
            raise ConnectionError("the server closed the connection")
        into += piece


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    if found is None:
        raise ConnectionError(f"the answer has no Content-Length: {head[:200]!r}")
    return int(found[1])
