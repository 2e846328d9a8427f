"""What a page shows of each version: the columns to read, and what they are read from.

Every selection begins with the version's place and date. No more tables are joined than a selection needs: a page
that shows nothing but bytes costs half of one that tells an object's state and producer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exchange.services.query.entries import COLUMNS, FROM


@dataclass(frozen=True, slots=True)
class Selection:
    """Columns and tables. `label_column` is where the label stands. `has_bodies`: the third column is the version's
    bytes, which bound a page too."""

    columns: str
    tables: str
    label_column: int
    has_bodies: bool


ENTRIES: Final = Selection(COLUMNS, FROM, label_column=5, has_bodies=True)
"""What REST shows: `entries.entry_of` makes a PageEntry of a row."""

BODIES: Final = Selection(
    "e.seq, e.date_added, v.body, v.label",
    "FROM entry e JOIN version v ON v.id = e.version_id",
    label_column=3,
    has_bodies=True,
)
"""Bytes alone."""

NAMES: Final = Selection(
    "e.seq, e.date_added, o.stix_id, v.version_text, v.label",
    "FROM entry e JOIN version v ON v.id = e.version_id JOIN object o ON o.id = e.object_id",
    label_column=4,
    has_bodies=False,
)
"""Versions named and dated but not shown."""
