"""One connection to a peer, and requests over it one after another; TLS is judged before any request is sent."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from exchange.services.outbound import Target, TargetUrl
from exchange.sync.connecting import (
    JudgedConnection,
    PeerUnreachableError,
    connect,
    cut_at,
    failure_of,
    remaining_s,
    shake_hands,
)
from exchange.sync.peers.errors import PeerError, PeerFault
from exchange.sync.peers.limits import Limits
from exchange.sync.peers.reading import BodyCodingError, BodyTooLargeError, read_body
from exchange.sync.peers.tls import Security

MAX_REFUSAL_BYTES: Final = 64 * 1024
"""Of the body of a refusal, of which a title is all that is used."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, before it is known over which connection it goes."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by their names in lower case, and the body without its content coding; after a status that is no
    success the body may be missing."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class Line:
    """A connection to one judged address. It serves one request at a time."""

    def __init__(self, target: Target, security: Security, limits: Limits, ends_at: float) -> None:
        """Connect, to the end of the handshake. ends_at: on the monotonic clock. Raises: PeerError."""
        self._limits = limits
        is_secure = target.url.scheme == "https"
        with _told_apart(ends_at):
            sock = connect(target, security.context if is_secure else None, ends_at, connect_s=limits.connect_s)
        self._connection = JudgedConnection(target.url, sock)
        try:
            with _told_apart(ends_at), cut_at(sock, ends_at):
                sock.settimeout(remaining_s(ends_at, limits.read_s))
                shake_hands(sock, ends_at)
                if isinstance(sock, ssl.SSLSocket):
                    security.check(sock, target.url.host)
                self._address = ip_address(sock.getpeername()[0])
        except BaseException:
            self.close()
            raise
        self._url = target.url

    def leads_to(self, target: Target) -> bool:
        """Whether this is still a connection for that target, as it is judged now."""
        ours, theirs = self._url, target.url
        return (
            self._connection.sock is not None
            and (ours.scheme, ours.host, ours.port) == (theirs.scheme, theirs.host, theirs.port)
            and self._address in target.addresses
        )

    def ask(self, call: Call, url: TargetUrl, headers: Mapping[str, str], ends_at: float) -> Answer:
        """Send one request and read its answer whole. headers: all but Host and Content-Length.

        Raises: PeerError: whatever keeps an answer from being read; a refusal is an answer. The line is closed then.
        """
        try:
            with _told_apart(ends_at), cut_at(self._connection.sock, ends_at):
                return self._exchange(call, url, headers, ends_at)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def _exchange(self, call: Call, url: TargetUrl, headers: Mapping[str, str], ends_at: float) -> Answer:
        # Of a plain socket the timeout holds for all that is sent together, and an envelope may be large.
        self._connection.sock.settimeout(remaining_s(ends_at))
        self._send(call, url, headers)
        self._connection.sock.settimeout(remaining_s(ends_at, self._limits.read_s))
        response = self._connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, named, self._body_of(response))
        # http.client takes an end among the headers for their end. Every answer but that to a DELETE has a body.
        if answer.is_success and not answer.body and response.length is None and call.method != "DELETE":
            raise http.client.IncompleteRead(b"")
        # Our own cut at the deadline looks like the end of a body of unknown length.
        if time.monotonic() >= ends_at:
            raise TimeoutError
        if response.will_close or not response.isclosed():
            self.close()
        return answer

    def _send(self, call: Call, url: TargetUrl, headers: Mapping[str, str]) -> None:
        sized = {} if call.method == "GET" else {"Content-Length": str(len(call.body))}
        self._connection.putrequest(call.method, url.path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": url.authority, **sized, **headers}.items():
            self._connection.putheader(name, value)
        # A peer that refuses a body before its end closes the connection; its answer, if there is one, says why.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.endheaders(call.body or None)

    def _body_of(self, response: http.client.HTTPResponse) -> bytes:
        if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            return read_body(response, self._limits.max_body_bytes)
        try:
            return read_body(response, MAX_REFUSAL_BYTES)
        except (BodyTooLargeError, BodyCodingError, http.client.HTTPException, OSError):
            return b""  # the status has said it already


@contextmanager
def _told_apart(ends_at: float) -> Iterator[None]:
    """What goes wrong inside, in words of ours. Raises: PeerError."""
    try:
        yield
    except PeerUnreachableError as error:
        raise _peer_error(error) from None
    except BodyTooLargeError:
        raise PeerError(PeerFault.TOO_LARGE, "the answer is larger than what is read of one") from None
    except BodyCodingError:
        raise PeerError(PeerFault.MALFORMED, "the answer comes in a content coding that was not asked for") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        if _is_early_end(error) and time.monotonic() < ends_at:
            raise PeerError(PeerFault.BROKEN_OFF, "the answer ended before its end") from None
        raise _peer_error(failure_of(error, ends_at)) from None


def _is_early_end(error: Exception) -> bool:
    """In the body, or in the first line, which is a line only with its end."""
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, OSError):
        return not str(error.args[0]).endswith("\n")
    return isinstance(error, http.client.IncompleteRead)


def _peer_error(error: PeerUnreachableError) -> PeerError:
    fault = PeerFault.MALFORMED if error.code == "not-http" else PeerFault(error.code)
    return PeerError(fault, error.detail)
