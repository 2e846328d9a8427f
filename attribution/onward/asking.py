"""Asks a producer to let one more lab, or the asking lab's own clients, see an object. Nothing is shared by asking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db import connection

from attribution.models import OnwardRequest
from attribution.models.onward import OPEN_FOR
from attribution.onward.audiences import has_asked_for
from attribution.onward.errors import AskedBeforeError, ElsewhereError, NotShareableError, RequestLimitError
from attribution.onward.parties import require_asker
from attribution.onward.reasons import check_reason
from attribution.onward.subjects import SHOWN, Subject, find_subject, newest_subject
from exchange.models import Lab, Peer
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import ConflictError, NotFoundError
from exchange.services.principals import Principal
from exchange.stix.markings import Tlp

CLIENTS: Final = "clients"
"""Stands for the asking lab's own clients where else a lab is named; a lab of this slug cannot be asked for."""

MAX_ASKED: Final = 100
"""Requests of one lab in one period (`OPEN_FOR`), whatever became of them: so many are open at most, and a table of
them grows no faster."""

_UNSHAREABLE: Final = frozenset({"marking-definition", "extension-definition"})
State = OnwardRequest.State


class Answered(StrEnum):
    """ASKED: a request was made. ASKED_BEFORE: the same one is open. IN_AUDIENCE: they may see it already."""

    ASKED = "asked"
    ASKED_BEFORE = "asked-before"
    IN_AUDIENCE = "in-audience"


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking; no request where none is needed."""

    outcome: Answered
    request: OnwardRequest | None


def ask_onward(
    *, principal: Principal, stix_id: str, producer: str, for_whom: str, reason: str, moment: datetime | None = None
) -> Asked:
    """Ask for an object that the principal may read. producer: slug, "" if only one lab has an object of this id.

    for_whom: slug of an active lab, or `CLIENTS`. That somebody is in the audience says nothing about grants on the
    collection, which no lab knows of another.

    Raises:
        AccessDeniedError: a client, or a token that may not read, or neither publish nor give feedback.
        InvalidRequestError, OutOfScopeError: as `check_reason`. NotFoundError: no such object for this reader, no such
            active lab. NotShareableError, ElsewhereError: it is no use asking here.
        AskedBeforeError: refused not long ago. RequestLimitError: `MAX_ASKED`. ConflictError: it is just changing.
    """
    lab_id, moment = require_asker(principal), moment or now()
    check_reason(reason)
    subject = find_subject(principal, stix_id, producer)
    for_lab = None if for_whom == CLIENTS else active_lab(for_whom)
    identity = None if for_lab is None else for_lab.identity_id
    if all(has_asked_for(each, asker=principal.lab_identity, for_lab=identity) for each in subject.audiences):
        return Asked(Answered.IN_AUDIENCE, None)
    _require_shareable(subject, lab_id)
    with writing():
        # Until this commits nobody stores a version of it that a request made now would miss.
        _lock_askers(lab_id)
        if not _is_unchanged(subject):
            raise ConflictError("the object is just being changed; ask again", code="onward-changing")
        earlier = _earlier(lab_id, subject, for_lab, moment)
        if earlier is not None:
            return Asked(Answered.ASKED_BEFORE, earlier)
        _take_room(lab_id, moment)
        request = OnwardRequest.objects.create(
            object_id=subject.object_id,
            stix_id=subject.stix_id,
            version_text=subject.version_text,
            producer_id=subject.producer_id,
            asker_id=lab_id,
            for_lab=for_lab,
            reason=reason,
            asked_at=moment,
        )
        named = CLIENTS if for_lab is None else for_lab.slug
        record_event(principal, "onward-asked", subject.stix_id, request=str(request.public_id), named=named)
    return Asked(Answered.ASKED, request)


def active_lab(slug: str) -> Lab:
    """The active member of this slug that has an identity, so that a marking can name it.

    Raises:
        NotFoundError: none: unknown, suspended, without identity and no lab at all look the same.
    """
    found = Lab.objects.filter(
        slug=slug, kind=Lab.Kind.LAB, status=Lab.Status.ACTIVE, identity_id__isnull=False
    ).first()
    if found is None:
        raise NotFoundError("there is no such active lab", code="lab-not-found", pointer="/for")
    return found


def _require_shareable(subject: Subject, lab_id: int) -> None:
    if subject.producer_id == lab_id:
        raise NotShareableError("the object is your own: publish its next version", pointer="/object")
    if subject.label is Tlp.RED:
        raise NotShareableError("TLP:RED is for the persons whom its producer names", pointer="/object")
    if subject.state not in SHOWN:
        raise NotShareableError(f"the object is {subject.state}", pointer="/object")
    if subject.type in _UNSHAREABLE:
        raise NotShareableError(f"a {subject.type} has no versions: nobody can widen it", pointer="/object")
    producer = Lab.objects.get(pk=subject.producer_id)
    if subject.origin_peer_id is not None:
        peer = Peer.objects.select_related("lab").get(pk=subject.origin_peer_id).lab.slug
        raise ElsewhereError(
            f"{producer.slug} published the object at another exchange; it came here from {peer}: ask there",
            pointer="/object",
        )
    if producer.kind != Lab.Kind.LAB:
        raise NotShareableError("the object is the node's own", pointer="/object")


def _lock_askers(lab_id: int) -> None:
    """Requests of one lab are counted and made one after another."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('commonwatch.onward'), %s)", [lab_id])


def _is_unchanged(subject: Subject) -> bool:
    """Whether the version that was read is the newest one still; none is stored until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM object WHERE id = %s FOR SHARE", [subject.object_id])
    newest = newest_subject(subject.object_id)
    return newest is not None and (newest.version_id, newest.audiences) == (subject.version_id, subject.audiences)


def _earlier(lab_id: int, subject: Subject, for_lab: Lab | None, moment: datetime) -> OnwardRequest | None:
    """The open request for the same, None if there is none. Raises: AskedBeforeError: it was refused in this period."""
    same = OnwardRequest.objects.select_related("asker", "producer", "for_lab").filter(
        asker_id=lab_id, object_id=subject.object_id, for_lab=for_lab, asked_at__gt=moment - OPEN_FOR
    )
    refused = same.filter(state=State.REFUSED).order_by("-asked_at").first()
    if refused is not None:
        raise AskedBeforeError(
            f"the producer refused this; it may be asked again after {refused.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        )
    return same.filter(state=State.ASKED).first()


def _take_room(lab_id: int, moment: datetime) -> None:
    of_period = OnwardRequest.objects.filter(asker_id=lab_id, asked_at__gt=moment - OPEN_FOR).order_by("asked_at")
    if of_period.count() >= MAX_ASKED:
        wait_s = int((of_period[0].expires_at - moment).total_seconds()) + 1
        raise RequestLimitError(
            f"your lab has made {MAX_ASKED} requests within {OPEN_FOR.days} days", retry_after_s=max(1, wait_s)
        )
