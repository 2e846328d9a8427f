"""Publishes a staged envelope, batch by batch, as the token that posted it: what that may do is asked anew each time.

A batch, its part of the status and the end of its bodies commit at once, so whatever is killed when, nothing is done
twice and nothing is said twice.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from psycopg.types.json import Jsonb

from exchange.models import Collection
from exchange.services.access import authenticate_again, require_publishing
from exchange.services.collections import CollectionView, find_collection
from exchange.services.database import execute, writing
from exchange.services.errors import (
    AccessDeniedError,
    ExchangeError,
    NotAuthenticatedError,
    NotFoundError,
    NotReadyError,
)
from exchange.services.posted import named
from exchange.services.posting import take_posted
from exchange.services.principals import Principal
from exchange.services.publishing import Outcome, OutcomeStatus
from exchange.services.queue import FINISH_ENVELOPE, send_task
from exchange.services.staging.claims import Claim, ClaimLostError, claim_envelope, release_claim, renew_claim
from exchange.services.statuses import complete_status, detail_of

DOOR: Final = "taxii"

TURN_S: Final = 10.0
"""After this the next in the queue has its turn, so that one lab's envelope does not keep all others waiting."""

MAX_TRIES: Final = 10
"""A batch at which so many workers died or failed is refused, so that it does not come back for ever."""

Pending = tuple[int, dict[str, str]]

_log: Final = logging.getLogger(__name__)


class Progress(StrEnum):
    """What a turn ended with."""

    COMPLETE = "complete"
    GOES_ON = "goes on"
    NOT_OURS = "not ours"


def finish_envelope(*, status_id: uuid.UUID, turn_s: float = TURN_S) -> Progress:
    """Publish an envelope, as much as fits into one turn; the rest goes to the end of the queue.

    Whatever it raises, the envelope stays, and `offer_due_envelopes` brings it back when the claim has run out.
    """
    claim = claim_envelope(status_id)
    if claim is None:
        return Progress.NOT_OURS
    ends_at = time.monotonic() + turn_s
    try:
        while _publish_next(claim):
            if time.monotonic() >= ends_at:
                release_claim(claim)
                send_task(FINISH_ENVELOPE, str(status_id))
                return Progress.GOES_ON
    except ClaimLostError:
        return Progress.NOT_OURS
    return Progress.COMPLETE


_NEXT = """
SELECT id, pendings, bodies FROM staged_batch WHERE envelope_id = %(status)s ORDER BY envelope_id, rank, id LIMIT 1
"""


def _publish_next(claim: Claim) -> bool:
    """Publish one batch; without one, complete the status and answer False. One transaction."""
    with writing():
        renew_claim(claim)
        row = execute(_NEXT, {"status": claim.status_id}).fetchone()
        if row is None:
            complete_status(claim.status_id)
            execute("DELETE FROM staged_envelope WHERE status_id = %(status)s", {"status": claim.status_id})
            return False
        batch_id, pendings, bodies = row
        outcomes = _outcomes(claim, bodies)
        _record(batch_id, pendings, outcomes)
    claim.tries = 0
    return True


def _outcomes(claim: Claim, bodies: Sequence[bytes]) -> list[Outcome]:
    try:
        if claim.tries > MAX_TRIES:
            _log.error("a batch of envelope %s is refused after %d tries", claim.status_id, MAX_TRIES)
            raise NotReadyError("the node could not process this; its operator knows more", code="not-processed")
        principal, collection = _rights(claim)
    except (NotAuthenticatedError, AccessDeniedError, NotFoundError, NotReadyError) as error:
        return [_refused(index, error) for index in range(len(bodies))]
    return take_posted(principal=principal, bodies=bodies, collection=collection, door=DOOR)


def _rights(claim: Claim) -> tuple[Principal, CollectionView]:
    """Who posted, and the collection as it may use it now.

    Raises:
        NotAuthenticatedError, AccessDeniedError, NotFoundError: it may not publish there any more.
    """
    principal = authenticate_again(claim.token_id)
    require_publishing(principal)
    stored = Collection.objects.select_related("api_root").filter(pk=claim.collection_id).first()
    if stored is None:
        raise NotFoundError("there is no such collection", code="collection-not-found")
    view = find_collection(principal, str(stored.public_id), api_root=stored.api_root.slug)
    if not view.can_write:
        raise AccessDeniedError("you may not write to this collection", code="not-writable")
    return principal, view


def _refused(index: int, error: ExchangeError) -> Outcome:
    return Outcome(index=index, id=None, version=None, status=OutcomeStatus.FAILED, error=error)


_RECORD_PART = """
UPDATE status_part SET pendings = '[]', successes = %(successes)s, failures = %(failures)s WHERE id = %(batch)s
"""


def _record(batch_id: int, pendings: Sequence[Pending], outcomes: Sequence[Outcome]) -> None:
    """Write a batch's part of the status, and let go of its bodies."""
    successes: list[tuple[int, Any]] = []
    failures: list[tuple[int, Any]] = []
    for (place, claimed), outcome in zip(pendings, outcomes, strict=True):
        listed = failures if outcome.status is OutcomeStatus.FAILED else successes
        listed.append((place, detail_of(named(outcome, claimed["id"], claimed["version"]))))
    values = {"batch": batch_id, "successes": Jsonb(successes), "failures": Jsonb(failures)}
    execute(_RECORD_PART, values)
    execute("DELETE FROM staged_batch WHERE id = %(batch)s", values)
