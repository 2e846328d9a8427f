"""Where a request comes from: the peer of the connection, or the client that a trusted reverse proxy names.

A client may write any X-Forwarded-For; only what trusted proxies appended to it counts, so it is read from its end.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_HOPS: Final = 16
"""More proxies in a row than any node has."""


def source_address(request: HttpRequest) -> str:
    """The address of the rightmost hop that is not in `settings.TRUSTED_PROXIES`; "" if the peer has none.

    The peer itself where it is not trusted, or where a hop on the way to the client is no address.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    found = _address(peer)
    if found is None or not _is_trusted(found):
        return peer
    hops = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rsplit(",", MAX_HOPS)
    for hop in reversed(hops[-MAX_HOPS:]):
        found = _address(hop.strip(" \t"))
        if found is None:
            return peer
        if not _is_trusted(found):
            return str(found)
    return peer


def _address(text: str) -> Address | None:
    """An address without port, brackets or zone; IPv4 where a socket of both families shows it inside IPv6."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)
