"""Who signed: signatures are verified against the keys of the producer, whose the key is that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from exchange.services.database import writing
from exchange.services.errors import AccessDeniedError
from exchange.services.keys import KnownKey, find_keys
from exchange.services.principals import Principal
from exchange.services.publishing.item import Item, each
from exchange.services.storing import rows
from exchange.stix.errors import SignatureError
from exchange.stix.fixed import SIGNATURE_EXTENSION
from exchange.stix.signature import carries_keys, open_signed, verify
from exchange.stix.timestamps import ordering_key

_SIGNATURES = f"/extensions/{SIGNATURE_EXTENSION}/signatures/0"

STATE_CODES = frozenset(
    {"signature-key-expired", "signature-key-revoked", "signature-key-compromised", "signature-ahead"}
)
"""Faults of the moment, not of the signature: what was accepted before them stays accepted when it is posted again."""


def open_item(item: Item) -> None:
    """Take the signatures off; a lab's own identity is its own creator, everything else names one.

    Raises:
        SignatureError: as `open_signed`.
    """
    item.signed = open_signed(item.object)


def is_lab_identity(item: Item) -> bool:
    """An identity with keys: it goes by the chain, not by one key."""
    return item.object.type == "identity" and carries_keys(item.object.members)


def verify_items(principal: Principal, items: Sequence[Item], moment: datetime) -> list[Item]:
    """Verify every signature against the publishing lab's keys. One query for the keys, one more where a key has
    ended since: what is stored already is then known by its digest."""
    known = find_keys(item.signed.kid for item in items if item.signed is not None)
    passed = each(items, lambda item: _verify(item, known, principal, moment))
    ended = [item for item in items if isinstance(item.error, SignatureError) and item.error.code in STATE_CODES]
    return passed + _verify_stored(ended, known, principal, moment)


def key_of(item: Item, known: Mapping[str, KnownKey]) -> KnownKey:
    """The key that an opened object names, with the lab that owns it.

    Raises:
        SignatureError: nobody here has introduced it.
    """
    found = known.get(item.signed.kid) if item.signed is not None else None
    if found is None:
        raise SignatureError("signature-key-unknown", "No lab here has introduced this key.", _SIGNATURES)
    return found


def prove_item(item: Item, key: KnownKey, moment: datetime, seen: datetime | None = None) -> None:
    """Verify an opened object against a key of its producer. seen: when the node had it first, now if None.

    Raises:
        SignatureError: as `exchange.stix.signature.verify`.
    """
    if item.signed is None:
        raise SignatureError("signature-missing", "The object is not signed.")
    item.verified = verify(item.signed, key.key, owner=key.lab_identity, now=moment, first_seen=seen or moment)


def _verify(
    item: Item, known: Mapping[str, KnownKey], principal: Principal, moment: datetime, seen: datetime | None = None
) -> None:
    found = key_of(item, known)
    if found.lab_id != principal.lab_id:
        raise AccessDeniedError(
            "the key belongs to another lab; only the producer may publish", code="foreign-key", pointer=_SIGNATURES
        )
    prove_item(item, found, moment, seen)


def _verify_stored(
    items: Sequence[Item], known: Mapping[str, KnownKey], principal: Principal, moment: datetime
) -> list[Item]:
    if not items:
        return []
    with writing():
        seen = rows.first_seen(principal.lab_id, [(item.object.id, ordering_key(item.version_text)) for item in items])
    passed = []
    for item in items:
        stored = seen.get((item.object.id, ordering_key(item.version_text)))
        if stored is None or item.signed is None or stored[0].hex() != item.signed.payload_sha256:
            continue
        item.error = None
        passed += each([item], partial(_verify, known=known, principal=principal, moment=moment, seen=stored[1]))
    return passed
