"""The objects that all servers of a comparison hold: indicators of one kilobyte that look signed, by number.

The same bytes for each server that keeps bytes. The signatures are noise of the right form and nothing verifies: what
is compared here is reading. Every object has another id, pattern and signature.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from benchmarks.stix_reading import realistic_object
from exchange.stix.canonical import canonicalize
from exchange.stix.extension_ids import SIGNATURE_EXTENSION
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import format_taxii

OBJECT_BYTES = 1_000
FIRST_DATE = datetime(2040, 1, 1, microsecond=1, tzinfo=UTC)
"""After all that a node stores by itself, so dates ascend with numbers as they do in a node. No date is a whole second:
OpenTAXII does not read its own cursors of those."""

TYPE = "indicator"
SPEC_VERSION = "2.1"


def date_of(number: int) -> datetime:
    """`date_added` of the version with this number, and its `modified`: one each millisecond."""
    return FIRST_DATE + timedelta(milliseconds=number)


def stix_id(number: int) -> str:
    return f"{TYPE}--{uuid.UUID(int=number, version=4)}"


def object_body(number: int, label: Tlp = Tlp.GREEN) -> bytes:
    """The object with this number, as canonical JSON of `OBJECT_BYTES` bytes."""
    return _filled(_template(label), number)


def _filled(template: bytes, number: int) -> bytes:
    signature = base64.urlsafe_b64encode(hashlib.sha512(number.to_bytes(8, "big")).digest()).rstrip(b"=")
    return template % {
        b"at": format_taxii(date_of(number)).encode(),
        b"id": stix_id(number).encode(),
        b"number": number,
        b"signature": signature,
    }


@lru_cache
def _template(label: Tlp) -> bytes:
    """The object as a bytes format: what differs from object to object has the same length in all of them."""
    members = realistic_object(0)
    del members["kill_chain_phases"], members["valid_until"]
    members["extensions"][SIGNATURE_EXTENSION]["signatures"][0]["signature"] = "%(signature)s"
    members |= {"id": "%(id)s", "created": "%(at)s", "modified": "%(at)s", "name": "Relay %(number)010d"}
    members |= {"pattern": "[url:value = 'https://relay.example/%(number)010d']", "description": ""}
    members["object_marking_refs"] = [label.marking_id]
    members["description"] = "d" * (OBJECT_BYTES - len(_filled(canonicalize(members), 0)))
    return canonicalize(members)
