"""Which names of a pinned certificate are the host's."""

from __future__ import annotations

import pytest

from exchange.sync.peers.tls import _is_named, _names_of


@pytest.mark.parametrize(
    ("host", "name", "is_named"),
    [
        ("peer.example", "peer.example", True),
        ("peer.example", "PEER.example", True),
        ("taxii.peer.example", "*.peer.example", True),
        ("peer.example", "*.peer.example", False),
        ("a.b.peer.example", "*.peer.example", False),
        ("peer.example", "peer.example.org", False),
        ("peer.example", "p*.example", False),
        ("peer.example", "*", False),
        ("localhost", "*.", False),
        ("192.0.2.1", "192.0.2.1", True),
    ],
)
def test_a_host_has_its_own_name_or_a_wildcard_for_its_first_label(host: str, name: str, is_named: bool) -> None:
    assert _is_named(host, name) is is_named


def test_what_is_no_certificate_names_nobody() -> None:
    assert _names_of(b"") == []
    assert _names_of(b"\x30\x00") == []
