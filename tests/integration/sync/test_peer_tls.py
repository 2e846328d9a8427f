"""TLS with a peer: whose certificate is the peer's, and the one that this node shows."""

from __future__ import annotations

import hashlib
import ssl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.services.outbound import allow_host
from exchange.services.principals import OPERATOR
from exchange.sync.peers import (
    Access,
    ClientCertificate,
    Credentials,
    NoCredentials,
    OwnAuthorities,
    PeerError,
    PeerFault,
    PinnedCertificate,
    RemoteRoot,
    SystemTrust,
    Trust,
)
from tests.integration.sync.conftest import QUICK
from tests.support.bad_peer import BadPeer, bad_peer, server_tls
from tests.support.certificates import make_certificate
from tests.support.misbehaving import redirect

HOST = "peer.example"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return make_certificate(tmp_path, HOST)


@pytest.fixture
def secure(allowed: None, named: Callable[..., Any], files: tuple[Path, Path]) -> Iterator[BadPeer]:
    """A peer behind TLS; two names lead to it, of which its certificate has one."""
    named(peer="127.0.0.1", other="127.0.0.1")
    for host in (HOST, "other.example"):
        allow_host(actor=OPERATOR, host=host)
    with bad_peer(server_tls(*files)) as started:
        yield started


@pytest.fixture
def client(tmp_path: Path) -> ClientCertificate:
    folder = tmp_path / "client"
    folder.mkdir()
    certificate, key = make_certificate(folder, "node.example")
    return ClientCertificate(certificate.read_bytes(), key.read_bytes())


def pin_of(files: tuple[Path, Path]) -> PinnedCertificate:
    der = ssl.PEM_cert_to_DER_cert(files[0].read_text())
    return PinnedCertificate(hashlib.sha256(der).hexdigest())


def describe(peer: BadPeer, trust: Trust, credentials: Credentials | None = None, *, host: str = HOST) -> str:
    """The title of the peer's root, or what asking for it comes to."""
    access = Access(peer.named(host), credentials or NoCredentials(), trust)
    try:
        with RemoteRoot(access, limits=QUICK) as root:
            return root.describe().title
    except PeerError as error:
        return error.code


def test_authorities_of_ones_own_are_trusted_for_the_name_in_the_url(secure: BadPeer, files: tuple[Path, Path]) -> None:
    own = OwnAuthorities(files[0].read_text())
    assert describe(secure, own) == "A peer"
    assert describe(secure, own, host="other.example") == "tls"
    assert len(secure.requests) == 1


def test_an_unknown_authority_is_not_trusted(secure: BadPeer) -> None:
    assert describe(secure, SystemTrust()) == "tls"
    assert not secure.requests


def test_the_authorities_of_the_system_are_trusted(
    secure: BadPeer, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    assert describe(secure, SystemTrust()) == "A peer"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files[1]))
    assert describe(secure, SystemTrust()) == "A peer"


def test_a_pinned_certificate_needs_no_chain_but_its_name(secure: BadPeer, files: tuple[Path, Path]) -> None:
    assert describe(secure, pin_of(files)) == "A peer"
    assert describe(secure, pin_of(files), host="other.example") == "tls"
    assert len(secure.requests) == 1


def test_another_certificate_than_the_pinned_one_gets_no_byte(
    secure: BadPeer, tmp_path: Path, client: ClientCertificate
) -> None:
    folder = tmp_path / "same-name"
    folder.mkdir()
    assert describe(secure, pin_of(make_certificate(folder, HOST)), client) == "tls"
    assert not secure.requests


def test_a_client_certificate_opens_a_peer_that_asks_for_one(
    allowed: None, named: Callable[..., Any], files: tuple[Path, Path], tmp_path: Path, client: ClientCertificate
) -> None:
    named(peer="127.0.0.1")
    allow_host(actor=OPERATOR, host=HOST)
    own = OwnAuthorities(files[0].read_text())
    with bad_peer(server_tls(*files, client_authority=tmp_path / "client" / "certificate.pem")) as peer:
        assert describe(peer, own, client) == "A peer"
        assert describe(peer, own) in ("tls", "broken-off")
        assert len(peer.requests) == 1


def test_a_client_certificate_is_shown_to_no_other_origin(
    secure: BadPeer, files: tuple[Path, Path], tmp_path: Path, client: ClientCertificate
) -> None:
    asking = server_tls(*files, client_authority=tmp_path / "client" / "certificate.pem")
    with bad_peer(asking) as other:
        secure.always = redirect(other.named(HOST))
        assert describe(secure, OwnAuthorities(files[0].read_text()), client) in ("tls", "broken-off")
        assert not other.requests


def test_a_redirect_out_of_https_is_not_followed(secure: BadPeer, peer: BadPeer, files: tuple[Path, Path]) -> None:
    secure.script = [redirect(peer.url)]
    assert describe(secure, OwnAuthorities(files[0].read_text())) == "redirected"
    assert not peer.requests


def test_no_file_of_the_key_is_left(
    allowed: None, client: ClientCertificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    modes: list[int] = []
    load = ssl.SSLContext.load_cert_chain

    def watched(self: ssl.SSLContext, path: str, **options: Any) -> None:
        modes.append(Path(path).stat().st_mode & 0o777)
        load(self, path, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    RemoteRoot(Access("https://peer.example/", client)).close()
    with pytest.raises(PeerError):
        RemoteRoot(Access("https://peer.example/", ClientCertificate(client.certificate, b"no key")))
    assert modes == [0o600, 0o600]
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "pem", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"]
)
def test_authorities_that_cannot_be_read_are_refused(pem: str) -> None:
    with pytest.raises(PeerError) as error:
        RemoteRoot(Access("https://peer.example/", trust=OwnAuthorities(pem)))
    assert error.value.fault is PeerFault.TLS


def test_a_peer_without_tls_is_no_peer(peer: BadPeer) -> None:
    url = peer.url.replace("http:", "https:")
    with RemoteRoot(Access(url), limits=QUICK) as root, pytest.raises(PeerError) as error:
        root.describe()
    assert error.value.fault is PeerFault.TLS
