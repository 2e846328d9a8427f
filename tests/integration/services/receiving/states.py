"""The state of an object, past row-level security."""

from __future__ import annotations

from tests.integration.services.views import as_owner


def state_of(stix_id: str) -> str:
    return str(as_owner("SELECT state FROM object WHERE stix_id = %s", stix_id)[0][0])
