"""A lab's own objects as it last published them: what the next version of something builds on.

Nothing is delivered by this: what is read here goes into an object of the same lab.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from exchange.services.database import execute
from exchange.services.principals import Principal
from exchange.services.sharing import reading_as

_OWN: Final = """
SELECT o.stix_id, v.body FROM object o JOIN version v ON v.id = o.newest_version_id
WHERE o.producer_id = %(lab)s AND o.stix_id = ANY (%(ids)s) AND v.audience_id = ANY (%(readable)s)
"""


def read_own(principal: Principal, ids: Collection[str]) -> Mapping[str, bytes]:
    """The newest versions of objects that the lab of `principal` made, by id, as far as the principal may read them."""
    if principal.lab_id is None or not ids:
        return {}
    with reading_as(principal) as readable:
        rows = execute(_OWN, {"lab": principal.lab_id, "ids": list(ids), "readable": readable}).fetchall()
    return {stix_id: bytes(body) for stix_id, body in rows}
