"""Rate limits at the doors: which bucket a request draws from and what it costs. services/limiting.py counts.

A request is counted when it is known who asks and before anything else is done for it. Tokens have buckets of their
own, whatever their address; what no token explains is counted for the source address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from exchange.http.sources import source_address
from exchange.services.limiting import Allowance, Bucket, owe, seconds, take
from exchange.services.principals import Principal
from exchange.services.rates import (
    ANONYMOUS,
    MAX_UNITS,
    PUBLISH,
    READ,
    REFUSED,
    REQUEST_UNITS,
    TOKEN_KINDS,
    UNIT_BYTES,
    parse_rates,
)

IPV6_SITE_BITS: Final = 64
"""What one customer of a provider has at least: single addresses of it are free to choose."""

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ALLOWANCE: Final = "_commonwatch_allowance"
_PAID_BYTES: Final = "_commonwatch_paid_bytes"


def limit_anonymous(request: HttpRequest) -> None:
    """Count a request without credentials. Raises: RateLimitedError."""
    if settings.RATE_LIMITS:
        bucket = Bucket(ANONYMOUS, site_of(request), settings.RATE_LIMITS[ANONYMOUS])
        setattr(request, _ALLOWANCE, take(bucket, 1))


def limit_refused(request: HttpRequest) -> None:
    """Count credentials that opened nothing. Raises: RateLimitedError."""
    if settings.RATE_LIMITS:
        take(_guard_of(request), 1)


def limit_member(request: HttpRequest, principal: Principal) -> None:
    """Count a request of a token. Raises: RateLimitedError."""
    if not settings.RATE_LIMITS:
        return
    kind, units = (READ, 1) if request.method in _READS else (PUBLISH, REQUEST_UNITS)
    if kind == PUBLISH:
        announced = _announced_bytes(request)
        units += units_of(announced)
        setattr(request, _PAID_BYTES, announced)
    own = parse_rates(principal.bounds.get("rates", ""), TOKEN_KINDS)
    bucket = Bucket(kind, principal.token_prefix, own.get(kind) or settings.RATE_LIMITS[kind])
    setattr(request, _ALLOWANCE, take(bucket, units, guard=_guard_of(request)))


def charge_body(request: HttpRequest, received_bytes: int) -> None:
    """Count what a body turned out to be beyond what was announced: it came in chunks, or inflated."""
    allowance, paid_bytes = getattr(request, _ALLOWANCE, None), getattr(request, _PAID_BYTES, None)
    if isinstance(allowance, Allowance) and paid_bytes is not None and received_bytes > paid_bytes:
        owe(allowance.bucket, units_of(received_bytes) - units_of(paid_bytes) or 1)
        setattr(request, _PAID_BYTES, received_bytes)


def units_of(body_bytes: int) -> int:
    """What a body costs."""
    return min(-(-body_bytes // UNIT_BYTES), MAX_UNITS)


def site_of(request: HttpRequest) -> str:
    """The source address, or the network of a site where addresses are free to choose."""
    text = source_address(request)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), IPV6_SITE_BITS), strict=False))
    return text


class RateLimitFields:
    """Middleware that says what is left: RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        allowance = getattr(request, _ALLOWANCE, None)
        if isinstance(allowance, Allowance):
            bucket = allowance.bucket
            window_s = max(1, seconds(bucket.rate.burst_us))
            response["RateLimit-Policy"] = f'"{bucket.kind}";q={bucket.rate.burst};w={window_s}'
            response["RateLimit"] = f'"{bucket.kind}";r={allowance.left};t={allowance.full_in_s}'
        return response


def _guard_of(request: HttpRequest) -> Bucket:
    return Bucket(REFUSED, site_of(request), settings.RATE_LIMITS[REFUSED])


def _announced_bytes(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
