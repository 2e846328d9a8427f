"""Addresses for those who run the node: /healthz, /readyz and /metrics. Nothing of the intelligence is in them."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from exchange.models import Person
from exchange.web.metrics import render_metrics
from exchange.web.readiness import check_parts


@require_safe
@never_cache
def show_health(_request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers; asks nothing of others."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def show_readiness(_request: HttpRequest) -> JsonResponse:
    """200 when every part is usable, else 503 with the parts that are not."""
    parts = check_parts()
    faults = {part.name: part.fault for part in parts if part.fault}
    body = {"ready": not faults, "parts": {part.name: part.fault or "ok" for part in parts}}
    return JsonResponse(body, status=503 if faults else 200)


@require_safe
@never_cache
def show_metrics(request: HttpRequest) -> HttpResponse:
    """Metrics in the Prometheus text format, for METRICS_TOKEN and for operators signed in with both factors."""
    if not (_has_scrape_token(request) or _is_operator(request)):
        response = HttpResponse(
            "sign in as an operator or with the scrape token\n", status=401, content_type="text/plain"
        )
        response["WWW-Authenticate"] = 'Bearer realm="commonwatch metrics"'
        return response
    return HttpResponse(render_metrics(), content_type=CONTENT_TYPE_LATEST)


def _has_scrape_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    wanted: str = settings.METRICS_TOKEN
    is_right = hmac.compare_digest(given.strip().encode("utf-8", "replace"), wanted.encode())
    return bool(wanted) and scheme.lower() == "bearer" and is_right


def _is_operator(request: HttpRequest) -> bool:
    person = request.user
    # is_verified is added by django-otp's middleware: the session has passed the second factor.
    is_verified = bool(getattr(person, "is_verified", lambda: False)())
    return isinstance(person, Person) and person.is_active and person.role == Person.Role.OPERATOR and is_verified
