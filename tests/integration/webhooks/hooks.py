"""Makes hooks, and does what the worker does."""

from __future__ import annotations

from typing import Any

from exchange.models import Webhook
from exchange.services.clock import now
from exchange.services.principals import Principal
from exchange.services.webhooks import claim_due, create_webhook
from exchange.stix.markings import Tlp
from exchange.sync.webhooks.delivering import deliver
from tests.support.labs import LabHandle
from tests.support.receiver import Receiver


def hook_of(principal: Principal, receiver: Receiver, **wanted: Any) -> tuple[str, str]:
    """Public id and secret of a new hook."""
    made = create_webhook(principal=principal, url=receiver.url, **wanted)
    return str(made.hook.public_id), made.secret


def deliver_all() -> None:
    """What the worker does until nothing is due."""
    while claims := claim_due():
        for claim in claims:
            deliver(claim)


def published(lab: LabHandle, *labels: Tlp, **changes: Any) -> list[str]:
    members = [lab.indicator(label, **changes) for label in labels]
    outcomes = lab.publish(*(lab.signed(each) for each in members))
    assert all(outcome.error is None for outcome in outcomes), outcomes
    return [each["id"] for each in members]


def make_due(public_id: str) -> None:
    """Its pause is over."""
    Webhook.objects.filter(public_id=public_id).update(next_attempt_at=now())


def state_of(public_id: str) -> Webhook:
    return Webhook.objects.get(public_id=public_id)
