"""What the two parties of requests see of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet

from attribution.models import OnwardRequest
from attribution.models.onward import OPEN_FOR
from attribution.onward.errors import RequestNotFoundError
from attribution.onward.parties import require_party, seeing_as
from exchange.services.clock import now
from exchange.services.errors import InvalidRequestError
from exchange.services.principals import Principal

MAX_PAGE: Final = 100
ROLES: Final = ("asked", "received")

State = OnwardRequest.State


@dataclass(frozen=True, slots=True)
class Listing:
    """A page, the newest first. next: where the page after it begins, "" at the end."""

    requests: Sequence[OnwardRequest]
    next: str


def list_requests(
    *,
    principal: Principal,
    role: str = "",
    state: str = "",
    cursor: str = "",
    limit: int = MAX_PAGE,
    moment: datetime | None = None,
) -> Listing:
    """Requests of the principal's lab (role `asked`), to it (`received`) or both (""). state: one of `State`, or "".

    Raises:
        AccessDeniedError: a client, or a token without `read`. InvalidRequestError: a cursor of no request in sight.
    """
    lab_id, moment, size = require_party(principal, "read"), moment or now(), min(limit, MAX_PAGE)
    with seeing_as(lab_id):
        rows = _rows().filter(_of_role(lab_id, role) & _in_state(state, moment))
        if cursor:
            rows = rows.filter(_after(cursor))
        found = list(rows.order_by("-asked_at", "-id")[: size + 1])
    page = found[:size]
    return Listing(page, str(page[-1].public_id) if len(found) > size else "")


def find_request(lab_id: int, public_id: str) -> OnwardRequest:
    """One request of this lab or to it.

    Raises:
        RequestNotFoundError: absent, or between others: the two look the same.
    """
    name = _uuid(public_id)
    with seeing_as(lab_id):
        found = _rows().filter(public_id=name).first() if name is not None else None
    if found is None:
        raise RequestNotFoundError("there is no such request")
    return found


def _rows() -> QuerySet[OnwardRequest]:
    return OnwardRequest.objects.select_related("asker", "producer", "for_lab")


def _of_role(lab_id: int, role: str) -> Q:
    asked, received = Q(asker_id=lab_id), Q(producer_id=lab_id)
    return {"asked": asked, "received": received}.get(role, asked | received)


def _in_state(state: str, moment: datetime) -> Q:
    """As `OnwardRequest.state_at` says it."""
    is_open = Q(state=State.ASKED, asked_at__gt=moment - OPEN_FOR)
    is_over = Q(state=State.ASKED, asked_at__lte=moment - OPEN_FOR)
    match state:
        case "":
            return Q()
        case State.ASKED:
            return is_open
        case State.EXPIRED:
            return Q(state=State.EXPIRED) | is_over
        case _:
            return Q(state=state)


def _after(cursor: str) -> Q:
    name = _uuid(cursor)
    last = OnwardRequest.objects.filter(public_id=name).first() if name is not None else None
    if last is None:
        raise InvalidRequestError("the cursor is not valid; start again", code="cursor")
    return Q(asked_at__lt=last.asked_at) | Q(asked_at=last.asked_at, id__lt=last.id)


def _uuid(text: str) -> uuid.UUID | None:
    """Written as answers write it; other spellings of the same number name nothing."""
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None
