"""A producer's decision by REST: what the request wants, and the objects that grant it, checked or published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

import msgspec
from django.http import HttpRequest

from attribution.models import OnwardRequest
from attribution.models.onward import MAX_REASON_CHARS
from attribution.onward import draft_grant, record_decision
from attribution.onward.parties import require_party
from exchange.api.drafting import Making
from exchange.api.onward_requests import shown_request
from exchange.api.orders import read_order
from exchange.api.problems import encoded
from exchange.http.parameters import Parameters
from exchange.services.access import require_scope
from exchange.services.idempotency import KeptAnswer
from exchange.services.principals import Principal

Decision: Final = OnwardRequest.Decision

_Reason = Annotated[str, msgspec.Meta(max_length=MAX_REASON_CHARS, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class DecisionOrder(msgspec.Struct, forbid_unknown_fields=True):
    """The body that decides."""

    decision: Literal["grant", "refuse"]
    reason: _Reason = ""


@dataclass(frozen=True, slots=True)
class DecisionOnward:
    """One decision. sign: have the node sign and publish what grants the request."""

    principal: Principal
    public_id: str
    body: bytes
    sign: bool

    def run(self) -> KeptAnswer:
        """Decide. A grant is recorded once its drafts have passed every check, and before they are published.

        Raises:
            StixError, InvalidRequestError: the body. ExchangeError: as the services, and as publishing.
        """
        order = read_order(self.body, DecisionOrder, code="onward-order")
        if Decision(order.decision) is Decision.REFUSE:
            refused = self._record(order)
            return KeptAnswer(200, encoded({"request": shown_request(refused)}))
        grant = draft_grant(principal=self.principal, public_id=self.public_id)
        facts = {
            "grant": {
                "request": self.public_id,
                "label": grant.label.label,
                "recipients": list(grant.recipients),
                "replaces": grant.replaces,
            }
        }
        making = Making(principal=self.principal, label=None, distributions=(), dry_run=False, sign=False)
        checked = making.answer(grant.objects, facts)
        if checked.status >= 400:
            return checked
        self._record(order)
        return replace(making, sign=True).answer(grant.objects, facts) if self.sign else checked

    def _record(self, order: DecisionOrder) -> OnwardRequest:
        return record_decision(
            principal=self.principal,
            public_id=self.public_id,
            decision=Decision(order.decision),
            reason=order.reason,
        )


def read_decision(request: HttpRequest, principal: Principal, public_id: str, body: bytes) -> DecisionOnward:
    """What the request wants.

    Raises:
        ExchangeError: the principal may not, or a parameter is malformed.
    """
    parameters = Parameters(request.META.get("QUERY_STRING", ""))
    parameters.allow_only({"sign"})
    sign = parameters.flag("sign")
    require_party(principal, "publish")
    if sign:
        require_scope(principal, "sign")
    return DecisionOnward(principal=principal, public_id=public_id, body=body, sign=sign)
