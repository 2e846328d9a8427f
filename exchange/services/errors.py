"""The exchange's own error tree: what a service refuses, and why.

Knows no HTTP. Doors turn a class into a status by one table each. Errors about the bytes of an object are
`exchange.stix.errors.StixError`; the two trees never mix.
"""

from __future__ import annotations


class ExchangeError(Exception):
    """A request that a service refuses.

    `code` is a stable slug, `detail` one sentence for a person, `pointer` an RFC 6901 pointer into the object
    concerned ("" means the whole).
    """

    default_code = "refused"

    def __init__(self, detail: str, *, code: str = "", pointer: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.pointer = pointer


class NotAuthenticatedError(ExchangeError):
    """No credentials, or credentials that open nothing."""

    default_code = "not-authenticated"


class AccessDeniedError(ExchangeError):
    """The principal is known and may see the thing, but may not do this with it."""

    default_code = "access-denied"


class NotFoundError(ExchangeError):
    """Absent, or not for this reader: the two look the same."""

    default_code = "not-found"


class ConflictError(ExchangeError):
    """What is stored already contradicts what was sent."""

    default_code = "conflict"


class TooLargeError(ExchangeError):
    """A body or an object over its limit."""

    default_code = "too-large"


class InvalidRequestError(ExchangeError):
    """A parameter or an envelope that makes no sense."""

    default_code = "invalid-request"


class PolicyError(ExchangeError):
    """The sharing policy forbids the object as it is: unmarked, too loose, wrong recipients."""

    default_code = "policy"


class OutOfScopeError(ExchangeError):
    """The agreement does not cover this content; `rule` names the rule of scope.toml that says so."""

    default_code = "out-of-scope"

    def __init__(self, *, rule: str, pointer: str, detail: str) -> None:
        super().__init__(detail, code=f"out-of-scope-{rule}", pointer=pointer)
        self.rule = rule


class NotReadyError(ExchangeError):
    """The node is not set up, or a part that it needs does not answer."""

    default_code = "not-ready"


class RateLimitedError(ExchangeError):
    """Too much was asked for; `retry_after_s` is when the same request is let in."""

    default_code = "rate-limited"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
