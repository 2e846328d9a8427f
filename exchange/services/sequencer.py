"""Gives out sequence numbers and dates in commit order (docs/adr/0003-one-sequencer.md).

Owner of the lock: whoever takes numbers holds the sequencer's row until its transaction ends, so numbers are
taken last, after every other lock and check. A follower that reads "after N" then misses nothing.
"""

from __future__ import annotations

from typing import Final

from django.db import connection

from exchange.services.database import execute

TAKE_NUMBERS: Final = """
UPDATE sequencer SET
    last_date_added = greatest(clock_timestamp(), last_date_added) + gaps.offsets[%(count)s] * interval '1 microsecond',
    last_seq = last_seq + %(count)s
FROM (
    SELECT array_agg(distance ORDER BY ord) AS offsets
    FROM (SELECT ord, (sum(1 + floor(exp(6 * random()))) OVER (ORDER BY ord))::int AS distance
          FROM generate_series(1, %(count)s) AS ord) AS step
) AS gaps
WHERE id = 1
RETURNING last_seq - %(count)s AS seq, gaps.offsets,
          last_date_added - gaps.offsets[%(count)s] * interval '1 microsecond' AS date
"""
"""Takes `count` numbers: the i-th, from 1, is `seq + i`, and its date `date` plus `offsets[i]` microseconds.

Readers see dates. Even steps would tell a reader how many entries stand between two that it sees, so the steps are
random, from 2 to 404 microseconds: on average 67, or 15,000 a second before dates run ahead of the clock.
"""


def next_number() -> int:
    """Take one number."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_NUMBERS, {"count": 1})
        return int(cursor.fetchone()[0]) + 1


def last_number() -> int:
    """The number given out last. Whoever reads afterwards sees everything up to it."""
    found: int = execute("SELECT last_seq FROM sequencer WHERE id = 1", {}).fetchall()[0][0]
    return found
