"""Lists of entries as REST shows them; one entry is exchange/http/entries.py.

The object is put in as it is stored; it is never parsed here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from exchange.api.problems import encoded
from exchange.http.entries import entry_bytes, with_object
from exchange.services.query import Difference, Page, PageEntry, Versions
from exchange.stix.difference import Change
from exchange.stix.timestamps import format_taxii


@dataclass(frozen=True, slots=True)
class PageBytes:
    """A page. tagged: what tells it from another; the cursor in the body differs each time it is made."""

    body: bytes
    tagged: bytes


def page_bytes(page: Page, reach: object) -> PageBytes:
    """`{"objects":[...],"more":bool,"next":cursor}`. reach: what the cursor is bound to beside the question."""
    return _paged(b'{"objects":[' + _joined(map(entry_bytes, page.entries)) + b"],", page.more, page.next, reach)


def versions_bytes(page: Versions, reach: object) -> PageBytes:
    """`{"versions":[...],"more":bool,"next":cursor}`."""
    return _paged(b'{"versions":[' + _joined(map(version_bytes, page.entries)) + b"],", page.more, page.next, reach)


def objects_bytes(entries: Iterable[PageEntry]) -> bytes:
    """`{"objects":[...]}`."""
    return b'{"objects":[' + _joined(map(entry_bytes, entries)) + b"]}"


def difference_bytes(found: Difference, stix_id: str) -> bytes:
    """`{"id","producer","from","to","changes"}`, each change with what was there before and after."""
    return encoded(
        {
            "id": stix_id,
            "producer": found.new.producer,
            "from": _version(found.old),
            "to": _version(found.new),
            "changes": [_change(change) for change in found.changes],
        }
    )


def version_bytes(entry: PageEntry) -> bytes:
    """One version of an object."""
    return with_object({**_version(entry), "producer": entry.producer}, entry.body)


def _version(entry: PageEntry) -> dict[str, str]:
    return {
        "version": entry.version,
        "date_added": format_taxii(entry.date_added),
        "label": entry.label.label,
    }


def _change(change: Change) -> dict[str, object]:
    told: dict[str, object] = {"op": change.op, "path": change.path}
    if change.op != "add":
        told["old"] = change.old
    if change.op != "remove":
        told["value"] = change.new
    return told


def _paged(begun: bytes, more: bool, cursor: str, reach: object) -> PageBytes:
    ending = {"more": more} | ({"next": cursor} if more else {})
    return PageBytes(begun + encoded(ending)[1:], begun + encoded([more, reach]))


def _joined(parts: Iterable[bytes]) -> bytes:
    return b",".join(list(parts))
