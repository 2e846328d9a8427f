"""What an answer says of each network or name that matches: one claim, of one object, by one lab. Pure.

Claims are shown side by side and never averaged: who says what, since when, how sure, and what time leaves of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from attribution.claims.decay import UNNAMED, is_stale, weight_of
from exchange.stix.timestamps import format_stix

MAX_MATCHES: Final = 1_000
"""Of one question; an answer that leaves some out says so."""

WEIGHT_DIGITS: Final = 3
DO_NOT_BLOCK: Final = "do_not_block"


class Claim(NamedTuple):
    """What one object says of one network (`net`) or name (`name`); the other is None."""

    id: str
    lab: str
    state: str
    net: str | None
    name: str | None
    kind: str
    asn: int | None
    confidence: int | None
    first_seen: datetime | None
    last_seen: datetime | None
    seen_at: datetime
    valid_until: datetime | None


Protection = Callable[[Claim], dict[str, Any] | None]
"""Why a claim is no reason to block, as its match says it under `do_not_block`; None if nothing protects it."""


def unprotected(_claim: Claim) -> None:
    """What protects nothing."""


def finish_matches(
    claims: Iterable[Claim], moment: datetime, *, include_stale: bool, protection: Protection = unprotected
) -> list[dict[str, Any]]:
    """The matches of one question, in the order of the claims. Every door's matches are finished here and nowhere else.

    Left out, unless `include_stale`, is what has decayed away and what its producer let end before `moment`.
    """
    finished = []
    for claim in claims:
        weight = weight_of(claim.kind, (moment - claim.seen_at).total_seconds())
        if include_stale or not (is_stale(weight) or _is_over(claim, moment)):
            match, reason = _match_of(claim, weight), protection(claim)
            finished.append(match if reason is None else match | {DO_NOT_BLOCK: reason})
    return finished


def answer_of(question: dict[str, Any], matches: list[dict[str, Any]]) -> dict[str, Any]:
    """One answer. `more` stands in it only where matches were left out for their number."""
    if len(matches) > MAX_MATCHES:
        return {"query": question, "matches": matches[:MAX_MATCHES], "more": True}
    return {"query": question, "matches": matches}


def _is_over(claim: Claim, moment: datetime) -> bool:
    return claim.valid_until is not None and claim.valid_until <= moment


def _match_of(claim: Claim, weight: float) -> dict[str, Any]:
    return {
        "id": claim.id,
        "lab": claim.lab,
        "net": claim.net,
        "name": claim.name,
        "kind": None if claim.kind == UNNAMED else claim.kind,
        "asn": claim.asn,
        "confidence": claim.confidence,
        "state": claim.state,
        "first_seen": _text(claim.first_seen),
        "last_seen": _text(claim.last_seen),
        "valid_until": _text(claim.valid_until),
        "weight": round(weight, WEIGHT_DIGITS),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else format_stix(moment)
