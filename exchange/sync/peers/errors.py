"""What can go wrong between this node and a peer: one error, told apart by what happened."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from exchange.services.errors import ExchangeError

MAX_TITLE_CHARS: Final = 120
"""Of what a peer calls its refusal: a sentence for an operator, and no more than that of a stranger's text in a log."""


class PeerFault(StrEnum):
    """What happened, as the `code` of an error."""

    TARGET_REFUSED = "target-refused"
    """The node does not connect there: the address is not public, or no address of a peer at all."""
    UNRESOLVED = "unresolved"
    """The name has no address, or none that is public, at this moment."""
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    BROKEN_OFF = "broken-off"
    """The connection ended before the answer did, or the body is shorter than its header says."""
    MALFORMED = "malformed"
    """The answer is no TAXII 2.1."""
    REFUSED = "refused"
    """401 or 403: the credentials, or what they open."""
    NOT_FOUND = "not-found"
    TOO_LARGE = "too-large"
    """413, or an answer beyond our own bounds: fewer objects at once may help."""
    RATE_LIMITED = "rate-limited"
    REJECTED = "rejected"
    """Another 4xx: the request as it is will never be taken."""
    REDIRECTED = "redirected"
    """Sent elsewhere where that may not be followed."""
    SERVER_ERROR = "server-error"


_TRANSIENT: Final = frozenset(
    {
        PeerFault.UNRESOLVED,
        PeerFault.UNREACHABLE,
        PeerFault.TIMEOUT,
        PeerFault.BROKEN_OFF,
        PeerFault.RATE_LIMITED,
        PeerFault.SERVER_ERROR,
    }
)


class PeerError(ExchangeError):
    """A request to a peer that came to nothing. `detail` says what and where, without secrets and without a query.

    fault: the `code` as a member of `PeerFault`. status: the HTTP status, 0 if there was none. retry_after_s: when the
    peer wants to be asked again, None if it does not say.
    """

    def __init__(self, fault: PeerFault, detail: str, *, status: int = 0, retry_after_s: int | None = None) -> None:
        super().__init__(detail, code=fault.value)
        self.fault = fault
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def is_transient(self) -> bool:
        """Whether the same request may well succeed later."""
        return self.fault in _TRANSIENT


def printable(text: str, most: int = MAX_TITLE_CHARS) -> str:
    """What a peer wrote, as one line of printable characters of bounded length."""
    kept = "".join(each if each.isprintable() else " " for each in text[: most + 1])
    return kept if len(kept) <= most else kept[: most - 1] + "…"
