"""Ports of quickstart."""

import socket
from collections.abc import Iterator

import pytest

from exchange.quickstart.errors import QuickstartError
from exchange.quickstart.options import ChosenPort, choose_port
from exchange.stack import free_port


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", free_port()))
        sock.listen()
        yield sock.getsockname()[1]


def test_default_port_that_is_taken_gives_the_next_free_one(taken_port: int) -> None:
    chosen = choose_port(None, default=taken_port)
    assert chosen.instead_of == taken_port
    assert taken_port < chosen.number < taken_port + 100


def test_free_default_port_is_taken_as_it_is() -> None:
    port = free_port()
    assert choose_port(None, default=port) == ChosenPort(port)


def test_asked_for_port_that_is_taken_is_refused_by_number(taken_port: int) -> None:
    with pytest.raises(QuickstartError, match=f"port {taken_port} is taken"):
        choose_port(taken_port)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(QuickstartError, match="is no port"):
        choose_port(port)


def test_exchanges_of_one_start_get_ports_of_their_own() -> None:
    port = free_port()
    assert choose_port(None, default=port, chosen=[port]).number > port
    with pytest.raises(QuickstartError, match=f"port {port} is taken; choose another with --peer-port"):
        choose_port(port, option="--peer-port", chosen=[port])
