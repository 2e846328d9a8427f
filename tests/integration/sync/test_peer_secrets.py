"""What authenticates this node is sent to the peer and shown nowhere else."""

from __future__ import annotations

import logging
import traceback

import pytest

from exchange.services.errors import InvalidRequestError
from exchange.sync.peers import (
    Access,
    BasicCredentials,
    BearerCredentials,
    ClientCertificate,
    Credentials,
    OwnAuthorities,
    PeerError,
    PinnedCertificate,
    RemoteRoot,
)
from tests.integration.sync.conftest import QUICK
from tests.support.bad_peer import ALIAS, BadPeer
from tests.support.misbehaving import hang_up, refuse, say

SECRET = "s3cret-of-this-node"
ENCODED = "bm9kZTpzM2NyZXQtb2YtdGhpcy1ub2Rl"

SHOWN: list[tuple[Credentials, str]] = [
    (BasicCredentials("node", SECRET), f"Basic {ENCODED}"),
    (BearerCredentials(SECRET), f"Bearer {SECRET}"),
]


@pytest.mark.parametrize(("credentials", "header"), SHOWN)
def test_credentials_are_sent(peer: BadPeer, credentials: Credentials, header: str) -> None:
    with RemoteRoot(Access(peer.url, credentials), limits=QUICK) as root:
        root.page(ALIAS, limit=1)
        root.post(ALIAS, b'{"objects":[]}')
    assert [asked.headers["authorization"] for asked in peer.requests] == [header] * 2


@pytest.mark.parametrize(("credentials", "_header"), SHOWN)
def test_neither_errors_nor_logs_hold_a_secret(
    peer: BadPeer, credentials: Credentials, _header: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    access = Access(peer.url, credentials)
    told = [repr(access), str(access)]
    for answering in (refuse(401), refuse(500), hang_up, say(b"not json"), refuse(406)):
        peer.script, peer.always = [], answering
        with RemoteRoot(access, limits=QUICK) as root:
            told.append(repr(root) + repr(vars(root)))
            with pytest.raises(PeerError) as error:
                root.page(ALIAS, limit=1)
        told += ["".join(traceback.format_exception(error.value)), repr(error.value), str(error.value)]
    told += [record.getMessage() for record in caplog.records]
    for text in told:
        assert SECRET not in text
        assert ENCODED not in text


def test_values_show_no_secret() -> None:
    values = [
        BasicCredentials("node", SECRET),
        BearerCredentials(SECRET),
        ClientCertificate(SECRET.encode(), SECRET.encode()),
        OwnAuthorities(SECRET),
    ]
    assert all(SECRET not in repr(each) + str(each) for each in values)
    assert "node" in repr(values[0])


@pytest.mark.parametrize("token", ["", "two words", "a\r\nX: y", "ünï", "x" * 10_000])
def test_a_token_that_is_no_header_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(InvalidRequestError) as error:
        BearerCredentials(token)
    assert not token or token not in error.value.detail


@pytest.mark.parametrize(("name", "password"), [("a:b", SECRET), ("", SECRET), ("a", "x\r\ny"), ("a\n", SECRET)])
def test_a_name_or_password_that_cannot_be_sent_is_refused(name: str, password: str) -> None:
    with pytest.raises(InvalidRequestError) as error:
        BasicCredentials(name, password)
    assert SECRET not in error.value.detail


@pytest.mark.parametrize("pin", ["", "ab", "g" * 64, "a" * 63, "a" * 65])
def test_a_pin_is_a_digest(pin: str) -> None:
    with pytest.raises(InvalidRequestError):
        PinnedCertificate(pin)


def test_a_pin_may_have_colons_and_capitals() -> None:
    assert PinnedCertificate(":".join(["AB"] * 32)) == PinnedCertificate("ab" * 32)
