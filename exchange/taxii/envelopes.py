"""Envelopes (TAXII 2.1 section 3.7): read from a posted body, written from stored bytes.

A STIX bundle, as some clients post, is an envelope with two properties that mean nothing here (`type` and `id`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import msgspec

from exchange.http.bodies import shape_fault
from exchange.services.query import Page
from exchange.stix.errors import MalformedJsonError, ObjectInvalidError
from exchange.stix.reading import split_envelope


class _Named(msgspec.Struct):
    """What a status needs to know of an object, whatever else is wrong with it."""

    id: str
    modified: str | None = None
    created: str | None = None


_NAMED: Final = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, slots=True)
class PostedObject:
    """The bytes of one object; id and version as the object claims them ("" where it does not)."""

    body: bytes
    id: str
    version: str


def read_envelope(body: bytes) -> list[PostedObject]:
    """The objects of a posted envelope.

    Raises:
        MalformedJsonError: not sound JSON. ObjectInvalidError: JSON, but no envelope with at least one object, each of
            which says its id.
    """
    try:
        bodies = split_envelope(body).objects
    except MalformedJsonError as error:
        raise shape_fault(error) from None
    if not bodies:
        raise ObjectInvalidError("not-an-envelope", "An envelope has a list of at least one object.", "/objects")
    return [_posted(index, each) for index, each in enumerate(bodies)]


def _posted(index: int, body: bytes) -> PostedObject:
    try:
        named = _NAMED.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ObjectInvalidError("no-id", "An object with an id is expected here.", f"/objects/{index}") from None
    return PostedObject(body, named.id, named.modified or named.created or "")


def write_envelope(page: Page) -> bytes:
    """The bytes of a page: stored bytes side by side, none of them parsed. `{}` if there is nothing (section 5.4)."""
    members = [b'"more":true' if page.more else b'"more":false']
    if page.more:
        members.append(b'"next":' + json.dumps(page.next).encode())
    if page.entries:
        members.append(b'"objects":[' + b",".join([entry.body for entry in page.entries]) + b"]")
    elif not page.more:
        return b"{}"
    return b"{" + b",".join(members) + b"}"
