"""From the address that a member names to the addresses that the node may connect to.

A name is resolved once, every address is judged, and the caller connects to one of those: a name server that answers
otherwise a moment later changes nothing. Whether an internal name exists is not told: it is refused like no name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from exchange.services.errors import InvalidRequestError
from exchange.services.outbound.addresses import Address, is_public
from exchange.services.outbound.hosts import is_allowed_host
from exchange.services.outbound.names import canonical_host
from exchange.services.outbound.resolving import resolve

MAX_URL_CHARS: Final = 2_000
MAX_ADDRESSES: Final = 4
"""Tried one after another, within one deadline."""

HTTPS_PORT: Final = 443
LOWEST_FREE_PORT: Final = 1_024
"""Below it live services that are no web servers: a member must not make the node knock there."""

_DEFAULT_PORTS: Final = {"https": HTTPS_PORT, "http": 80}


class TargetRefusedError(InvalidRequestError):
    """The node does not connect to this target."""

    default_code = "target"


class TargetUnresolvedError(TargetRefusedError):
    """The name leads to no public address, now: it may have none, or others."""

    default_code = "target-not-public"


@dataclass(frozen=True, slots=True)
class TargetUrl:
    """A URL taken apart. `host` is canonical; `path` holds the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """A target that the node may connect to, at these addresses and no others."""

    url: TargetUrl
    addresses: tuple[Address, ...]


def parse_target(url: str) -> TargetUrl:
    """The parts of an http or https URL.

    Raises:
        TargetRefusedError: anything else, or with credentials, a fragment, or what parsers read in different ways.
    """
    if len(url) > MAX_URL_CHARS or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>^`{|}'):
        raise _refused(f"a target is a URL of at most {MAX_URL_CHARS} printable ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("the target is no URL") from None
    if parts.scheme not in _DEFAULT_PORTS or not url.lower().startswith(f"{parts.scheme}://"):
        raise _refused("a target begins with https://")
    if "@" in parts.netloc or "#" in url:
        raise _refused("a target has no user name, password or fragment")
    host = canonical_host(parts.hostname or "")
    if host is None or port == 0:
        raise _refused("the target names no host")
    return TargetUrl(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], _path_of(parts))


def check_target(url: str) -> TargetUrl:
    """The parts of a URL that a member may name, by its form alone; nothing is resolved.

    Raises:
        TargetRefusedError: as `parse_target`; or plain http, or another service's port, at a host not allowed by name.
    """
    return _checked(url)[0]


def resolve_target(url: str) -> Target:
    """The addresses that the node may connect to for this URL, at this moment.

    Raises:
        TargetRefusedError: as `check_target`. TargetUnresolvedError: the name has no address, or one that is not
            public, and no operator allows the host.
    """
    target, is_allowed = _checked(url)
    addresses = resolve(target.host, target.port)
    if not addresses or not (is_allowed or all(map(is_public, addresses))):
        raise TargetUnresolvedError("the host does not lead to public addresses", pointer="/url")
    return Target(target, addresses[:MAX_ADDRESSES])


def _checked(url: str) -> tuple[TargetUrl, bool]:
    """The parts of a URL, and whether an operator allows its host."""
    target = parse_target(url)
    is_allowed = is_allowed_host(target.host)
    if not is_allowed:
        _require_public_form(target)
    return target, is_allowed


def _require_public_form(target: TargetUrl) -> None:
    if target.scheme != "https":
        raise _refused("a target begins with https://")
    if target.port != HTTPS_PORT and target.port < LOWEST_FREE_PORT:
        raise _refused(f"the port of a target is {HTTPS_PORT}, or {LOWEST_FREE_PORT} and above")


def _path_of(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _refused(detail: str) -> TargetRefusedError:
    return TargetRefusedError(detail, pointer="/url")
