"""One HTTP session for REST and TAXII: token, timeouts, retries, and a limit on what is read.

It follows no redirect, so the token goes to the node that was named and nowhere else. It does not know what
the bytes mean; it turns whatever requests and urllib3 raise into this package's errors.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import requests
from requests.auth import AuthBase
from requests.exceptions import ChunkedEncodingError, SSLError
from urllib3.exceptions import HTTPError

from exchange.labtool.errors import UnreachableError
from exchange.stix.errors import shown

USER_AGENT: Final = "commonwatch"
DEFAULT_TIMEOUT_S: Final = 30.0
# A page is at most some thousand objects of some kilobytes; a node that sends more is broken or hostile.
MAX_RESPONSE_BYTES: Final = 128 * 1024 * 1024
# A trickle of one byte per timeout would otherwise last for ever.
MAX_RESPONSE_S: Final = 600.0
# RFC 9110 section 15: these say "later", not "no".
RETRIED_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
ATTEMPTS: Final = 5
FIRST_PAUSE_S: Final = 0.5
MAX_PAUSE_S: Final = 30.0
# A budget of the day is spent: waiting would look like a node that hangs.
MAX_RETRY_AFTER_S: Final = 600


class OversizeError(UnreachableError):
    """The node sent more, or for longer, than a page can need."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost. `timeout_s` counts from byte to byte, `response_s` for the whole body."""

    timeout_s: float = DEFAULT_TIMEOUT_S
    response_bytes: int = MAX_RESPONSE_BYTES
    response_s: float = MAX_RESPONSE_S
    attempts: int = ATTEMPTS


class BearerToken(AuthBase):
    """Sends the token. Its repr does not show it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _NoToken(AuthBase):
    """Sends nothing: without it requests would look for a password in ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _LimitedBody:
    """Stands for `response.raw` and counts what comes out of it, after decompression."""

    def __init__(self, raw: Any, limits: Limits) -> None:
        self._raw = raw
        self._limits = limits

    def stream(self, size: int, decode_content: bool = True) -> Iterator[bytes]:
        read_bytes = 0
        deadline = time.monotonic() + self._limits.response_s
        for chunk in self._raw.stream(size, decode_content=decode_content):
            read_bytes += len(chunk)
            if read_bytes > self._limits.response_bytes:
                raise OversizeError(f"the node sent more than {self._limits.response_bytes} bytes")
            if time.monotonic() > deadline:
                raise OversizeError(f"the node took more than {self._limits.response_s:.0f} s for one answer")
            yield chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class BoundedSession(requests.Session):
    """A requests session whose every request is bounded and retried.

    Raises from every request: UnreachableError (which OversizeError is). A 4xx is returned, for the caller to read.
    """

    def __init__(
        self,
        *,
        token: str | None,
        limits: Limits,
        is_loopback: bool,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self.limits = limits
        self.auth = BearerToken(token) if token else _NoToken()
        # A proxy for the outside must not be handed what is meant for this machine.
        self.trust_env = not is_loopback
        self.headers["User-Agent"] = USER_AGENT
        self.hooks["response"].append(self._limit_body)
        self._last_response: requests.Response | None = None
        self._sleep = sleep

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """As requests, with the bounds applied. All requests of this tool are safe to repeat."""
        kwargs["timeout"] = self.limits.timeout_s
        kwargs["allow_redirects"] = False
        for attempt in range(1, self.limits.attempts):
            try:
                response = super().request(*args, **kwargs)
            except (requests.ConnectionError, requests.Timeout, ChunkedEncodingError) as error:
                if isinstance(error, SSLError):
                    raise UnreachableError(_in_one_line(error)) from None
                self._sleep(pause_s(attempt, None))
                continue
            except (requests.RequestException, HTTPError, UnicodeError) as error:
                raise UnreachableError(_in_one_line(error)) from None
            if response.status_code not in RETRIED_STATUSES or _is_for_long(response):
                return self._accepted(response)
            self._sleep(pause_s(attempt, response.headers.get("Retry-After")))
        try:
            return self._accepted(super().request(*args, **kwargs))
        except (requests.RequestException, HTTPError, UnicodeError) as error:
            raise UnreachableError(_in_one_line(error)) from None

    def take_last_response(self) -> requests.Response | None:
        """The newest answer, once: for callers who are given only what a library made of it."""
        response, self._last_response = self._last_response, None
        return response

    def _accepted(self, response: requests.Response) -> requests.Response:
        if response.is_redirect:
            raise UnreachableError(
                f"the node sends us on to {shown(response.headers.get('Location'))}; we follow no redirect"
            )
        self._last_response = response
        return response

    def _limit_body(self, response: requests.Response, *_args: Any, **_kwargs: Any) -> requests.Response:
        response.raw = _LimitedBody(response.raw, self.limits)
        return response


def pause_s(attempt: int, retry_after: str | None) -> float:
    """Seconds to wait after the given attempt (from 1): what the node asks for, within reason, or growing."""
    if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after[:6]), MAX_PAUSE_S)
    # Spread, so that many labs do not come back in the same moment.
    return min(FIRST_PAUSE_S * 2.0 ** (attempt - 1), MAX_PAUSE_S) * random.uniform(0.5, 1.0)  # noqa: S311 -- no secret


def _is_for_long(response: requests.Response) -> bool:
    """Whether the node asks to come again so late that a person has to know."""
    retry_after = response.headers.get("Retry-After", "")
    return retry_after.isascii() and retry_after.isdigit() and int(retry_after[:9]) > MAX_RETRY_AFTER_S


def _in_one_line(error: Exception) -> str:
    """What went wrong, without the nesting of urllib3 and without addresses of objects in memory."""
    if isinstance(error, SSLError):
        return f"no trusted TLS connection: {shown(str(error))}"
    if isinstance(error, requests.Timeout):
        return "the node did not answer in time"
    if isinstance(error, ChunkedEncodingError):
        return "the node broke off in the middle of an answer"
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return "the node's answer cannot be decompressed"
    if isinstance(error, requests.ConnectionError):
        return "the node cannot be reached"
    return f"the request failed: {type(error).__name__}"
