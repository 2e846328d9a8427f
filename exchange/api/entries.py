"""Entries of a collection as REST shows them: facts of the node around the bytes that the producer signed.

The object is put in as it is stored; it is never parsed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exchange.api.problems import encoded
from exchange.services.query import Page, PageEntry
from exchange.stix.timestamps import format_taxii


def page_bytes(page: Page) -> bytes:
    """`{"objects":[...],"more":bool,"next":cursor}`."""
    ending = {"more": page.more} | ({"next": page.next} if page.more else {})
    return b'{"objects":[' + _joined(map(entry_bytes, page.entries)) + b"]," + encoded(ending)[1:]


def objects_bytes(entries: Iterable[PageEntry]) -> bytes:
    """`{"objects":[...]}`."""
    return b'{"objects":[' + _joined(map(entry_bytes, entries)) + b"]}"


def versions_bytes(entries: Iterable[PageEntry]) -> bytes:
    """`{"versions":[...]}`."""
    return b'{"versions":[' + _joined(map(version_bytes, entries)) + b"]}"


def entry_bytes(entry: PageEntry) -> bytes:
    """One entry. `custody` is "" for what nobody signed (TLP markings, extension definitions)."""
    facts = {
        "collection": entry.collection,
        "date_added": format_taxii(entry.date_added),
        "version": entry.version,
        "label": entry.label.label,
        "state": entry.state,
        "producer": entry.producer,
        "producer_status": entry.producer_status,
        "custody": entry.custody,
    }
    return _with_object(facts, entry.body)


def version_bytes(entry: PageEntry) -> bytes:
    """One version of an object."""
    facts = {
        "version": entry.version,
        "date_added": format_taxii(entry.date_added),
        "label": entry.label.label,
        "producer": entry.producer,
    }
    return _with_object(facts, entry.body)


def _with_object(facts: Mapping[str, object], body: bytes) -> bytes:
    return encoded(facts)[:-1] + b',"object":' + body + b"}"


def _joined(parts: Iterable[bytes]) -> bytes:
    return b",".join(list(parts))
