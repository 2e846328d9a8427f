"""What a request for onward sharing looks like by REST. Reasons are another lab's words, escaped by JSON alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attribution.models import OnwardRequest
from attribution.onward.asking import CLIENTS
from exchange.services.clock import now
from exchange.stix.timestamps import format_taxii


def shown_request(request: OnwardRequest) -> dict[str, Any]:
    """A request as both of its parties see it. Which of its persons or tokens decided is the producer's own matter."""
    moment = now()
    state = request.state_at(moment)
    is_expired = state == OnwardRequest.State.EXPIRED
    return {
        "id": str(request.public_id),
        "object": request.stix_id,
        "version": request.version_text,
        "producer": request.producer.slug,
        "asked_by": request.asker.slug,
        "for": CLIENTS if request.for_lab is None else request.for_lab.slug,
        "reason": request.reason,
        "state": state,
        "asked": format_taxii(request.asked_at),
        "expires": format_taxii(request.expires_at),
        "settled": format_taxii(request.expires_at) if is_expired else _when(request.settled_at),
        "decision": request.decision or None,
        "decision_reason": request.decision_reason or None,
        "decided": _when(request.decided_at),
        "granting_version": request.granting_version or None,
    }


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else format_taxii(moment)
