"""The query of a TAXII read (TAXII 2.1 section 3.4): every parameter is known, and what is malformed is refused.

This node serves the newest version of every object, or all versions, in STIX 2.1. Single older versions are refused as
not served, never taken for the newest. Unknown parameters are left alone, as section 3.4 allows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from exchange.http.parameters import STIX_TYPE, Parameters, malformed
from exchange.services.errors import InvalidRequestError
from exchange.services.query import PageRequest
from exchange.stix.errors import StixError, shown
from exchange.stix.timestamps import ordering_key, parse_timestamp

STIX_VERSION: Final = "2.1"
VERSION_WORDS: Final = frozenset({"first", "last", "all"})

MAX_NEXT_CHARS: Final = 1_024
"""Our cursors have about 150 characters."""

_ID: Final = re.compile("[a-z0-9-]{1,250}--[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SPEC_VERSION: Final = re.compile("[0-9]{1,4}[.][0-9]{1,4}")
_NEXT: Final = re.compile("[!-~]*")
_ANY: Final = re.compile(".+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a read asks for. `is_unsatisfiable`: nothing on this node can match, whoever asks."""

    page: PageRequest
    is_unsatisfiable: bool = False


def read_filters(query_string: str, *, page_limit: int) -> Filters:
    """The query of GET objects. A limit over `page_limit` counts as `page_limit`; so does none.

    Raises:
        InvalidRequestError: a malformed or repeated parameter, or a version that is not served.
    """
    parameters = Parameters(query_string)
    versions = _served_versions(_versions(parameters))
    spec_versions = parameters.listed("match[spec_version]", _SPEC_VERSION, "a STIX version such as 2.1")
    page = PageRequest(
        limit=min(parameters.limit() or page_limit, page_limit),
        added_after=parameters.added_after(),
        cursor=_cursor(parameters),
        types=parameters.listed("match[type]", STIX_TYPE, "a type of STIX objects"),
        ids=parameters.listed("match[id]", _ID, "the id of a STIX object"),
        all_versions=versions == ("all",),
    )
    return Filters(page, is_unsatisfiable=bool(spec_versions) and STIX_VERSION not in spec_versions)


def _cursor(parameters: Parameters) -> str:
    # taxii2-client sends an empty `next` where it has none.
    cursor = parameters.one("next") or ""
    if len(cursor) > MAX_NEXT_CHARS or _NEXT.fullmatch(cursor) is None:
        raise malformed("next", "is not one that this node gave; start again")
    return cursor


def _versions(parameters: Parameters) -> tuple[str, ...]:
    """Values of match[version], `("last",)` if it was not given; each is a word or a timestamp, none twice."""
    values = parameters.listed("match[version]", _ANY, "a version") or ("last",)
    keys = [value if value in VERSION_WORDS else _instant(value) for value in values]
    if len(set(keys)) != len(keys):
        raise malformed("match[version]", "names a version twice")
    if "all" in keys and len(keys) > 1:
        raise malformed("match[version]", "is all, or a list without it")
    return values


def _instant(value: str) -> str:
    try:
        parse_timestamp(value)
    except StixError:
        fault = f"{shown(value)} is not first, last, all or a STIX timestamp"
        raise malformed("match[version]", fault) from None
    return ordering_key(value)


def _served_versions(versions: tuple[str, ...]) -> tuple[str, ...]:
    if versions not in (("last",), ("all",)):
        raise InvalidRequestError(
            "match[version] other than last and all is not served here", code="version-not-served"
        )
    return versions
