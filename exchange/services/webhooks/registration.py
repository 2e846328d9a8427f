"""A lab's webhooks: made, shown, paused ones resumed, secrets rotated, removed.

Who may stop a token may manage its hooks and sees them; to everybody else they are absent. A hook's target and filters
never change: a token with less reach could lead another's reading elsewhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.db.models import QuerySet

from exchange.models import Lab, Webhook
from exchange.services.access import require_scope
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.collections import VIEW_OF_ALL, find_named
from exchange.services.database import writing
from exchange.services.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from exchange.services.outbound import resolve_target
from exchange.services.principals import Principal
from exchange.services.sequencer import last_number
from exchange.services.tokens import manageable_tokens
from exchange.services.webhooks.batches import reader_of
from exchange.services.webhooks.signing import new_secret, seal_secret, secret_text

MAX_PER_LAB: Final = 10
MAX_TYPES: Final = 50
MAX_DESCRIPTION_CHARS: Final = 200
ROTATION: Final = timedelta(hours=24)
"""How long the secret before the newest one signs too."""


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A hook and the text of its secret: the only time that it is shown."""

    hook: Webhook
    secret: str = field(repr=False)


def create_webhook(
    *,
    principal: Principal,
    url: str,
    collection: str = VIEW_OF_ALL[0],
    types: Sequence[str] = (),
    description: str = "",
) -> NewWebhook:
    """Have what the token may read posted to `url`, from now on.

    Raises:
        AccessDeniedError: the token may not read, or not the collection. NotFoundError: no such collection for it.
        InvalidRequestError: a target that the node does not reach (TargetRefusedError), or too many types.
        ConflictError: the lab has `MAX_PER_LAB` already; one that is stopped makes room.
    """
    require_scope(principal, "read")
    if principal.token_id is None or principal.lab_id is None:
        raise AccessDeniedError("webhooks belong to tokens")
    _require_readable(principal, collection)
    if len(set(types)) > MAX_TYPES:
        raise InvalidRequestError(f"a webhook names at most {MAX_TYPES} types", pointer="/types")
    if len(description) > MAX_DESCRIPTION_CHARS:
        raise InvalidRequestError(f"a description has {MAX_DESCRIPTION_CHARS} characters", pointer="/description")
    resolve_target(url)
    secret, public_id, moment = new_secret(), uuid.uuid4(), now()
    with writing():
        _require_room(principal.lab_id)
        hook = Webhook.objects.create(
            public_id=public_id,
            lab_id=principal.lab_id,
            token_id=principal.token_id,
            url=url,
            description=description,
            collection=collection,
            types=sorted(set(types)),
            secret=seal_secret(secret, public_id),
            created_at=moment,
            watermark=last_number(),
            next_attempt_at=moment,
        )
        record_event(principal, "webhook-created", str(public_id))
    return NewWebhook(hook, secret_text(secret))


def list_webhooks(*, principal: Principal) -> list[Webhook]:
    """The hooks that the principal may manage, oldest first."""
    return list(_manageable(principal).order_by("id"))


def find_webhook(*, principal: Principal, public_id: str) -> Webhook:
    """One of them.

    Raises:
        NotFoundError: none, or not the principal's to manage: the two look the same.
    """
    return _find(_manageable(principal), public_id)


def delete_webhook(*, principal: Principal, public_id: str) -> None:
    """Remove it; what is under way may still arrive.

    Raises:
        NotFoundError: as `find_webhook`.
    """
    with writing():
        hook = _find(_manageable(principal).select_for_update(of=("self",)), public_id)
        record_event(principal, "webhook-deleted", str(hook.public_id))
        hook.delete()


def rotate_secret(*, principal: Principal, public_id: str) -> NewWebhook:
    """Give it a new secret; for `ROTATION` the one before signs too.

    Raises:
        NotFoundError: as `find_webhook`.
    """
    secret = new_secret()
    with writing():
        hook = _find(_manageable(principal).select_for_update(of=("self",)), public_id)
        hook.previous_secret, hook.previous_until = hook.secret, now() + ROTATION
        hook.secret = seal_secret(secret, hook.public_id)
        hook.save(update_fields=["previous_secret", "previous_until", "secret"])
        record_event(principal, "webhook-secret-rotated", str(hook.public_id))
    return NewWebhook(hook, secret_text(secret))


def resume_webhook(*, principal: Principal, public_id: str) -> Webhook:
    """Have a paused hook go on where it stopped, at once; one that waits for its next attempt tries now.

    Raises:
        NotFoundError: as `find_webhook`; or its collection is absent for its token. ConflictError: it is stopped for
        good. NotAuthenticatedError, AccessDeniedError: its token may not read any more.
    """
    # Asked here, so that a hook is not paused again when the next thing comes that is not for it: that would tell.
    found = find_webhook(principal=principal, public_id=public_id)
    _require_active(found)
    _require_readable(reader_of(found), found.collection)
    with writing():
        hook = _find(_manageable(principal).select_for_update(of=("self",)), public_id)
        _require_active(hook)
        hook.state, hook.reason = Webhook.State.ACTIVE, ""
        hook.failures, hook.failing_since, hook.next_attempt_at = 0, None, now()
        hook.save(update_fields=["state", "reason", "failures", "failing_since", "next_attempt_at"])
        record_event(principal, "webhook-resumed", str(hook.public_id))
    return hook


def _require_active(hook: Webhook) -> None:
    if hook.state == Webhook.State.STOPPED or not hook.token.is_valid_at(now()):
        raise ConflictError("the webhook is stopped for good; make another", code="webhook-stopped")


def _require_readable(reader: Principal, collection: str) -> None:
    if not find_named(reader, collection).can_read:
        raise AccessDeniedError(f"you may not read {collection}", code="not-readable")


def _require_room(lab_id: int) -> None:
    # The lab's row is locked, so that two requests at once do not both find the last place.
    Lab.objects.select_for_update().get(pk=lab_id)
    hooks = Webhook.objects.filter(lab_id=lab_id)
    if hooks.count() < MAX_PER_LAB:
        return
    stopped = hooks.filter(state=Webhook.State.STOPPED).order_by("id").first()
    if stopped is None:
        raise ConflictError(f"a lab has at most {MAX_PER_LAB} webhooks", code="too-many-webhooks")
    stopped.delete()


def _manageable(principal: Principal) -> QuerySet[Webhook]:
    require_scope(principal, "read")
    return Webhook.objects.select_related("token").filter(
        lab_id=principal.lab_id or 0, token_id__in=manageable_tokens(principal)
    )


def _find(hooks: QuerySet[Webhook], public_id: str) -> Webhook:
    try:
        hook = hooks.filter(public_id=uuid.UUID(public_id)).first()
    except ValueError:
        hook = None
    if hook is None:
        raise NotFoundError("there is no such webhook", code="webhook-not-found")
    return hook
