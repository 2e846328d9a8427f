"""Tells whether something is as it was: what everything that is kept in memory rests on.

Two things are asked about. A stretch of the sequence: new entries come at the end and change nothing before it, and
whatever changes or removes an entry adds a row to `change`. And who may see what: tokens, labs, roots, collections,
grants, audiences. Triggers add the rows (migrations/sql/changes.sql) in the transaction of the change, whoever makes
it. So what was read is true as long as the rows about it are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from exchange.services.database import execute

BLOCK_BITS: Final = 10
"""Changes of entries are noted by blocks of 1,024 numbers, about a page; changes.sql says the same."""

ACCESS_BLOCK: Final = -1

LIFE: Final = timedelta(minutes=5)
"""How long anything is kept in memory under a mark."""

KEPT_FOR: Final = 2 * LIFE
"""Rows stay for this after they were first seen, which is after their commit. So nothing in memory meets a mark that is
the same by chance: a removed row and a new one never have the same number."""

MARK: Final = """SELECT count(*), coalesce(sum(id), 0)::bigint FROM change
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
    """How many changes there were, and the sum of their numbers."""

    changes: int
    changed: int


def read_mark(span: Span) -> Mark:
    """The mark of a span, in the transaction that reads its entries."""
    return Mark(*execute(MARK, span.params).fetchall()[0])


def read_access_mark() -> Mark:
    """The mark of who may see what."""
    return Mark(*execute(MARK, {"first_block": ACCESS_BLOCK, "last_block": ACCESS_BLOCK}).fetchall()[0])


def purge_changes(moment: datetime) -> int:
    """Note which rows are seen at `moment`, and remove those that were seen `KEPT_FOR` before; answers how many went.

    A row's own time would not do: a long transaction commits long after it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE change SET noticed_at = %s WHERE noticed_at IS NULL", [moment])
        cursor.execute("DELETE FROM change WHERE noticed_at < %s", [moment - KEPT_FOR])
        return int(cursor.rowcount)
