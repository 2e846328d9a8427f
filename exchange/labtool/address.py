"""The address of a node: what may be talked to, and which parts of it stand where.

Plain HTTP is for this machine only, because tokens would cross the network in clear (TAXII 2.1 section 1.6.6).
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from exchange.labtool.errors import UsageError
from exchange.stix.errors import shown


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """Scheme, host and port of a node. `origin` has no path and no slash at its end."""

    origin: str
    is_loopback: bool

    @property
    def discovery_url(self) -> str:
        """TAXII 2.1 section 8.2.1: one discovery endpoint, at the root of the host."""
        return f"{self.origin}/taxii2/"

    def rest_url(self, path: str) -> str:
        """The REST address of `path`, which ends in a slash and begins with none."""
        return f"{self.origin}/api/v1/{path}"

    def has_origin_of(self, url: str) -> bool:
        """Whether `url` leads to this node and nowhere else: only there the token may go."""
        try:
            return parse_node_address(url, path_allowed=True).origin == self.origin
        except UsageError:
            return False


def parse_node_address(text: str, *, path_allowed: bool = False) -> NodeAddress:
    """Read `https://host[:port]` or, for loopback only, `http://host[:port]`.

    Raises: UsageError for another scheme, a user name or query in it, plain HTTP to another machine.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"not an address of a node: {shown(text)}") from None
    if parts.scheme not in ("https", "http") or not host:
        raise UsageError(f"not an address of a node (https://...): {shown(text)}")
    if parts.username is not None or parts.password is not None:
        raise UsageError("a node's address carries no user name or password; use --token-file")
    if not path_allowed and (parts.path not in ("", "/") or parts.query or parts.fragment):
        raise UsageError(f"a node's address has no path: {shown(text)}")
    is_loopback = _is_loopback(host)
    if parts.scheme == "http" and not is_loopback:
        raise UsageError(f"plain http only reaches this machine; use https for {shown(host)}")
    default_port = 443 if parts.scheme == "https" else 80
    name = f"[{host}]" if ":" in host else host
    suffix = "" if port in (None, default_port) else f":{port}"
    return NodeAddress(f"{parts.scheme}://{name}{suffix}", is_loopback)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
