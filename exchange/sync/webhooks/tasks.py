"""Celery tasks of webhooks. Arguments are the number of a hook and a claim; neither is a secret."""

from __future__ import annotations

import uuid
from typing import Final

from celery import shared_task

from exchange.services.queue import WAKE_WEBHOOKS
from exchange.services.webhooks import Claim, claim_due
from exchange.services.webhooks.claims import CLAIM_S
from exchange.sync.webhooks.delivering import deliver

DELIVER: Final = "webhooks.deliver"


@shared_task(name=WAKE_WEBHOOKS)
def wake_webhooks() -> None:
    """Hand the hooks for which something may be there to workers."""
    for claim in claim_due():
        # A claim that waited longer than it is good for is made anew.
        deliver_to_webhook.apply_async((claim.hook_id, str(claim.claim)), expires=CLAIM_S)


@shared_task(name=DELIVER)
def deliver_to_webhook(hook_id: int, claim: str) -> None:
    """Deliver to one hook, then let the next one of its lab have its turn."""
    deliver(Claim(hook_id, uuid.UUID(claim)))
    wake_webhooks()
