"""Signed objects for the benchmarks, made before any clock starts. Every object is different."""

from __future__ import annotations

import time

from benchmarks.stix_reading import realistic_object
from exchange.stix.canonical import canonicalize
from exchange.stix.extension_ids import SIGNATURE_EXTENSION
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from exchange.stix.signature import sign


def signed_objects(identity: str, key: SigningKey, start: int, count: int, label: Tlp = Tlp.AMBER) -> list[bytes]:
    """`count` objects of the mix from place `start` on, signed by the lab with this identity."""
    iat = int(time.time())
    return [_signed(identity, key, iat, place, label) for place in range(start, start + count)]


def _signed(identity: str, key: SigningKey, iat: int, place: int, label: Tlp) -> bytes:
    members = realistic_object(place)
    members["object_marking_refs"] = [label.marking_id]
    del members["extensions"][SIGNATURE_EXTENSION]
    if not members["extensions"]:
        del members["extensions"]
    if "created_by_ref" in members:
        members["created_by_ref"] = identity
    return canonicalize(sign(members, key, iat))
