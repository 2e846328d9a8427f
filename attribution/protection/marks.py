"""The mark *do not block* of addresses and networks. It decides nothing else: a match with a mark is still a match."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from attribution.protection.shield import Mark, Shield, shield_of
from exchange.services.clock import now
from exchange.services.database import execute

# Of several entries the narrowest speaks: it says most about who would be hit.
_MARKS: Final = """
SELECT DISTINCT ON (asked.place) asked.place, a.net::text, a.title, a.reason, a.expires_at
FROM unnest(%(nets)s::text[]::inet[]) WITH ORDINALITY AS asked (net, place)
JOIN allowed_network a ON a.net && asked.net AND a.expires_at > %(moment)s
ORDER BY asked.place, masklen(a.net) DESC, a.net
"""


def marks_for(nets: Sequence[str], *, moment: datetime | None = None) -> list[Mark | None]:
    """The mark of each address or network, None where nothing protects it; one statement, whatever the number.

    nets: as text that PostgreSQL reads as `inet`. A network is marked where it overlaps a protected one, in either
    direction. moment: aware, default now; an entry that has expired by then counts no longer.
    """
    marks: list[Mark | None] = [None] * len(nets)
    if nets:
        params = {"nets": list(nets), "moment": moment or now()}
        for place, *found in execute(_MARKS, params).fetchall():
            marks[place - 1] = Mark(*found)
    return marks


_ACTIVE: Final = """
SELECT net::text, title, reason, expires_at FROM allowed_network WHERE expires_at > %(moment)s ORDER BY net
"""


def read_shield(moment: datetime) -> Shield:
    """All that is protected at this moment, for long streams and lists. One statement."""
    rows: list[tuple[Any, ...]] = execute(_ACTIVE, {"moment": moment}, prepare=False).fetchall()
    return shield_of([Mark(*row) for row in rows])
