"""Tells whether a stretch of the sequence is as it was: what a kept page rests on.

New entries come at the end and change nothing before it. Whatever changes or removes an entry, whoever does it, adds a
row to `entry_change` in the same transaction, by a trigger (migrations/sql/entry_changes.sql). So a stretch is as it
was if the rows about it are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from exchange.services.database import execute

BLOCK_BITS: Final = 10
"""Changes are noted by blocks of 1,024 numbers, about a page; entry_changes.sql says the same."""

KEPT_FOR: Final = timedelta(hours=1)
"""Rows are removed after this. A page is kept for less (query/kept_pages.py), so it never meets a sum that is the same
by chance: a removed row and a new one never have the same number."""

MARK: Final = """SELECT count(*), coalesce(sum(id), 0)::bigint FROM entry_change
WHERE block BETWEEN %(first_block)s AND %(last_block)s"""


@dataclass(frozen=True, slots=True)
class Span:
    """The entries after `after` up to `until`."""

    after: int
    until: int

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of MARK."""
        return {"first_block": self.after >> BLOCK_BITS, "last_block": self.until >> BLOCK_BITS}


@dataclass(frozen=True, slots=True)
class Mark:
    """How many changes a span has seen, and the sum of their numbers."""

    changes: int
    changed: int


def read_mark(span: Span) -> Mark:
    """The mark of a span, in the transaction that reads its entries."""
    return Mark(*execute(MARK, span.params).fetchall()[0])


def purge_changes(moment: datetime) -> int:
    """Remove rows older than `KEPT_FOR` at `moment`; answers how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM entry_change WHERE at < %s", [moment - KEPT_FOR])
        return int(cursor.rowcount)
