"""One POST to an address that was judged before: bounded in time and bytes, without redirects, proxies or cookies.

The connection is made by `connecting`. Of the answer nothing but the status is used.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Final

from exchange.services.outbound import Target, TargetUrl
from exchange.sync.connecting import (
    JudgedConnection,
    PeerUnreachableError,
    connect,
    cut_at,
    failure_of,
    shake_hands,
)

__all__ = ["PeerUnreachableError", "post"]

DEADLINE_S: Final = 15.0
"""For one delivery from its first packet to the answer: meanwhile the worker serves nobody else."""

MAX_RESPONSE_BYTES: Final = 16 * 1024


def post(target: Target, body: bytes, headers: Mapping[str, str], *, deadline_s: float = DEADLINE_S) -> int:
    """Post and answer with the HTTP status, whatever it is.

    Raises:
        PeerUnreachableError: no connection, no trusted TLS, no answer within `deadline_s`, or none that is HTTP.
    """
    ends_at = time.monotonic() + deadline_s
    with _connected(target, ends_at) as connection:
        try:
            return _exchange(connection, target.url, body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise failure_of(error, ends_at) from None


@contextmanager
def _connected(target: Target, ends_at: float) -> Iterator[socket.socket]:
    """A connection, with TLS where the URL says so, that is cut when the time is over."""
    sock = connect(target, _tls() if target.url.scheme == "https" else None, ends_at)
    try:
        with cut_at(sock, ends_at):
            shake_hands(sock, ends_at)
            yield sock
    finally:
        sock.close()


def _exchange(sock: socket.socket, url: TargetUrl, body: bytes, headers: Mapping[str, str]) -> int:
    connection = JudgedConnection(url, sock)
    fixed = {"Host": url.authority, "Content-Length": str(len(body)), "Connection": "close"}
    connection.putrequest("POST", url.path, skip_host=True, skip_accept_encoding=True)
    for name, value in {**fixed, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    # Read a little, so that a receiver that still writes its answer sees no broken connection.
    with suppress(OSError, http.client.HTTPException):
        response.read(MAX_RESPONSE_BYTES)
    return response.status


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
