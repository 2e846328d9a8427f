"""One POST to a target that misbehaves: bounded in time and bytes, and told apart by codes of ours."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from exchange.services.outbound import Target, TargetUrl
from exchange.sync.outbound import PeerUnreachableError, post

DEADLINE_S = 0.5


@contextmanager
def served(answer: Callable[[socket.socket, threading.Event], None], *, scheme: str = "http") -> Iterator[Target]:
    """A server of one connection, which `answer` gets after the request's head; the event is set at the end."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                answer(connection, over)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        yield Target(TargetUrl(scheme, "hooks.example", port, "/"), (ip_address("127.0.0.1"),))
        over.set()
        thread.join()


def say_nothing(_connection: socket.socket, over: threading.Event) -> None:
    over.wait(10)


def refused(target: Target) -> str:
    with pytest.raises(PeerUnreachableError) as caught:
        post(target, b"{}", {}, deadline_s=DEADLINE_S)
    return caught.value.code


def test_silence_ends_at_the_deadline() -> None:
    with served(say_nothing) as target:
        assert refused(target) == "timeout"


def test_a_byte_now_and_then_does_not_renew_the_deadline() -> None:
    def drip(connection: socket.socket, over: threading.Event) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            if over.wait(0.05):
                return

    with served(drip) as target:
        assert refused(target) == "timeout"


def test_an_endless_answer_is_read_to_its_status_and_no_further() -> None:
    def flood(connection: socket.socket, over: threading.Event) -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while not over.is_set():
                connection.sendall(b"x" * 65_536)
        except OSError:
            return

    with served(flood) as target:
        assert post(target, b"{}", {}, deadline_s=DEADLINE_S) == 200


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "not-http"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n", "not-http"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "not-http"),
        (b"HTTP/1.1 abc\r\n\r\n", "not-http"),
        (b"", "broken-off"),
    ],
)
def test_what_is_no_answer_is_said_in_words_of_ours(answer: bytes, code: str) -> None:
    with served(lambda connection, _over: connection.sendall(answer)) as target:
        assert refused(target) == code


def test_a_server_without_tls_is_no_trusted_target() -> None:
    with served(lambda connection, _over: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n"), scheme="https") as target:
        assert refused(target) == "tls"


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    target = Target(TargetUrl("http", "hooks.example", port, "/"), (ip_address("127.0.0.1"),))
    assert refused(target) == "unreachable"
