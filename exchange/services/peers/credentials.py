"""What the node shows a peer to be let in: sealed at rest, and opened as a value that shows nothing of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import orjson
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from exchange.models import Peer
from exchange.services.errors import InvalidRequestError, NotReadyError
from exchange.services.sealing import seal, unseal

MAX_SECRET_CHARS: Final = 20_000
"""A certificate chain with its key has some 10,000."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of a kind, with the secrets of that kind alone. Its repr names the kind and nothing else.

    basic: username and password. bearer: token. certificate: the chain and its unencrypted key, both in PEM.
    """

    kind: Peer.Credentials = Peer.Credentials.NONE
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)

    def check(self) -> None:
        """Refuse what is incomplete, or could not be sent.

        Raises:
            InvalidRequestError: without a word of what it holds.
        """
        given = {name: getattr(self, name) for name in _SECRETS if getattr(self, name)}
        if set(given) != set(_NEEDED[self.kind]):
            wanted = " and ".join(_NEEDED[self.kind]) or "no secrets"
            raise InvalidRequestError(f"credentials of the kind {self.kind} have {wanted}", pointer="/credentials")
        if any(len(text) > MAX_SECRET_CHARS or "\0" in text for text in given.values()):
            raise InvalidRequestError("a secret is too long, or no text", pointer="/credentials")
        if any("\r" in text or "\n" in text for text in (self.username, self.password, self.token)):
            raise InvalidRequestError("what goes into a header has no line breaks", pointer="/credentials")
        if ":" in self.username:
            raise InvalidRequestError("a user name has no colon (RFC 7617)", pointer="/credentials")
        if self.kind == Peer.Credentials.CERTIFICATE:
            _check_pair(self.certificate, self.key)


_SECRETS: Final = ("username", "password", "token", "certificate", "key")
_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "none": (),
    "basic": ("username", "password"),
    "bearer": ("token",),
    "certificate": ("certificate", "key"),
}


def seal_credentials(credentials: Credentials, *, slug: str) -> bytes | None:
    """The secrets as they are kept; they name the peer that they are for, so that no other row opens them."""
    if credentials.kind == Peer.Credentials.NONE:
        return None
    secrets = {name: getattr(credentials, name) for name in _NEEDED[credentials.kind]}
    return seal(orjson.dumps({"peer": slug, "kind": str(credentials.kind), **secrets}))


def open_credentials(peer: Peer) -> Credentials:
    """The credentials of a peer.

    Raises:
        NotReadyError: no value of SEALING_KEYS opens them, or they were sealed for another peer.
    """
    if peer.credentials == Peer.Credentials.NONE:
        return Credentials()
    held = orjson.loads(unseal(bytes(peer.sealed or b"")))
    if (held.pop("peer"), held.pop("kind")) != (peer.lab.slug, peer.credentials):
        raise NotReadyError("the sealed credentials belong to another peer", code="sealing")
    return Credentials(kind=Peer.Credentials(peer.credentials), **held)


def check_authorities(pem: str) -> None:
    """Raises: InvalidRequestError: not one or more certificates in PEM."""
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise InvalidRequestError("the authorities are no certificates in PEM", pointer="/authorities") from None


def _check_pair(certificate: str, key: str) -> None:
    try:
        chain = x509.load_pem_x509_certificates(certificate.encode())
        public = load_pem_private_key(key.encode(), password=None).public_key()
    except (ValueError, TypeError):
        raise InvalidRequestError(
            "a client certificate and its unencrypted key are in PEM", pointer="/credentials"
        ) from None
    if chain[0].public_key() != public:
        raise InvalidRequestError("the key belongs to another certificate", pointer="/credentials")
