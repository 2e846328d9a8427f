"""The parameters of a list of objects: from text to filters. What they mean is the query service's."""

from __future__ import annotations

import re
from typing import Final

from exchange.http.parameters import STIX_TYPE, Parameters, malformed
from exchange.models import StixObject
from exchange.services.collections import CollectionView
from exchange.services.query import Filters, PageRequest, Search
from exchange.stix.errors import MarkingError
from exchange.stix.facets import MAX_TAG_CHARS
from exchange.stix.markings import Tlp

MAX_WORDS_CHARS: Final = 500
"""A question of a person; a whole document is looked for by its id."""

STATES: Final = tuple(state for state in StixObject.State.values if state != StixObject.State.DELETED)
ORDERS: Final = ("oldest", "newest")

NAMES: Final = frozenset({
    "added_after", "added_before", "collection", "cursor", "external_id", "id", "label", "labels", "limit", "marking",
    "modified_after", "modified_before", "order", "pattern_type", "producer", "q", "refers_to", "revoked", "state",
    "type", "valid_at",
})  # fmt: skip

_ID: Final = re.compile("[a-z0-9-]{1,250}--[0-9a-f-]{36}")
_SLUG: Final = re.compile("[-a-zA-Z0-9_]{1,64}")
_VALUE: Final = re.compile(f".{{1,{MAX_TAG_CHARS}}}")
_STATE: Final = re.compile("|".join(STATES))


def read_search(parameters: Parameters, collection: CollectionView) -> Search:
    """What is asked of the collection.

    Raises:
        InvalidRequestError: a parameter is malformed or repeated.
    """
    page = PageRequest(
        limit=parameters.limit() or collection.page_limit,
        added_after=parameters.added_after(),
        cursor=parameters.text("cursor") or "",
        types=parameters.listed("type", STIX_TYPE, "a type of STIX objects"),
        ids=parameters.listed("id", _ID, "an id of STIX objects"),
    )
    return Search(page, _read_filters(parameters), newest_first=_read_order(parameters) == "newest")


def read_producer(parameters: Parameters) -> str:
    """One producer, "" if none was named. Raises: InvalidRequestError."""
    slug = parameters.one("producer")
    if slug is not None and _SLUG.fullmatch(slug) is None:
        raise malformed("producer", "is the slug of a lab or node")
    return slug or ""


def _read_filters(parameters: Parameters) -> Filters:
    return Filters(
        producers=parameters.listed("producer", _SLUG, "the slug of a lab or node"),
        labels=_read_labels(parameters),
        states=parameters.listed("state", _STATE, f"one of {', '.join(STATES)}"),
        pattern_types=parameters.listed("pattern_type", _VALUE, "a type of patterns"),
        said=parameters.listed("labels", _VALUE, "a label of STIX"),
        externals=parameters.listed("external_id", _VALUE, "an external id"),
        markings=parameters.listed("marking", _ID, "an id of a marking"),
        refers_to=parameters.listed("refers_to", _ID, "an id of STIX objects"),
        modified_after=parameters.instant("modified_after"),
        modified_before=parameters.instant("modified_before"),
        valid_at=parameters.instant("valid_at"),
        added_before=parameters.date("added_before"),
        revoked=parameters.flag("revoked") if parameters.one("revoked") is not None else None,
        text=_read_words(parameters),
    )


def _read_labels(parameters: Parameters) -> tuple[Tlp, ...]:
    text = parameters.one("label")
    try:
        return () if text is None else tuple(Tlp.parse(each) for each in text.split(","))
    except MarkingError as error:
        raise malformed("label", f"takes TLP labels; in a query + is %2B. {error.message}") from None


def _read_words(parameters: Parameters) -> str:
    text = parameters.one("q")
    if text is None:
        return ""
    if len(text) > MAX_WORDS_CHARS or not any(each.isalnum() for each in text):
        raise malformed("q", f"has a word to look for, and {MAX_WORDS_CHARS} characters at most")
    return text


def _read_order(parameters: Parameters) -> str:
    order = parameters.text("order") or ORDERS[0]
    if order not in ORDERS:
        raise malformed("order", f"is one of {', '.join(ORDERS)}")
    return order
