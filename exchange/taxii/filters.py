"""The queries of TAXII requests (TAXII 2.1 section 3.4): every parameter is known, and what is malformed is refused.

Parameters that an address does not have are left alone, as section 3.4 allows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from exchange.http.parameters import STIX_TYPE, Parameters, malformed
from exchange.services.query import FIRST, LAST, PageRequest
from exchange.stix.errors import StixError, shown
from exchange.stix.timestamps import ordering_key, parse_timestamp

STIX_VERSION: Final = "2.1"
ALL: Final = "all"

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


@dataclass(frozen=True, slots=True)
class DeletionFilters:
    """Which versions of an object to delete: `first`, `last`, version keys; every one if `versions` is None."""

    versions: tuple[str, ...] | None
    is_unsatisfiable: bool = False


def read_filters(query_string: str, *, page_limit: int) -> Filters:
    """The query of GET objects and GET manifest. A limit over `page_limit` counts as `page_limit`; so does none.

    Raises:
        InvalidRequestError: a malformed or repeated parameter.
    """
    parameters = Parameters(query_string)
    types = parameters.listed("match[type]", STIX_TYPE, "a type of STIX objects")
    ids = parameters.listed("match[id]", _ID, "the id of a STIX object")
    return _filters(parameters, _versions(parameters), page_limit=page_limit, types=types, ids=ids)


def read_object_filters(query_string: str, *, stix_id: str, page_limit: int) -> Filters:
    """The query of GET object, whose id stands in the path. Raises: as `read_filters`."""
    parameters = Parameters(query_string)
    return _filters(parameters, _versions(parameters), page_limit=page_limit, ids=(stix_id,))


def read_versions_filters(query_string: str, *, stix_id: str, page_limit: int) -> Filters:
    """The query of GET versions: there is no match[version], every one is meant. Raises: as `read_filters`."""
    return _filters(Parameters(query_string), (ALL,), page_limit=page_limit, ids=(stix_id,))


def read_deletion_filters(query_string: str) -> DeletionFilters:
    """The query of DELETE object. Raises: as `read_filters`."""
    parameters = Parameters(query_string)
    versions = _versions(parameters, absent=ALL)
    return DeletionFilters(None if versions == (ALL,) else versions, _is_unsatisfiable(parameters))


def _filters(
    parameters: Parameters,
    versions: tuple[str, ...],
    *,
    page_limit: int,
    types: tuple[str, ...] = (),
    ids: tuple[str, ...] = (),
) -> Filters:
    is_all = versions == (ALL,)
    page = PageRequest(
        limit=min(parameters.limit() or page_limit, page_limit),
        added_after=parameters.added_after(),
        cursor=_cursor(parameters),
        types=types,
        ids=ids,
        all_versions=is_all,
        versions=(LAST,) if is_all else versions,
    )
    return Filters(page, _is_unsatisfiable(parameters))


def _is_unsatisfiable(parameters: Parameters) -> bool:
    spec_versions = parameters.listed("match[spec_version]", _SPEC_VERSION, "a STIX version such as 2.1")
    return bool(spec_versions) and STIX_VERSION not in spec_versions


def _cursor(parameters: Parameters) -> str:
    # taxii2-client sends an empty `next` where it has none.
    cursor = parameters.one("next") or ""
    if len(cursor) > MAX_NEXT_CHARS or _NEXT.fullmatch(cursor) is None:
        raise malformed("next", "is not one that this node gave; start again")
    return cursor


def _versions(parameters: Parameters, *, absent: str = LAST) -> tuple[str, ...]:
    """Values of match[version], timestamps as version keys; none comes twice, and `all` comes alone."""
    values = parameters.listed("match[version]", _ANY, "a version") or (absent,)
    keys = tuple(value if value in {FIRST, LAST, ALL} else _key(value) for value in values)
    if len(set(keys)) != len(keys):
        raise malformed("match[version]", "names a version twice")
    if ALL in keys and len(keys) > 1:
        raise malformed("match[version]", "is all, or a list without it")
    return keys


def _key(value: str) -> str:
    try:
        parse_timestamp(value)
    except StixError:
        fault = f"{shown(value)} is not first, last, all or a STIX timestamp"
        raise malformed("match[version]", fault) from None
    return ordering_key(value)
