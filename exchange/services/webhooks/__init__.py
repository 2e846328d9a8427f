"""Webhooks: a lab names a target, and the node posts there what one of the lab's tokens may read.

No row is written for each object and hook: a hook has a place in the sequence, and moves on when its target has
accepted what came before. Every delivery asks for the token's rights anew. The network is not here: that is
exchange/sync/webhooks/.
"""

from exchange.services.webhooks.batches import Attempt, ClaimLostError, next_message, require_networks
from exchange.services.webhooks.claims import Claim, claim_due, release_claim, take_claim
from exchange.services.webhooks.registration import (
    NewWebhook,
    create_webhook,
    delete_webhook,
    find_webhook,
    list_webhooks,
    resume_webhook,
    rotate_secret,
)
from exchange.services.webhooks.settling import settle_failure, settle_refusal, settle_stop, settle_success

__all__ = [
    "Attempt",
    "Claim",
    "ClaimLostError",
    "NewWebhook",
    "claim_due",
    "create_webhook",
    "delete_webhook",
    "find_webhook",
    "list_webhooks",
    "next_message",
    "release_claim",
    "require_networks",
    "resume_webhook",
    "rotate_secret",
    "settle_failure",
    "settle_refusal",
    "settle_stop",
    "settle_success",
    "take_claim",
]
