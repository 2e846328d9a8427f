"""The delivery log: one row per answer that holds objects, committed before its first byte."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from exchange.services import counters
from exchange.services.principals import Principal

_INSERT = """
INSERT INTO delivery (at, lab_id, person_id, token_id, door, collection_ids, seq_from, seq_to, filter, audience_ids)
VALUES (clock_timestamp(), %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def record_delivery(
    principal: Principal,
    *,
    door: str,
    collection_ids: Sequence[int],
    seqs: Sequence[int],
    audience_ids: Sequence[int],
    filters: Mapping[str, Any],
) -> None:
    """Add the row for an answer with these sequence numbers, in the transaction that reads them.

    What was delivered follows from it: entries of these collections in the range, under the filter, readable by
    these audiences.
    """
    if not seqs:
        return
    counters.DELIVERED.labels(door).inc(len(seqs))
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                principal.lab_id,
                principal.person_id,
                principal.token_id,
                door,
                list(collection_ids),
                min(seqs),
                max(seqs),
                json.dumps(dict(filters)),
                list(audience_ids),
            ],
        )
