"""A peer on loopback that an operator allows by name, and the way to it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from exchange.models import AllowedHost
from exchange.services.outbound import allow_host
from exchange.services.principals import OPERATOR
from exchange.sync.peers import Access, Limits, RemoteRoot
from tests.support.bad_peer import BadPeer, bad_peer
from tests.support.database import close_connections, empty_tables

QUICK = Limits(read_s=20.0, deadline_s=40.0, attempts=3, pause_s=0.01, max_pause_s=2.0)


class NameServer:
    """Stands for the resolver: each name leads to what is next in its list of answers, the last one for ever."""

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, *_hints: Any, **_named: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        known = self.answers.get(host, [host])
        address = known.pop(0) if len(known) > 1 else known[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in address.split()]


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[..., NameServer]:
    """Let names lead to addresses."""

    def name_server(**answers: str | list[str]) -> NameServer:
        lists = {f"{name}.example": each if isinstance(each, list) else [each] for name, each in answers.items()}
        server = NameServer(lists)
        monkeypatch.setattr(socket, "getaddrinfo", server)
        return server

    return name_server


@pytest.fixture(scope="module")
def emptied(_migrated: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Empty tables, for a module whose tests store nothing but which hosts are allowed."""
    with django_db_blocker.unblock():
        empty_tables()
        yield
        close_connections()


@pytest.fixture
def none_allowed(emptied: None) -> None:
    """No operator has allowed any host."""
    AllowedHost.objects.all().delete()


@pytest.fixture
def allowed(none_allowed: None) -> None:
    """The address of the tests' peers, and no other, allowed by an operator."""
    allow_host(actor=OPERATOR, host="127.0.0.1")


@pytest.fixture
def peer(allowed: None) -> Iterator[BadPeer]:
    with bad_peer() as started:
        yield started


@pytest.fixture
def root(peer: BadPeer) -> Iterator[RemoteRoot]:
    with RemoteRoot(Access(peer.url), limits=QUICK) as remote:
        yield remote
