"""The mark *do not block* of addresses and networks. It decides nothing else: a match with a mark is still a match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from exchange.services.clock import now
from exchange.services.database import execute
from exchange.stix.timestamps import format_stix


@dataclass(frozen=True, slots=True)
class Mark:
    """Why something is not to be blocked. net: the protected network; until: when the entry ends."""

    net: str
    title: str
    reason: str
    until: datetime

    def to_json(self) -> dict[str, Any]:
        """As it stands in answers under `do_not_block`."""
        return {"title": self.title, "reason": self.reason, "until": format_stix(self.until)}


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
        for place, *found in execute(_MARKS, params, prepare=False).fetchall():
            marks[place - 1] = Mark(*found)
    return marks
