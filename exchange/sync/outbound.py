"""One POST to an address that was judged before: bounded in time and bytes, without redirects, proxies or cookies.

The connection goes to an address of the target and nothing is resolved here; the name is that of the URL in Host, in
SNI and in the certificate. Of the answer nothing but the status is used.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from threading import Timer
from typing import Final

from exchange.services.errors import ExchangeError
from exchange.services.outbound import Target, TargetUrl
from exchange.services.outbound.addresses import Address

CONNECT_TIMEOUT_S: Final = 5.0
DEADLINE_S: Final = 15.0
"""For one delivery from its first packet to the answer: meanwhile the worker serves nobody else."""

MAX_RESPONSE_BYTES: Final = 16 * 1024


class PeerUnreachableError(ExchangeError):
    """No answer of the target; `code` says what went wrong, and nothing of what the target said."""

    default_code = "unreachable"


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
            raise _failed(error, ends_at) from None


@contextmanager
def _connected(target: Target, ends_at: float) -> Iterator[socket.socket]:
    """A connection, with TLS where the URL says so, that is cut when the time is over."""
    sock = _connect(target.addresses, target.url.port, ends_at)
    if target.url.scheme == "https":
        sock = _with_tls(sock, target.url.host, ends_at)
    # A receiver that sends a byte now and then would renew every timeout of single reads.
    timer = Timer(max(ends_at - time.monotonic(), 0.0), _cut, (sock,))
    timer.start()
    try:
        if isinstance(sock, ssl.SSLSocket):
            _shake_hands(sock, ends_at)
        yield sock
    finally:
        timer.cancel()
        sock.close()


def _connect(addresses: tuple[Address, ...], port: int, ends_at: float) -> socket.socket:
    for address in addresses:
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(max(min(CONNECT_TIMEOUT_S, ends_at - time.monotonic()), 0.001))
        try:
            # connect() of an address in numbers resolves nothing.
            sock.connect((str(address), port))
        except OSError:
            sock.close()
            continue
        sock.settimeout(max(ends_at - time.monotonic(), 0.001))
        return sock
    raise PeerUnreachableError("the target cannot be reached", code="unreachable")


def _with_tls(raw: socket.socket, host: str, ends_at: float) -> ssl.SSLSocket:
    try:
        return _tls().wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
    except OSError as error:
        raw.close()
        raise _failed(error, ends_at) from None


def _shake_hands(sock: ssl.SSLSocket, ends_at: float) -> None:
    try:
        sock.do_handshake()
    except OSError as error:
        raise _failed(error, ends_at) from None


def _exchange(sock: socket.socket, url: TargetUrl, body: bytes, headers: Mapping[str, str]) -> int:
    connection = http.client.HTTPConnection(url.host, url.port)
    connection.sock = sock
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


def _cut(sock: socket.socket) -> None:
    # The plain socket's own shutdown: that of TLS would touch what another thread is using.
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _failed(error: Exception, ends_at: float) -> PeerUnreachableError:
    """What went wrong, in words of ours: what the library says may quote the target's answer."""
    if isinstance(error, TimeoutError) or time.monotonic() >= ends_at:
        return PeerUnreachableError("the target did not answer in time", code="timeout")
    if isinstance(error, ssl.SSLError):
        return PeerUnreachableError("no trusted TLS connection", code="tls")
    if isinstance(error, OSError):
        return PeerUnreachableError("the connection broke off", code="broken-off")
    return PeerUnreachableError("the answer is not HTTP", code="not-http")
