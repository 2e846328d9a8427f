"""A small fast HTTP client: requests are bytes that were made before the clock starts, answers are hardly looked at.

On a machine that client, server and database share, what the client does not cost is what the server can use.
"""

from __future__ import annotations

import multiprocessing
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

TAXII = "application/taxii+json;version=2.1"
TIMEOUT_S = 120.0
RECEIVE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by lower-case name, and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def make_request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """The bytes of an HTTP/1.1 request with a TAXII body."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAccept: {TAXII}\r\n"
    if body:
        head += f"Content-Type: {TAXII}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Connection:
    """One connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> Answer:
        """Send a request and read its answer.

        Raises:
            ConnectionError: the server closed the connection.
        """
        self._socket.sendall(request)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            self._receive(received)
        status_line, *lines = received[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        del received[: end + 4]
        length = int(headers["content-length"])
        while len(received) < length:
            self._receive(received)
        return Answer(int(status_line.split(" ")[1]), headers, bytes(received))

    def close(self) -> None:
        self._socket.close()

    def _receive(self, into: bytearray) -> None:
        piece = self._socket.recv(RECEIVE_BYTES)
        if not piece:
            raise ConnectionError("the server closed the connection")
        into += piece


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run took: wall time, the time of each request, and the statuses that came back."""

    seconds: float
    request_s: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)


def run_load(port: int, requests: Sequence[bytes], *, processes: int, threads: int) -> Measured:
    """Send the requests over `processes` times `threads` connections, each taking its share one after the other."""
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(processes + 1), context.SimpleQueue()
    shares = [requests[place::processes] for place in range(processes)]
    workers = [context.Process(target=_work, args=(port, share, threads, barrier, answers)) for share in shares]
    for worker in workers:
        worker.start()
    barrier.wait(TIMEOUT_S)
    began = time.perf_counter()
    parts = [answers.get() for _ in workers]
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    statuses: dict[int, int] = {}
    for status, _ in (each for part in parts for each in part):
        statuses[status] = statuses.get(status, 0) + 1
    return Measured(seconds, [took for part in parts for _, took in part], statuses)


def _work(
    port: int,
    requests: Sequence[bytes],
    threads: int,
    barrier: multiprocessing.synchronize.Barrier,
    answers: multiprocessing.queues.SimpleQueue[list[tuple[int, float]]],
) -> None:
    done: list[tuple[int, float]] = []
    connections = [Connection(port) for _ in range(threads)]
    barrier.wait(TIMEOUT_S)
    senders = [
        threading.Thread(target=_send_all, args=(connection, requests[place::threads], done))
        for place, connection in enumerate(connections)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    answers.put(done)


def _send_all(connection: Connection, requests: Sequence[bytes], done: list[tuple[int, float]]) -> None:
    for request in requests:
        began = time.perf_counter()
        answer = connection.send(request)
        done.append((answer.status, time.perf_counter() - began))
    connection.close()
