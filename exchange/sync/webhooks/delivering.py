"""Delivers to one claimed hook until nothing is left or something went wrong.

The place of a hook moves after the target's 2xx and not before: what happens in between is repeated, under the same id.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final

from exchange.models import Webhook
from exchange.services.errors import AccessDeniedError, NotAuthenticatedError, NotFoundError
from exchange.services.outbound import TargetRefusedError, TargetUnresolvedError, resolve_target
from exchange.services.webhooks import (
    Claim,
    ClaimLostError,
    next_message,
    release_claim,
    require_networks,
    settle_failure,
    settle_refusal,
    settle_stop,
    settle_success,
    take_claim,
)
from exchange.sync.outbound import PeerUnreachableError, post
from exchange.sync.webhooks.messages import message_body, message_headers

MAX_ROUNDS: Final = 20
"""Messages in a row; then the lab's other hooks have their turn."""

logger = logging.getLogger(__name__)


def deliver(claim: Claim) -> None:
    """Deliver what is due for the hook; nothing if the claim is not good any more."""
    held = take_claim(claim)
    for _ in range(MAX_ROUNDS):
        if held is None:
            return
        if not _deliver_batch(held):
            release_claim(held)
            return
        held = take_claim(held)
    if held is not None:
        release_claim(held)


def _deliver_batch(claim: Claim) -> bool:
    """One message; tells whether another is due now."""
    hook = Webhook.objects.filter(pk=claim.hook_id).first()
    if hook is None:
        return False
    try:
        return _send(claim, hook)
    except ClaimLostError:
        _log(hook, "claim-lost")
    except (TargetUnresolvedError, PeerUnreachableError) as error:
        _log(hook, error.code)
        settle_failure(claim, code=error.code)
    except NotAuthenticatedError:
        _log(hook, "token")
        settle_refusal(claim)
    except (TargetRefusedError, AccessDeniedError, NotFoundError) as error:
        _log(hook, error.code)
        settle_stop(claim, code=error.code, for_good=False)
    return False


def _send(claim: Claim, hook: Webhook) -> bool:
    attempt = next_message(claim)
    if not attempt.entries:
        settle_success(claim, upto=attempt.upto, was_sent=False)
        return attempt.more
    target = resolve_target(hook.url)
    require_networks(attempt, [str(address) for address in target.addresses])
    body = message_body(attempt)
    status = post(target, body, message_headers(attempt, body))
    _log(hook, f"status-{status}", len(attempt.entries))
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        settle_success(claim, upto=attempt.upto, was_sent=True)
        return attempt.more
    if status == HTTPStatus.GONE:
        settle_stop(claim, code="gone", for_good=True)
    else:
        settle_failure(claim, code=f"status-{status}")
    return False


def _log(hook: Webhook, outcome: str, objects: int = 0) -> None:
    """A line without the target: a URL may hold the receiver's secret."""
    logger.info("webhook %s: %s, objects=%d", hook.public_id, outcome, objects)
