"""Probes against servers that are not there, not ready or not what they should be."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from exchange.stack import free_port
from exchange.stack.wire import postgres_accepts, valkey_answers


@contextmanager
def server_saying(answer: bytes) -> Iterator[int]:
    """A server that reads once, says ``answer`` to its first caller and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_nobody_listening_is_not_ready() -> None:
    assert not postgres_accepts(free_port(), "somebody")
    assert not valkey_answers(free_port(), "secret")


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (b"R\x00\x00\x00\x17\x00\x00\x00\nSCRAM-SHA-256\x00\x00", True),
        (b"E\x00\x00\x00\x20SFATAL\x00C57P03\x00", False),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"", False),
    ],
    ids=["asks for a password", "is starting up", "speaks HTTP", "hangs up"],
)
def test_postgres_is_ready_only_when_it_asks_for_a_password(answer: bytes, ready: bool) -> None:
    with server_saying(answer) as port:
        assert postgres_accepts(port, "somebody") is ready


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (b"+OK\r\n+PONG\r\n", True),
        (b"-WRONGPASS invalid username-password pair\r\n-NOAUTH Authentication required.\r\n", False),
        (b"+OK\r\n-LOADING Valkey is loading the dataset in memory\r\n", False),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"", False),
    ],
    ids=["answers", "refuses the password", "is loading", "speaks HTTP", "hangs up"],
)
def test_valkey_is_ready_only_when_it_takes_the_password_and_answers(answer: bytes, ready: bool) -> None:
    with server_saying(answer) as port:
        assert valkey_answers(port, "secret") is ready
