"""How a peer is reached: the URL of its API root, what this node shows there, and what it takes for the peer.

Values alone. A secret stands in no `repr`, and what cannot be sent is refused here, before any connection.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Final

from exchange.services.errors import InvalidRequestError

MAX_SECRET_CHARS: Final = 8_192
"""The largest bearer tokens in use, signed ones with claims, have some thousand."""

_BEARER: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750 section 2.1."""

_SHA256_HEX: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class NoCredentials:
    """The peer lets everybody read."""


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """RFC 7617, in UTF-8. Raises: InvalidRequestError: a name with a colon, or characters of control."""

    username: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        both = self.username + self.password
        if not self.username or ":" in self.username or len(both) > MAX_SECRET_CHARS or not both.isprintable():
            raise InvalidRequestError("a user name has no colon, and neither has characters of control")


@dataclass(frozen=True, slots=True)
class BearerCredentials:
    """RFC 6750. Raises: InvalidRequestError: no token by its form."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.token) > MAX_SECRET_CHARS or _BEARER.fullmatch(self.token) is None:
            raise InvalidRequestError("a bearer token has letters, digits and -._~+/ alone")


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate (with its chain) and its key, unencrypted, both in PEM. They are read when the peer is reached."""

    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SystemTrust:
    """The authorities that the system trusts."""


@dataclass(frozen=True, slots=True)
class OwnAuthorities:
    """These authorities and no others, in PEM."""

    pem: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PinnedCertificate:
    """One certificate, by the SHA-256 of its DER in hexadecimal digits (colons allowed); who signed it is not asked.

    It must name the host all the same. Raises: InvalidRequestError: no such digest.
    """

    sha256: str

    def __post_init__(self) -> None:
        digest = self.sha256.replace(":", "").lower()
        if _SHA256_HEX.fullmatch(digest) is None:
            raise InvalidRequestError("a pin is the SHA-256 of a certificate in 64 hexadecimal digits")
        object.__setattr__(self, "sha256", digest)


Credentials = NoCredentials | BasicCredentials | BearerCredentials | ClientCertificate
Trust = SystemTrust | OwnAuthorities | PinnedCertificate


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach one API root of a peer. `url` is the root's own, such as https://peer.example/exchange/."""

    url: str
    credentials: Credentials = field(default_factory=NoCredentials)
    trust: Trust = field(default_factory=SystemTrust)


def authorization(credentials: Credentials) -> dict[str, str]:
    """The header that shows these credentials; none for those that are shown otherwise."""
    match credentials:
        case BasicCredentials(username, password):
            encoded = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
            return {"Authorization": f"Basic {encoded}"}
        case BearerCredentials(token):
            return {"Authorization": f"Bearer {token}"}
        case _:
            return {}
