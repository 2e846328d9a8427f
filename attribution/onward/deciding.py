"""The producer's decision, and the asker's withdrawal. A grant is recorded here and takes effect by a version."""

from __future__ import annotations

from datetime import datetime

from attribution.models import OnwardRequest
from attribution.onward.errors import OtherPartyError, SettledError
from attribution.onward.listing import find_request
from attribution.onward.parties import require_party
from attribution.onward.reasons import check_reason
from exchange.services.access import require_publishing
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.principals import Principal

Decision = OnwardRequest.Decision
State = OnwardRequest.State


def find_open(principal: Principal, public_id: str, moment: datetime) -> OnwardRequest:
    """The open request to the principal's lab that it may decide.

    Raises:
        AccessDeniedError: a client, or a token without `publish`. RequestNotFoundError: as `find_request`.
        OtherPartyError: the lab asked it itself. SettledError: it is over.
    """
    lab_id = require_party(principal, "publish")
    found = find_request(lab_id, public_id)
    if found.producer_id != lab_id:
        raise OtherPartyError("the producer of the object decides")
    _require_open(found, moment)
    return found


def record_decision(
    *, principal: Principal, public_id: str, decision: Decision, reason: str, moment: datetime | None = None
) -> OnwardRequest:
    """Record what the producer decided. Refused is refused; a grant waits for its version, and may be decided anew.

    Raises:
        InvalidRequestError, OutOfScopeError: as `check_reason`; a grant needs no reason. ExchangeError: as `find_open`.
    """
    moment = moment or now()
    found = find_open(principal, public_id, moment)
    check_reason(reason, may_be_empty=decision is Decision.GRANT)
    with writing():
        locked = _locked(found, moment)
        locked.decision, locked.decision_reason = decision, reason
        locked.decided_at, locked.decided_by = moment, str(principal)
        if decision is Decision.REFUSE:
            locked.state, locked.settled_at = State.REFUSED, moment
        locked.save()
        action = "onward-refused" if decision is Decision.REFUSE else "onward-grant-decided"
        record_event(principal, action, locked.stix_id, request=str(locked.public_id))
    return locked


def withdraw_request(*, principal: Principal, public_id: str, moment: datetime | None = None) -> None:
    """Take one's own request back. Repeating it changes nothing.

    Raises:
        AccessDeniedError: a client, or a token that may neither publish nor give feedback.
        RequestNotFoundError: as `find_request`. OtherPartyError: another lab's. SettledError: it is over.
    """
    lab_id, moment = require_party(principal), moment or now()
    require_publishing(principal)
    found = find_request(lab_id, public_id)
    if found.asker_id != lab_id:
        raise OtherPartyError("who asked takes it back")
    if found.state == State.WITHDRAWN:
        return
    with writing():
        locked = _locked(found, moment)
        locked.state, locked.settled_at = State.WITHDRAWN, moment
        locked.save()
        record_event(principal, "onward-withdrawn", locked.stix_id, request=str(locked.public_id))


def _locked(found: OnwardRequest, moment: datetime) -> OnwardRequest:
    """The row, if it is open still; it stays so until the transaction ends."""
    locked = (
        OnwardRequest.objects.select_related("asker", "producer", "for_lab")
        .select_for_update(of=("self",))
        .get(pk=found.pk)
    )
    _require_open(locked, moment)
    return locked


def _require_open(request: OnwardRequest, moment: datetime) -> None:
    state = request.state_at(moment)
    if state != State.ASKED:
        raise SettledError(f"the request is {state}")
