"""Ports that the stack chooses."""

import socket

import pytest

from exchange.stack import StackError, free_port, port_is_free, ports


def test_free_port_is_outside_the_ephemeral_range_and_can_be_bound() -> None:
    for _ in range(50):
        port = free_port()
        assert 1024 < port < 32768
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", port))


def test_preferred_port_is_returned_when_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  that it is taken everywhere is the case
def test_preferred_port_that_somebody_listens_on_is_not_returned(address: str) -> None:
    port = free_port()
    with socket.socket() as sock:
        sock.bind((address, port))
        sock.listen()
        assert not port_is_free(port)
        assert free_port(port) != port
    assert port_is_free(port)


@pytest.mark.parametrize("port", [32768, 45000, 60999])
def test_preferred_port_in_the_ephemeral_range_is_not_returned(port: int) -> None:
    assert free_port(port) not in range(32768, 61000)


def test_no_free_port_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        taken = sock.getsockname()[1]
        monkeypatch.setattr(ports, "CANDIDATE_PORTS", range(taken, taken + 1))
        monkeypatch.setattr(ports, "MAX_ATTEMPTS", 1)
        with pytest.raises(StackError, match=r"^no free port on 127\.0\.0\.1"):
            free_port()
