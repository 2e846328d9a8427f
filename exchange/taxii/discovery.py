"""GET /taxii2/ (TAXII 2.1 section 4.1): the API roots that the client may know of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from exchange.services.collections import DEFAULT_ROOT
from exchange.services.errors import NotAuthenticatedError
from exchange.services.principals import Principal
from exchange.services.roots import RootView, visible_roots
from exchange.taxii.answers import resource_response
from exchange.taxii.endpoint import endpoint, speaks_tls_alone


def locate_roots(principal: Principal, _names: Mapping[str, str]) -> list[RootView]:
    """The roots of discovery. Raises: NotAuthenticatedError: nobody signed in and nothing is public."""
    roots = visible_roots(principal)
    if not roots and not principal.is_granted:
        raise NotAuthenticatedError("sign in with a token")
    return roots


def get_discovery(_request: HttpRequest, _principal: Principal, roots: list[RootView]) -> HttpResponse:
    """Where the node has an HTTPS address, roots are absolute, because some clients know no others; else relative, as
    section 4.1.1 allows no other scheme."""
    resource: dict[str, Any] = {
        "title": "commonwatch",
        "description": "Signed intelligence about adversarial distillation, shared among AI labs.",
    }
    if roots:
        base = settings.PUBLIC_URL.rstrip("/") if speaks_tls_alone() else ""
        addresses = {root.slug: base + reverse("taxii-root", kwargs={"api_root": root.slug}) for root in roots}
        resource["default"] = addresses.get(DEFAULT_ROOT) or next(iter(addresses.values()))
        resource["api_roots"] = list(addresses.values())
    return resource_response(resource)


discovery = endpoint(locate_roots, GET=get_discovery)
