"""Envelopes (TAXII 2.1 section 3.7): read from a posted body, written from stored bytes. Manifests and versions too.

A STIX bundle, as some clients post, is an envelope with two properties that mean nothing here (`type` and `id`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import orjson

from exchange.http.bodies import shape_fault
from exchange.services.posted import PostedObject
from exchange.services.query import BodiesPage, Manifest
from exchange.stix.errors import MalformedJsonError, ObjectInvalidError
from exchange.stix.identifiers import type_of
from exchange.stix.limits import MAX_OBJECTS_PER_STREAM, MAX_VALUES_PER_STREAM
from exchange.stix.reading import split_envelope
from exchange.stix.streaming import EnvelopeBounds, stream_objects
from exchange.stix.timestamps import format_taxii
from exchange.taxii.media_types import STIX

_VERSION: Final = re.compile("[\x20-\x7e]{0,64}")
"""A version is a timestamp of some 30 characters; a status repeats what is claimed, so a claim is bounded."""


class _Named(msgspec.Struct):
    """What a status needs to know of an object, whatever else is wrong with it."""

    id: str
    modified: str | None = None
    created: str | None = None


_NAMED: Final = msgspec.json.Decoder(_Named)


MAX_OBJECTS: Final = MAX_OBJECTS_PER_STREAM
_BOUNDS: Final = EnvelopeBounds(max_objects=MAX_OBJECTS, max_values=MAX_VALUES_PER_STREAM)


def read_envelope(body: bytes) -> list[PostedObject]:
    """The objects of a posted envelope.

    Raises:
        MalformedJsonError: not sound JSON. ObjectInvalidError: JSON, but no envelope with at least one object, each of
            which says an id of its form and, if any, a version of bounded length.
    """
    try:
        bodies = split_envelope(body, max_objects=MAX_OBJECTS).objects
    except MalformedJsonError as error:
        raise shape_fault(error) from None
    if not bodies:
        raise _empty()
    return [_posted(index, each) for index, each in enumerate(bodies)]


def stream_envelope(chunks: Iterator[bytes]) -> Iterator[PostedObject]:
    """The objects of a posted envelope as they arrive. Only the end of the iterator says that all of it is sound.

    Raises:
        MalformedJsonError, ObjectInvalidError: as `read_envelope`. Whatever the chunks raise.
    """
    index = -1
    try:
        for index, body in enumerate(stream_objects(chunks, _BOUNDS)):
            yield _posted(index, body)
    except MalformedJsonError as error:
        raise shape_fault(error) from None
    if index < 0:
        raise _empty()


def _empty() -> ObjectInvalidError:
    return ObjectInvalidError("not-an-envelope", "An envelope has a list of at least one object.", "/objects")


def _posted(index: int, body: bytes) -> PostedObject:
    try:
        named = _NAMED.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ObjectInvalidError("no-id", "An object with an id is expected here.", f"/objects/{index}") from None
    type_of(named.id, f"/objects/{index}/id")
    version = named.modified or named.created or ""
    if _VERSION.fullmatch(version) is None:
        member = "modified" if named.modified else "created"
        raise ObjectInvalidError("timestamp", "A time is expected here.", f"/objects/{index}/{member}")
    return PostedObject(body, named.id, version)


def write_envelope(page: BodiesPage) -> bytes:
    """The bytes of a page: stored bytes side by side, none of them parsed. `{}` if there is nothing (section 5.4)."""
    return _written("objects", page.joined, page.next)


def write_manifest(manifest: Manifest) -> bytes:
    """The bytes of a manifest (section 5.3.1). It answers `next` too, which clients follow and the standard allows."""
    records = [
        {"id": record.id, "date_added": _date(record.date_added), "version": record.version, "media_type": STIX}
        for record in manifest.records
    ]
    return _written("objects", _items(records), manifest.next)


def write_versions(manifest: Manifest) -> bytes:
    """The bytes of a versions resource (section 5.8.1), with `next` as in manifests."""
    return _written("versions", _items([record.version for record in manifest.records]), manifest.next)


def _date(moment: datetime) -> datetime | str:
    """What `_items` writes as `format_taxii` does, which takes three times as long: all but a whole second, where it
    leaves the digits away, and other zones."""
    return moment if moment.microsecond and moment.tzinfo is UTC else format_taxii(moment)


def _items(values: list[Any]) -> bytes:
    """The inside of a JSON list."""
    return orjson.dumps(values, option=orjson.OPT_UTC_Z)[1:-1]


def _written(name: str, items: bytes, next_: str) -> bytes:
    """One page; a list without items may not be written (section 2)."""
    if not items:
        return b"{}"
    more = b'"more":true,"next":"%s"' % next_.encode() if next_ else b'"more":false'
    return b"".join((b"{", more, b',"', name.encode(), b'":[', items, b"]}"))
