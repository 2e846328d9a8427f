"""Objects as a plain feed has them: nobody here is their creator, and nobody signed."""

from __future__ import annotations

import uuid
from typing import Any

from exchange.stix.markings import Tlp


def feed_indicator(**changes: Any) -> dict[str, Any]:
    """An indicator of nobody known here; `changes` set or (None) remove members."""
    members: dict[str, Any] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created": "2026-11-24T12:00:00.000Z",
        "modified": "2026-11-24T12:00:00.000Z",
        "name": "Address of a proxy",
        "pattern": "[ipv4-addr:value = '198.51.100.7']",
        "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
        "object_marking_refs": [Tlp.GREEN.marking_id],
    }
    return {name: value for name, value in (members | changes).items() if value is not None}
