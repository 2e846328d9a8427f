"""Webhooks of one's own lab: make, list, show, rotate the secret, resume, remove. Delivery is not here."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from exchange.api import operations, schemas
from exchange.api.authentication import member_of
from exchange.api.endpoint import Endpoint, query_of
from exchange.api.orders import order_body, read_order
from exchange.http.codings import keep_plain
from exchange.http.parameters import STIX_TYPE, Parameters
from exchange.models import Webhook
from exchange.services.clock import now
from exchange.services.collections import VIEW_OF_ALL
from exchange.services.principals import Principal
from exchange.services.webhooks import (
    NewWebhook,
    create_webhook,
    delete_webhook,
    find_webhook,
    list_webhooks,
    resume_webhook,
    rotate_secret,
)
from exchange.stix.timestamps import format_taxii

MAX_BODY_BYTES: Final = 64 * 1024

_TypeName = Annotated[str, msgspec.Meta(pattern=rf"^{STIX_TYPE.pattern}\Z")]
_CollectionName = Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[!-~]+\Z")]
_Text = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class WebhookOrder(msgspec.Struct, forbid_unknown_fields=True):
    """The body that asks for a webhook."""

    url: str
    collection: _CollectionName = VIEW_OF_ALL[0]
    types: list[_TypeName] = msgspec.field(default_factory=list)
    description: _Text = ""


class WebhooksView(Endpoint):
    """The webhooks that the token may manage."""

    keeps_nothing = True

    @extend_schema(
        operation_id="listWebhooks",
        summary="Webhooks of your lab",
        description="Those made by your token or by tokens that it may revoke, without their secrets.",
        responses={200: schemas.answers("Webhooks", "The webhooks."), **operations.MEMBER_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Serve them."""
        return Response({"webhooks": [_webhook(hook) for hook in list_webhooks(principal=_asker(request))]})

    @extend_schema(
        operation_id="createWebhook",
        summary="Have new objects posted to you",
        description="What your token may read, from now on, in signed batches. `secret` is shown in this answer only. "
        "The target may not lead to addresses that are not public.",
        request={"application/json": schemas.form("NewWebhook")},
        responses={201: schemas.answers("IssuedWebhook", "The webhook."), **operations.WRITE_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        principal = _asker(request)
        body = order_body(request._request, max_body_bytes=MAX_BODY_BYTES)
        order = read_order(body, WebhookOrder, code="webhook-order")
        made = create_webhook(
            principal=principal,
            url=order.url,
            collection=order.collection,
            types=order.types,
            description=order.description,
        )
        return _secret_response(made)


class WebhookView(Endpoint):
    """One webhook by its id."""

    keeps_nothing = True

    @extend_schema(
        operation_id="readWebhook",
        parameters=[operations.WEBHOOK_ID],
        summary="One webhook, and how it fares",
        responses={200: schemas.answers("Webhook", "The webhook."), **operations.MEMBER_PROBLEMS},
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Serve it."""
        return Response(_webhook(find_webhook(principal=_asker(request), public_id=public_id)))

    @extend_schema(
        operation_id="deleteWebhook",
        parameters=[operations.WEBHOOK_ID],
        summary="Remove a webhook",
        responses={204: None, **operations.MEMBER_PROBLEMS},
    )
    def delete(self, request: Request, public_id: str) -> Response:
        """Remove it."""
        delete_webhook(principal=_asker(request), public_id=public_id)
        return Response(status=204)


class WebhookSecretView(Endpoint):
    """The secret of one webhook, which is never shown again but may be replaced."""

    keeps_nothing = True

    @extend_schema(
        operation_id="rotateWebhookSecret",
        parameters=[operations.WEBHOOK_ID],
        summary="Replace a webhook's secret",
        description="For 24 h messages are signed with the secret before as well.",
        request=None,
        responses={
            201: schemas.answers("IssuedWebhook", "The webhook with its new secret."),
            **operations.WRITE_PROBLEMS,
        },
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Replace it."""
        return _secret_response(rotate_secret(principal=_asker(request), public_id=public_id))


class WebhookResumptionView(Endpoint):
    """A webhook that was paused, or waits long for its next attempt."""

    keeps_nothing = True

    @extend_schema(
        operation_id="resumeWebhook",
        parameters=[operations.WEBHOOK_ID],
        summary="Resume a webhook",
        description="It goes on where it stopped, at once.",
        request=None,
        responses={200: schemas.answers("Webhook", "The webhook."), **operations.WRITE_PROBLEMS},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Resume it."""
        return Response(_webhook(resume_webhook(principal=_asker(request), public_id=public_id)))


def _asker(request: Request) -> Principal:
    Parameters(query_of(request)).allow_only(())
    return member_of(request)


def _secret_response(made: NewWebhook) -> Response:
    response = Response({"secret": made.secret, **_webhook(made.hook)}, status=201)
    keep_plain(response)
    return response


def _webhook(hook: Webhook) -> dict[str, Any]:
    """What its lab sees of it. Nothing here tells how much happens at the node that its token does not read."""
    is_over = not hook.token.is_valid_at(now())
    return {
        "id": str(hook.public_id),
        "url": hook.url,
        "description": hook.description,
        "collection": hook.collection,
        "types": list(hook.types),
        "token": hook.token.prefix,
        "created": format_taxii(hook.created_at),
        "state": str(Webhook.State.STOPPED) if is_over else hook.state,
        "reason": ("token" if is_over else hook.reason) or None,
        "pending_since": _when(hook.pending_since),
        "next_attempt": _when(hook.next_attempt_at if hook.failures else None),
        "failures": hook.failures,
        "last_success": _when(hook.last_success_at),
        "last_failure": _when(hook.last_failure_at),
        "last_failure_reason": hook.last_failure or None,
        "previous_secret_until": _when(hook.previous_until),
    }


def _when(moment: Any) -> str | None:
    return format_taxii(moment) if moment is not None else None
