"""What is due for a hook now: read as its token, under the rights of this moment, and kept under one id until accepted.

A batch that was sent and not accepted keeps its id and its end; what is sent again is what its token may read of it
now. So a receiver knows repeats by the id, and nothing reaches it that it may not read any more.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from exchange.models import Webhook
from exchange.services.access import authenticate_again, may_send_to, require_scope
from exchange.services.clock import now
from exchange.services.collections import find_named
from exchange.services.errors import AccessDeniedError, ConflictError
from exchange.services.principals import Principal
from exchange.services.query import PageEntry, PageRequest, cursor_at, read_on
from exchange.services.webhooks.claims import Claim
from exchange.services.webhooks.signing import open_secret

DOOR: Final = "webhook"
MAX_OBJECTS: Final = 100
MAX_BYTES: Final = 1024 * 1024
"""Of objects in one message, beyond the first: what receivers take without being asked."""


class TargetOutsideNetworksError(AccessDeniedError):
    """The token is bound to networks, and the target is in none of them."""

    default_code = "target-outside-networks"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery to be made. `upto` is the place that the hook has reached when it is done.

    entries: empty where nothing is for this hook; then there is nothing to send, and no `message_id`.
    secrets: the newest first. more: another batch is there already. reader: whom it was read as.
    """

    hook_id: uuid.UUID
    collection: str
    entries: list[PageEntry]
    upto: int
    more: bool
    message_id: str
    secrets: tuple[bytes, ...] = field(repr=False)
    reader: Principal


class ClaimLostError(ConflictError):
    """Another worker has the hook."""

    default_code = "claim-lost"


def next_message(claim: Claim) -> Attempt:
    """Read what comes next for the claimed hook. The delivery log says so before this returns.

    Nothing about the target is looked at before: name servers, and the times of failures, would tell when something
    came that is not for this hook.

    Raises:
        NotAuthenticatedError: the token opens nothing any more. AccessDeniedError, NotFoundError: it may not read the
        collection any more. ClaimLostError.
    """
    hook = Webhook.objects.get(pk=claim.hook_id)
    principal = reader_of(hook)
    view = find_named(principal, hook.collection)
    request = PageRequest(limit=MAX_OBJECTS, types=tuple(hook.types), max_bytes=MAX_BYTES)
    begun = replace(request, cursor=cursor_at(principal, view, request, hook.watermark))
    batch = read_on(principal=principal, collection=view, request=begun, until=hook.pending_upto, door=DOOR)
    message_id = _kept_id(claim, hook, batch.place) if batch.entries else ""
    keys = (open_secret(hook.secret, hook.public_id), *_previous(hook)) if batch.entries else ()
    return Attempt(hook.public_id, hook.collection, batch.entries, batch.place, batch.more, message_id, keys, principal)


def require_networks(attempt: Attempt, addresses: Sequence[str]) -> None:
    """Refuse to send beyond the networks of the token. addresses: those that the node would connect to.

    Raises:
        TargetOutsideNetworksError.
    """
    if not all(may_send_to(attempt.reader, address) for address in addresses):
        raise TargetOutsideNetworksError("the token is bound to networks that the target is not in")


def reader_of(hook: Webhook) -> Principal:
    """Whom the hook reads as, now. Raises: NotAuthenticatedError, AccessDeniedError."""
    principal = authenticate_again(hook.token_id)
    require_scope(principal, "read")
    return principal


def _kept_id(claim: Claim, hook: Webhook, upto: int) -> str:
    """The id of the batch, stored before it is sent: whoever sends it again after a crash finds it."""
    if hook.pending_id:
        return hook.pending_id
    message_id = f"msg_{uuid.uuid4().hex}"
    kept = Webhook.objects.filter(pk=hook.pk, claim=claim.claim).update(
        pending_id=message_id, pending_upto=upto, pending_since=now()
    )
    if not kept:
        raise ClaimLostError("another worker has the webhook")
    return message_id


def _previous(hook: Webhook) -> tuple[bytes, ...]:
    if hook.previous_secret is None or hook.previous_until is None or hook.previous_until <= now():
        return ()
    return (open_secret(hook.previous_secret, hook.public_id),)
