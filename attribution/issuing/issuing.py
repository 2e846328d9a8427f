"""Evaluates blinded values for labs, under a budget, with a proof. What the values are, nobody here can know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from attribution.issuing.budgets import take_evaluations
from attribution.issuing.epochs import open_issuer_key
from attribution.issuing.errors import ElementRefusedError, EpochError
from attribution.models import IssuerEpoch
from attribution.voprf import ElementError, evaluate, prove
from exchange.services.access import require_scope
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import AccessDeniedError
from exchange.services.principals import Principal, PrincipalKind

MAX_BLINDED: Final = 1_000
"""Of one request: two multiplications for each, so a fifth of a second of one core."""

_EVALUATORS: Final = frozenset({PrincipalKind.PERSON, PrincipalKind.TOKEN})


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answer: an element for each that was asked for, in that order, and one proof for all of them."""

    epoch: str
    public_key: bytes
    evaluated: tuple[bytes, ...]
    proof: bytes
    left: int


def evaluate_blinded(*, principal: Principal, epoch: str, blinded: Sequence[bytes]) -> Evaluation:
    """Evaluate 1 to `MAX_BLINDED` elements with the key of an epoch; counted and audited before anything is answered.

    Raises:
        AccessDeniedError: not a lab itself (a client, a peer), or a token without the scope `read`.
        ElementRefusedError: one of them is no element. EpochError: unknown or ended.
        BudgetSpentError: more than the lab has left today; nothing was counted then. NotReadyError: as
            `open_issuer_key`.
    """
    if principal.kind not in _EVALUATORS or principal.lab_id is None:
        raise AccessDeniedError(
            "values are evaluated for labs themselves, not for their clients", code="not-for-clients"
        )
    require_scope(principal, "read")
    moment = now()
    row = _open_epoch(epoch, moment)
    key = open_issuer_key(row)
    try:
        evaluated = evaluate(key, blinded)
    except ElementError as error:
        raise ElementRefusedError(
            f"blinded value {error.index} is no canonical element of ristretto255, or is the identity",
            pointer=f"/blinded/{error.index}",
        ) from None
    with writing():
        left = take_evaluations(principal.lab_id, len(blinded), moment)
        record_event(principal, "selectors-evaluated", row.epoch, count=len(blinded))
    return Evaluation(row.epoch, key.public, tuple(evaluated), prove(key, blinded, evaluated), left)


def _open_epoch(name: str, moment: datetime) -> IssuerEpoch:
    row = IssuerEpoch.objects.filter(epoch=name).first()
    if row is None:
        raise EpochError(f"this node has no epoch {name}", code="selector-epoch-unknown", pointer="/epoch")
    if row.state == IssuerEpoch.State.ENDED or (row.ends_at is not None and row.ends_at <= moment):
        raise EpochError(f"the epoch {name} has ended", code="selector-epoch-ended", pointer="/epoch")
    return row
