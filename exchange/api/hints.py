"""POST /api/v1/hints/: another exchange says that it has something new (docs/federation.md, "Hints")."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from exchange.api import operations
from exchange.api.authentication import granted_of
from exchange.api.endpoint import Endpoint, no_parameters
from exchange.services.peers.hints import hear_hint
from exchange.services.queue import WAKE_CHANNELS, send_task


class HintsView(Endpoint):
    """The words of peers."""

    keeps_nothing = True

    @extend_schema(
        operation_id="hint",
        summary="Say that there is something new",
        description="For exchanges that are peers of this node: it pulls from you now, and not when it would have. "
        "There is no body.",
        request=None,
        responses={204: None, **operations.WRITE_PROBLEMS},
    )
    def post(self, request: Request) -> HttpResponse:
        """Take it."""
        no_parameters(request)
        hear_hint(granted_of(request))
        send_task(WAKE_CHANNELS)
        return HttpResponse(status=204)
