"""What peers sent and this node did not take, for operators: to look at, to judge again, to drop.

Nobody can let in what would not be taken from the peer: a release judges again, after a pin, a key or a policy changed.
With one exception: two operators can say that an id is rightly another lab's than the one that was here first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Q

from exchange.models import OverrideApproval, Peer, Person, QuarantinedObject
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import AccessDeniedError, ConflictError, NotFoundError
from exchange.services.keys import APPROVALS_NEEDED
from exchange.services.principals import NODE, OPERATOR, Principal
from exchange.services.receiving import judge_again

KEPT_FOR: Final = timedelta(days=30)
"""What was decided is shown so long; the audit log says for ever who decided what."""

MAX_LISTED: Final = 1_000
"""Rows of one list; the next begins after the last."""


FOREIGN_ID: Final = "foreign-id"


@dataclass(frozen=True, slots=True)
class Release:
    """What came of judging an object again. reason, detail: why it waits on, "" if it was taken."""

    is_taken: bool
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """approvals: how many operators said so by now. release: what came of it, as far as there are enough of them."""

    approvals: int
    release: Release


def list_quarantined(
    *, peer: str = "", reason: str = "", state: str = QuarantinedObject.State.WAITING, after: int = 0, limit: int = 100
) -> list[QuarantinedObject]:
    """Rows by ascending number after `after`, without their bytes; peer: its short name; reason: a code; "" for any."""
    rows = QuarantinedObject.objects.filter(pk__gt=after).select_related("peer__lab", "collection").defer("body")
    if peer:
        rows = rows.filter(peer__lab__slug=peer)
    if reason:
        rows = rows.filter(reason=reason)
    if state:
        rows = rows.filter(state=state)
    return list(rows.order_by("pk")[: min(limit, MAX_LISTED)])


def waiting_by_peer() -> dict[str, int]:
    """How many objects wait of each peer, by its short name; 0 where none do."""
    waiting = Count("quarantined", filter=Q(quarantined__state=QuarantinedObject.State.WAITING))
    return dict(Peer.objects.annotate(waiting=waiting).values_list("lab__slug", "waiting").order_by("lab__slug"))


def purge_decided(moment: datetime) -> int:
    """Forget what was decided `KEPT_FOR` ago; answers how many rows that changed.

    What was released is stored, and what a note dropped may come again. Of what an operator dropped the digest stays,
    and nothing that the peer said, so that the same bytes are not kept a second time.
    """
    decided = QuarantinedObject.objects.filter(decided_at__lt=moment - KEPT_FOR)
    with writing():
        over, _ = (
            decided.exclude(state=QuarantinedObject.State.WAITING)
            .filter(Q(state=QuarantinedObject.State.RELEASED) | Q(decided_by=str(NODE)))
            .delete()
        )
        said = ~Q(stix_id="", version_text="", creator="", kid="", detail="")
        dropped = decided.filter(said, state=QuarantinedObject.State.DROPPED)
        return over + dropped.update(stix_id="", version_text="", creator="", kid="", detail="")


def show_quarantined(*, actor: Principal, number: int) -> QuarantinedObject:
    """One row with its bytes; that somebody looked is audited.

    Raises:
        NotFoundError: there is none of this number.
    """
    with writing():
        found = _find(number)
        record_event(actor, "quarantine-shown", str(number), peer=found.peer.lab.slug, reason=found.reason)
    return found


def release_quarantined(*, actor: Principal, number: int) -> Release:
    """Judge an object again, as if it came from its peer now. It is stored if it is sound by now, and waits on if not.

    Raises:
        NotFoundError: there is none of this number. ConflictError: it was decided already.
        AccessDeniedError: its peer was stopped. NotReadyError: the node cannot sign the notes that follow.
    """
    with writing():
        _require_waiting(_find(number))
    return _release(actor, number)


def override_quarantined(*, operator: Person, number: int) -> Override:
    """Give one operator's word that an object which waits as `foreign-id` has its id by right.

    With `APPROVALS_NEEDED` of them it is judged again, and if it is taken then what other labs here have under its id
    goes, as if they had deleted it: their readers are told, and it does not come back. If it is not taken, nothing
    goes. Repeating a word changes nothing but to try again.

    Raises:
        AccessDeniedError: not an operator, or the peer was stopped. NotFoundError: there is none of this number.
        ConflictError: it was decided already, or waits for another reason, or what is here cannot go.
        NotReadyError: the node cannot sign the notes that follow.
    """
    if operator.role != Person.Role.OPERATOR or not operator.is_active:
        raise AccessDeniedError("only operators decide whose an id is")
    with writing():
        found = _find(number, lock=True)
        _require_waiting(found)
        if found.reason != FOREIGN_ID:
            raise ConflictError(f"it waits for another reason: {found.reason}", code="not-overridable")
        _, is_new = OverrideApproval.objects.get_or_create(
            quarantined=found, operator=operator, defaults={"approved_at": now()}
        )
        if is_new:
            record_event(OPERATOR, "override-approved", str(number), object=found.stix_id, by=operator.username)
        approvals = found.approvals.filter(operator__is_active=True, operator__role=Person.Role.OPERATOR).count()
    if approvals < APPROVALS_NEEDED:
        return Override(approvals, Release(False, found.reason, found.detail))
    return Override(approvals, _release(OPERATOR, number, is_override=True))


def _release(actor: Principal, number: int, *, is_override: bool = False) -> Release:
    answers = judge_again([number], actor=actor, is_override=is_override)
    if not answers:
        raise ConflictError("somebody else has just decided it", code="quarantine-decided")
    with writing():
        found = _find(number)
        is_taken = answers[0].is_taken
        record_event(
            actor,
            "quarantine-released",
            str(number),
            peer=found.peer.lab.slug,
            taken=is_taken,
            reason=found.reason,
            override=is_override,
        )
    return Release(True) if is_taken else Release(False, found.reason, found.detail)


def drop_quarantined(*, actor: Principal, number: int) -> None:
    """Give an object up: its bytes go, and the same bytes from this peer are not kept again.

    Raises:
        NotFoundError: there is none of this number. ConflictError: it was decided already.
    """
    with writing():
        found = _find(number, lock=True)
        _require_waiting(found)
        found.state, found.body = QuarantinedObject.State.DROPPED, b""
        found.decided_at, found.decided_by = now(), str(actor)
        found.save(update_fields=["state", "body", "decided_at", "decided_by"])
        record_event(actor, "quarantine-dropped", str(number), peer=found.peer.lab.slug, reason=found.reason)


def _find(number: int, *, lock: bool = False) -> QuarantinedObject:
    rows = QuarantinedObject.objects.select_related("peer__lab", "collection")
    found = (rows.select_for_update(of=("self",)) if lock else rows).filter(pk=number).first()
    if found is None:
        raise NotFoundError("there is nothing of this number in quarantine", code="quarantine-not-found")
    return found


def _require_waiting(found: QuarantinedObject) -> None:
    if found.state != QuarantinedObject.State.WAITING:
        raise ConflictError(f"it was {found.state} already", code="quarantine-decided")
