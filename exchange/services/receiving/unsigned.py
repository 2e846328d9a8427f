"""What a feed sends unsigned: stored as the feed's own, shown as vouched by it, and never as anybody else's.

Its version is `modified`, else `created`. An observable has neither: its version is the moment at which this node first
had the payload, and a payload that it had before is nothing new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from exchange.models import Lab, Person
from exchange.services.database import execute
from exchange.services.errors import AccessDeniedError, PolicyError
from exchange.services.publishing.item import Item, VouchedObject, each
from exchange.services.receiving.producers import Producer, feed_producer
from exchange.services.receiving.source import Source
from exchange.stix.errors import SignatureError
from exchange.stix.fixed import (
    APPEAL_EXTENSION,
    DISTRIBUTION_EXTENSION,
    FEEDBACK_EXTENSION,
    KEYS_EXTENSION,
    WITHDRAWAL_EXTENSION,
)
from exchange.stix.signature import payload_digest
from exchange.stix.timestamps import format_taxii

ONLY_SIGNED: Final = frozenset(
    {APPEAL_EXTENSION, DISTRIBUTION_EXTENSION, FEEDBACK_EXTENSION, KEYS_EXTENSION, WITHDRAWAL_EXTENSION}
)
"""Extensions that make this node do something: whose word that is has to be known."""

_STEP: Final = timedelta(microseconds=1)


def vouch_items(source: Source, items: Sequence[Item], moment: datetime) -> list[tuple[Producer, Item]]:
    """Give unsigned items their version, if the peer may send such; answers those that may go on, as the peer's own."""
    if not items:
        return []
    allowed = each(items, lambda item: _check_allowed(source, item))
    known = _known_identities(allowed)
    honest = each(allowed, lambda item: _check_claims(item, known))
    seen: Counter[str] = Counter()
    for item in honest:
        version = item.object.version
        if version is None:
            # Two payloads of one observable on one page are two versions.
            version = format_taxii(moment + seen[item.object.id] * _STEP)
            seen[item.object.id] += 1
        item.vouched = VouchedObject(item.object.raw, payload_digest(item.object.members), version)
        item.default_label = source.default_label
    feed = feed_producer(source)
    return [(feed, item) for item in honest]


_PAYLOADS: Final = """
SELECT o.stix_id, k.digest FROM object o JOIN version_key k ON k.object_id = o.id
WHERE o.producer_id = %(feed)s AND o.stix_id = ANY (%(ids)s)
"""


def stored_before(source: Source, items: Sequence[Item]) -> set[int]:
    """Indexes of the observables among these whose payload the feed sent before, or earlier on the page. One query."""
    observables = [item for item in items if item.object.version is None]
    if not observables:
        return set()
    params = {"feed": source.lab_id, "ids": sorted({item.object.id for item in observables})}
    found = {(stix_id, bytes(digest).hex()) for stix_id, digest in execute(_PAYLOADS, params, prepare=False).fetchall()}
    before = set()
    for item in observables:
        payload = (item.object.id, item.vouched.payload_sha256 if item.vouched is not None else "")
        if payload in found:
            before.add(item.index)
        found.add(payload)
    return before


def _check_allowed(source: Source, item: Item) -> None:
    if source.is_exchange or not source.accepts_unsigned:
        raise SignatureError("signature-missing", "The object is not signed.")
    found = sorted(ONLY_SIGNED & item.object.members.get("extensions", {}).keys())
    if found:
        raise PolicyError(
            "what this extension says has to be signed", code="unsigned-extension", pointer=f"/extensions/{found[0]}"
        )


def _known_identities(items: Sequence[Item]) -> set[str]:
    """Identities of labs, nodes and persons here, among those that the items claim to be or to come from."""
    claimed = {str(item.object.members.get("created_by_ref", "")) for item in items}
    claimed |= {item.object.id for item in items if item.object.type == "identity"}
    labs = Lab.objects.filter(identity_id__in=claimed).values_list("identity_id", flat=True)
    persons = Person.objects.filter(identity_id__in=claimed).values_list("identity_id", flat=True)
    return {str(identity) for identity in (*labs, *persons)}


def _check_claims(item: Item, known: set[str]) -> None:
    """Whoever is known here signs: without a signature nobody speaks in that name."""
    for pointer, claimed in (("/created_by_ref", item.object.members.get("created_by_ref")), ("/id", item.object.id)):
        if claimed in known:
            raise AccessDeniedError(
                "it claims an identity that is known here, and has no signature",
                code="unsigned-claim",
                pointer=pointer,
            )
