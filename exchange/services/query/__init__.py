"""Reads: pages of a collection, single objects, versions. Every door reads through here.

Two conditions, always both: the collection's grant (a CollectionView with `sources`) and the audience. The query
filters by both; row-level security repeats the second. A page costs the same number of queries whatever its
length, and no object is parsed.
"""

from exchange.services.query.bodies import AHEAD, BodiesPage, read_bodies
from exchange.services.query.entries import PageEntry
from exchange.services.query.filters import Filters
from exchange.services.query.following import Batch, cursor_at, read_on
from exchange.services.query.history import Difference, Versions, VersionsRequest, compare_versions, read_versions
from exchange.services.query.object import read_object
from exchange.services.query.page import Manifest, ManifestRecord, Page, has_object, read_manifest, read_page
from exchange.services.query.request import PageRequest
from exchange.services.query.search import Search, search_page
from exchange.services.query.surroundings import Found, Surroundings, looking_around
from exchange.services.query.versions import FIRST, LAST

__all__ = [
    "AHEAD",
    "FIRST",
    "LAST",
    "Batch",
    "BodiesPage",
    "Difference",
    "Filters",
    "Found",
    "Manifest",
    "ManifestRecord",
    "Page",
    "PageEntry",
    "PageRequest",
    "Search",
    "Surroundings",
    "Versions",
    "VersionsRequest",
    "compare_versions",
    "cursor_at",
    "has_object",
    "looking_around",
    "read_bodies",
    "read_manifest",
    "read_object",
    "read_on",
    "read_page",
    "read_versions",
    "search_page",
]
