"""One request to a peer, from its URL to an answer that is a success: judged, connected, redirected, repeated.

Every URL, that of a redirect too, is judged anew, and only what was judged is connected to; what authenticates this
node goes to the peer's own origin and nowhere else. Redirects are followed for reading alone: what is posted or deleted
was meant for this peer. No proxy, cookie or netrc is known here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urldefrag, urljoin

from exchange.services.outbound import (
    Target,
    TargetRefusedError,
    TargetUnresolvedError,
    TargetUrl,
    parse_target,
    resolve_target,
)
from exchange.sync.peers.access import Access, NoCredentials, authorization
from exchange.sync.peers.errors import PeerError, PeerFault
from exchange.sync.peers.limits import Limits
from exchange.sync.peers.lines import Answer, Call, Line
from exchange.sync.peers.refusals import refusal
from exchange.sync.peers.retrying import pause_s
from exchange.sync.peers.tls import Security

MAX_LOCATION_CHARS: Final = 8_192

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class Transport:
    """The way to one peer. It keeps one connection open between requests; used by one thread."""

    def __init__(self, access: Access, limits: Limits) -> None:
        """Raises: PeerError: `target-refused` for a URL that is none, `tls` for unreadable certificates or keys."""
        self._limits = limits
        try:
            self._origin = _origin_of(parse_target(access.url))
        except TargetRefusedError as error:
            raise PeerError(PeerFault.TARGET_REFUSED, error.detail) from None
        self._authorization = authorization(access.credentials)
        self._own = Security(access.trust, access.credentials)
        self._foreign = Security(access.trust, NoCredentials())
        self._line: Line | None = None

    def ask(self, call: Call) -> Answer:
        """The peer's answer, a success. Raises: PeerError: whatever else there is; says where."""
        ends_at = time.monotonic() + self._limits.deadline_s
        attempt = 1
        while True:
            try:
                return self._follow(call, ends_at)
            except PeerError as error:
                pause = pause_s(error, attempt, self._limits)
                if pause is None or time.monotonic() + pause >= ends_at:
                    raise _located(error, call.url) from None
            time.sleep(pause)
            attempt += 1

    def close(self) -> None:
        """End the connection, if one is open."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _follow(self, call: Call, ends_at: float) -> Answer:
        """The success at the end of all redirects."""
        url = call.url
        for _ in range(self._limits.max_redirects + 1):
            answer = self._ask_once(call, _judged(url), ends_at)
            if answer.is_success:
                return answer
            if answer.status not in _REDIRECTS:
                raise refusal(answer)
            url = _redirected(call, url, answer.headers)
        raise PeerError(PeerFault.REDIRECTED, f"more than {self._limits.max_redirects} redirects")

    def _ask_once(self, call: Call, target: Target, ends_at: float) -> Answer:
        if _origin_of(target.url) != self._origin:
            line = Line(target, self._foreign, self._limits, ends_at)
            try:
                return line.ask(call, target.url, call.headers, ends_at)
            finally:
                line.close()
        headers = {**call.headers, **self._authorization}
        if self._line is not None and self._line.leads_to(target):
            try:
                return self._line.ask(call, target.url, headers, ends_at)
            except PeerError as error:
                # A peer may close what was idle at any time: that is no failure of this request.
                if error.fault is not PeerFault.BROKEN_OFF:
                    raise
        self.close()
        self._line = Line(target, self._own, self._limits, ends_at)
        return self._line.ask(call, target.url, headers, ends_at)


def _judged(url: str) -> Target:
    """The target of a URL. Its query is not judged, which may be longer than what a member names."""
    place, mark, query = url.partition("?")
    try:
        target = resolve_target(place)
    except TargetUnresolvedError as error:
        raise PeerError(PeerFault.UNRESOLVED, error.detail) from None
    except TargetRefusedError as error:
        raise PeerError(PeerFault.TARGET_REFUSED, error.detail) from None
    return replace(target, url=replace(target.url, path=target.url.path + mark + query))


def _redirected(call: Call, url: str, headers: Mapping[str, str]) -> str:
    """Where a redirect leads to."""
    location = headers.get("location", "")
    if call.method != "GET" or not location or len(location) > MAX_LOCATION_CHARS:
        raise PeerError(PeerFault.REDIRECTED, f"a redirect of {call.method} is not followed")
    try:
        following = urldefrag(urljoin(url, location)).url
    except ValueError:
        raise PeerError(PeerFault.REDIRECTED, "a redirect to what is no URL") from None
    if url.startswith("https:") and not following.startswith("https:"):
        raise PeerError(PeerFault.REDIRECTED, "a redirect out of https")
    return following


def _origin_of(url: TargetUrl) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port


def _located(error: PeerError, url: str) -> PeerError:
    """The same error with the place; a query is left out, which may hold what the peer said."""
    detail = f"{error.detail}, at {url.partition('?')[0]}"
    return PeerError(error.fault, detail, status=error.status, retry_after_s=error.retry_after_s)
