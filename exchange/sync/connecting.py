"""Connections to addresses that were judged before: bounded in time, nothing resolved, no proxy, no certificate unread.

The name is that of the URL in SNI and in the certificate; the socket goes to an address of the target in numbers. What
is said over the connection is the caller's.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Final

from exchange.services.errors import ExchangeError
from exchange.services.outbound import Target, TargetUrl
from exchange.services.outbound.addresses import Address

CONNECT_TIMEOUT_S: Final = 5.0
"""For one address; a target may have several."""

_LEAST_TIMEOUT_S: Final = 0.001
"""A timeout of 0 would mean not to wait at all, and a negative one is an error."""


class PeerUnreachableError(ExchangeError):
    """No answer of the target; `code` says what went wrong, and nothing of what the target said."""

    default_code = "unreachable"


class JudgedConnection(http.client.HTTPConnection):
    """HTTP over a socket that is connected already; where there is none it never makes one, as its parent would."""

    def __init__(self, url: TargetUrl, sock: socket.socket) -> None:
        super().__init__(url.host, url.port)
        self.sock = sock

    def connect(self) -> None:
        """Raises: http.client.NotConnected: always; a name would be resolved here that nobody judged."""
        raise http.client.NotConnected


def connect(
    target: Target, tls: ssl.SSLContext | None, ends_at: float, *, connect_s: float = CONNECT_TIMEOUT_S
) -> socket.socket:
    """A socket to the first address of the target that answers, wrapped but not yet shaken hands on if `tls` is given.

    ends_at: on the monotonic clock. Raises: PeerUnreachableError.
    """
    for address in target.addresses:
        with suppress(OSError):
            sock = _dial(address, target.url.port, min(connect_s, ends_at - time.monotonic()))
            sock.settimeout(remaining_s(ends_at))
            return sock if tls is None else _wrapped(sock, tls, target.url.host)
    raise PeerUnreachableError("the target cannot be reached", code="unreachable")


@contextmanager
def cut_at(sock: socket.socket, ends_at: float) -> Iterator[None]:
    """Cut the connection if the block still runs at that time: a byte now and then renews every timeout of reads."""
    timer = Timer(max(ends_at - time.monotonic(), 0.0), _cut, (sock,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def shake_hands(sock: socket.socket, ends_at: float) -> None:
    """The handshake of TLS, where there is TLS.

    Raises: PeerUnreachableError: `tls` for a certificate that is not trusted, or no TLS; `timeout`; `broken-off`.
    """
    if not isinstance(sock, ssl.SSLSocket):
        return
    try:
        sock.do_handshake()
    except OSError as error:
        raise failure_of(error, ends_at) from None


def failure_of(error: Exception, ends_at: float) -> PeerUnreachableError:
    """What went wrong, in words of ours: what the library says may quote the target's answer."""
    if isinstance(error, TimeoutError) or time.monotonic() >= ends_at:
        return PeerUnreachableError("the target did not answer in time", code="timeout")
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return PeerUnreachableError("no trusted TLS connection", code="tls")
    if isinstance(error, OSError):
        return PeerUnreachableError("the connection broke off", code="broken-off")
    return PeerUnreachableError("the answer is not HTTP", code="not-http")


def remaining_s(ends_at: float, most_s: float = float("inf")) -> float:
    """Seconds until then, as a timeout of a socket."""
    return max(min(most_s, ends_at - time.monotonic()), _LEAST_TIMEOUT_S)


def _dial(address: Address, port: int, timeout_s: float) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(max(timeout_s, _LEAST_TIMEOUT_S))
    try:
        # connect() of an address in numbers resolves nothing.
        sock.connect((str(address), port))
    except OSError:
        sock.close()
        raise
    return sock


def _wrapped(raw: socket.socket, tls: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    try:
        return tls.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
    except OSError:
        raw.close()
        raise


def _cut(sock: socket.socket) -> None:
    # The plain socket's own shutdown: that of TLS would touch what another thread is using.
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
