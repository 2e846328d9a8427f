"""How an indicator stands: in force, revoked, withdrawn by the node, expired, disputed, and by whom.

Judged from the objects that lie beside it, by the clock of whoever asks.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from exchange.stix.extension_ids import FEEDBACK_EXTENSION
from exchange.stix.extensions import WITHDRAWAL_STATES
from signatures.intake.members import text_in, texts_in, time_in

# sharing-policy: a dispute that nobody renews ends.
DISPUTE_LASTS: Final = timedelta(days=14)
# Opinions with which somebody says that an indicator is wrong (STIX 2.1 section 4.12).
_DISAGREEING: Final = frozenset({"disagree", "strongly-disagree"})

CURRENT: Final = "current"
REVOKED: Final = "revoked"
WITHDRAWN: Final = "withdrawn"
"""Put aside for a reason that nobody can read."""

EXPIRED: Final = "expired"
DISPUTED: Final = "disputed"
ASIDE_STATES: Final = WITHDRAWAL_STATES - {"restored"} | {REVOKED, WITHDRAWN}
"""What may no longer be used: revoked by the producer, or by the word of the node narrowed, deleted, suspended
(wire-format, "Withdrawal")."""


def out_of_use(states: Iterable[str]) -> str:
    """The state for which a signature is not used unless somebody asks for it; "" if there is none."""
    return next((state for state in states if state in ASIDE_STATES), "")


def states_of(members: Mapping[str, Any], aside: str, disputes: Sequence[str], now: datetime) -> tuple[str, ...]:
    """All states of an indicator but `current`. aside: why a pull put its newest version aside, "" if it did not."""
    expiry = time_in(members, "valid_until")
    found = (
        (REVOKED, members.get("revoked") is True or aside == REVOKED),
        (aside, aside not in {"", REVOKED}),
        # A time that cannot be read does not make a signature last for ever.
        (EXPIRED, expiry <= now if expiry is not None else "valid_until" in members),
        (DISPUTED, bool(disputes)),
    )
    return tuple(state for state, holds in found if holds)


def disputes_in(
    objects: Iterable[Mapping[str, Any]], names: Mapping[str, str], now: datetime
) -> dict[str, tuple[str, ...]]:
    """For each disputed id who disputes it and why, as they wrote it. names: of identities by id."""
    found: dict[str, list[str]] = {}
    for opinion in objects:
        if opinion.get("type") == "opinion" and _disputes(opinion, now):
            said = f"{named(text_in(opinion, 'created_by_ref'), names)}: {_reason(opinion)}"
            for reference in texts_in(opinion, "object_refs"):
                found.setdefault(reference, []).append(said)
    return {reference: tuple(sorted(set(said))) for reference, said in found.items()}


def named(identity: str, names: Mapping[str, str]) -> str:
    """An identity by its name and id, or by what there is of these."""
    name = names.get(identity, "")
    return f"{name} ({identity})" if name and identity else identity or "nobody"


def _disputes(opinion: Mapping[str, Any], now: datetime) -> bool:
    given = time_in(opinion, "modified") or time_in(opinion, "created")
    is_fresh = given is None or now - given <= DISPUTE_LASTS
    return text_in(opinion, "opinion") in _DISAGREEING and opinion.get("revoked") is not True and is_fresh


def _reason(opinion: Mapping[str, Any]) -> str:
    """The word of the feedback extension (wire-format) and the explanation, as far as they are there."""
    extensions = opinion.get("extensions")
    feedback = extensions.get(FEEDBACK_EXTENSION) if isinstance(extensions, dict) else None
    word = text_in(feedback, "reason") if isinstance(feedback, dict) else ""
    return ": ".join(text for text in (word, text_in(opinion, "explanation")) if text) or "no reason given"
