"""GET {api-root}/status/{status-id}/ (TAXII 2.1 section 4.3): what became of a posted envelope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

from exchange.services.principals import Principal
from exchange.services.roots import find_root
from exchange.services.statuses import StatusReport, find_status
from exchange.stix.timestamps import format_taxii
from exchange.taxii.answers import resource_response
from exchange.taxii.endpoint import endpoint


def locate_status(principal: Principal, names: Mapping[str, str]) -> StatusReport:
    """The status, for the lab that posted. Raises: NotFoundError."""
    find_root(principal, names["api_root"])
    return find_status(principal=principal, status_id=names["status_id"])


def get_status(_request: HttpRequest, _principal: Principal, status: StatusReport) -> HttpResponse:
    """The status as it is now."""
    return resource_response(status_resource(status))


def status_resource(status: StatusReport) -> dict[str, Any]:
    """Members of a status resource (section 4.3.1). A list that is there has as many items as its count says."""
    resource: dict[str, Any] = {
        "id": str(status.id),
        "status": "complete" if status.is_complete else "pending",
        "request_timestamp": format_taxii(status.requested_at),
        "total_count": status.success_count + status.failure_count + status.pending_count,
    }
    for name, plural, count, details in (
        ("success", "successes", status.success_count, status.successes),
        ("failure", "failures", status.failure_count, status.failures),
        ("pending", "pendings", status.pending_count, status.pendings),
    ):
        resource[f"{name}_count"] = count
        if details:
            resource[plural] = details
    return resource


status = endpoint(locate_status, GET=get_status)
