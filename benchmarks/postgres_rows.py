"""Bare PostgreSQL: the rows of full pages by their keys, without rules, and without Python doing anything with them."""

from __future__ import annotations

import time

import psycopg

_PAGE = """
SELECT e.seq, v.body FROM entry e JOIN version v ON v.id = e.version_id
WHERE e.collection_id = %(collection)s AND e.seq > %(after)s AND e.is_newest ORDER BY e.seq LIMIT %(limit)s
"""


def rows_per_second(owner_url: str, collection_id: int, *, page: int, pages: int, binary: bool) -> float:
    """Rows a second over so many pages, prepared, in the text or the binary form of the protocol.

    They are read twice and the second time counts: what is compared is not the disk.
    """
    with psycopg.connect(owner_url) as link:
        for _ in range(2):
            after, read, began = 0, 0, time.perf_counter()
            for _page in range(pages):
                params = {"collection": collection_id, "after": after, "limit": page}
                rows = link.execute(_PAGE, params, prepare=True, binary=binary).fetchall()
                after, read = rows[-1][0], read + len(rows)
            seconds = time.perf_counter() - began
    return read / seconds
