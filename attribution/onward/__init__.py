"""Onward sharing: a recipient asks an object's producer to let one more lab, or its own clients, see it."""

from attribution.onward.asking import Answered, Asked, ask_onward
from attribution.onward.deciding import record_decision, withdraw_request
from attribution.onward.drafting import Grant, draft_grant
from attribution.onward.listing import MAX_PAGE, Listing, find_request, list_requests
from attribution.onward.parties import require_asker
from attribution.onward.settling import expire_requests

__all__ = [
    "MAX_PAGE",
    "Answered",
    "Asked",
    "Grant",
    "Listing",
    "ask_onward",
    "draft_grant",
    "expire_requests",
    "find_request",
    "list_requests",
    "record_decision",
    "require_asker",
    "withdraw_request",
]
