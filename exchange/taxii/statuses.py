"""GET {api-root}/status/{status-id}/ (TAXII 2.1 section 4.3): what became of a posted envelope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

from exchange.models import PublishingStatus
from exchange.services.principals import Principal
from exchange.services.roots import find_root
from exchange.services.statuses import find_status
from exchange.stix.timestamps import format_taxii
from exchange.taxii.answers import resource_response
from exchange.taxii.endpoint import endpoint


def locate_status(principal: Principal, names: Mapping[str, str]) -> PublishingStatus:
    """The status, for the lab that posted. Raises: NotFoundError."""
    find_root(principal, names["api_root"])
    return find_status(principal=principal, status_id=names["status_id"])


def get_status(_request: HttpRequest, _principal: Principal, status: PublishingStatus) -> HttpResponse:
    """The status as it is now."""
    return resource_response(status_resource(status))


def status_resource(status: PublishingStatus) -> dict[str, Any]:
    """Members of a status resource (section 4.3.1). Counts are taken from the lists, so they always agree."""
    lists = {"success": status.successes, "failure": status.failures, "pending": status.pendings}
    resource: dict[str, Any] = {
        "id": str(status.id),
        "status": "complete" if status.completed_at is not None else "pending",
        "request_timestamp": format_taxii(status.requested_at),
        "total_count": sum(map(len, lists.values())),
    }
    for name, details in lists.items():
        resource[f"{name}_count"] = len(details)
        if details:
            resource["successes" if name == "success" else f"{name}s"] = details
    return resource


status = endpoint(locate_status, GET=get_status)
