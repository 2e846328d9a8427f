"""What OpenAPI says of parameters of attribution and onward sharing. What all operations share is in operations.py."""

from __future__ import annotations

from typing import Final

from drf_spectacular.utils import OpenApiParameter

from attribution.lookups.formats import FORMATS
from attribution.onward import MAX_PAGE
from attribution.onward.listing import ROLES, State
from exchange.api.operations import IDEMPOTENCY_KEY, LIMIT, SIGN, query

ONWARD_ID: Final = OpenApiParameter(
    "public_id",
    {"type": "string", "minLength": 1, "examples": ["7d3f0f5e-6a4b-4f0e-9d0a-2f6f3c1b8a55"]},
    OpenApiParameter.PATH,
    description="Id of a request for onward sharing.",
)
_INCLUDE: Final = query(
    "include",
    {"type": "string", "enum": ["stale"]},
    "`stale`: with claims that have decayed away or that their producers let end.",
)
LOOKUP_PARAMETERS: Final = [
    query("ip", {"type": "string", "minLength": 1}, "An IPv4 or IPv6 address.", "203.0.113.7"),
    query("asn", {"type": "string", "minLength": 1}, "An autonomous system.", "AS64500"),
    query("domain", {"type": "string", "minLength": 1}, "A domain; those above it count too.", "proxies.example"),
    _INCLUDE,
]
LOOKUPS_PARAMETERS: Final = [_INCLUDE]
EXPORT_PARAMETERS: Final = [
    query("format", {"type": "string", "enum": list(FORMATS)}, "`jsonl` if left out.", "nginx"),
    _INCLUDE,
]
ONWARD_PARAMETERS: Final = [
    query("role", {"type": "string", "enum": list(ROLES)}, "Those that your lab asked or received; both if left out."),
    query("state", {"type": "string", "enum": list(State.values)}, "Those in this state; all if left out.", "asked"),
    query("limit", LIMIT, f"Requests a page; {MAX_PAGE} at most."),
    query("cursor", {"type": "string", "minLength": 1}, "`next` of the page before, with the same filters."),
]
DECISION_PARAMETERS: Final = [ONWARD_ID, SIGN, IDEMPOTENCY_KEY]
