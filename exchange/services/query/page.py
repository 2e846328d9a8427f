"""Pages of a collection, by cursor or by date: objects with what the node knows of them, or the list of their names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from exchange.services.collections import CollectionView
from exchange.services.principals import Principal
from exchange.services.query.entries import PageEntry, entry_of
from exchange.services.query.fetching import fetch_rows
from exchange.services.query.reading import NO_TAGS, answer, open_reading
from exchange.services.query.request import PageRequest
from exchange.services.query.selections import ENTRIES, NAMES
from exchange.services.sharing import reading_as


@dataclass(frozen=True, slots=True)
class Page:
    """Entries by ascending `date_added`. `next` is a cursor, "" when nothing remains."""

    entries: list[PageEntry]
    more: bool
    next: str


class ManifestRecord(NamedTuple):
    """One version, named and dated but not shown. A tuple as PageEntry is, for the same reason."""

    seq: int
    date_added: datetime
    id: str
    version: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Records by ascending `date_added`. `next` is a cursor, "" when nothing remains. `tag` tells this answer from
    others to the same question; if `is_known` the reader said that it has it, and nothing is here."""

    records: list[ManifestRecord] = field(default_factory=list)
    more: bool = False
    next: str = ""
    tag: str = ""
    is_known: bool = False


def read_page(*, principal: Principal, collection: CollectionView, request: PageRequest, door: str) -> Page:
    """The next entries of a collection that the principal may read.

    Raises:
        AccessDeniedError: the collection is visible but not readable. InvalidRequestError: a bad cursor or limit.
    """
    reading = open_reading(principal=principal, collection=collection, request=request, door=door)
    found = answer(reading, ENTRIES)
    return Page([entry_of(row) for row in found.fetched.rows], more=bool(found.next), next=found.next)


def read_manifest(
    *,
    principal: Principal,
    collection: CollectionView,
    request: PageRequest,
    door: str,
    known_tags: frozenset[str] = NO_TAGS,
) -> Manifest:
    """What `read_page` would show, without the objects (TAXII 2.1 sections 5.3 and 5.8).

    The delivery log says that names were shown and nothing else. Its cursors are not those of pages.

    Raises:
        As `read_page`.
    """
    reading = open_reading(principal=principal, collection=collection, request=request, door=door, shows="names")
    found = answer(reading, NAMES, known_tags=known_tags)
    records = [] if found.is_known else [ManifestRecord._make(row[:4]) for row in found.fetched.rows]
    return Manifest(records, bool(found.next), found.next, found.tag, found.is_known)


def has_object(*, principal: Principal, collection: CollectionView, stix_id: str) -> bool:
    """Whether the principal may read any version of the object in this collection."""
    if "\0" in stix_id or not collection.can_read:
        return False
    any_version = PageRequest(limit=1, ids=(stix_id,), all_versions=True)
    with reading_as(principal) as readable:
        return bool(fetch_rows(collection, any_version, readable, 0, NAMES).rows)
