"""Puts aside what a peer sent and the node does not take on its own: the bytes as they came, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from exchange.services.audit import record_event
from exchange.services.database import execute
from exchange.services.errors import ExchangeError, TooLargeError
from exchange.services.principals import NODE
from exchange.services.publishing.item import MAX_VERSION_CHARS, Item
from exchange.services.publishing.proving import is_lab_identity
from exchange.services.receiving.page import note_of
from exchange.services.receiving.receipt import Fate, Judged
from exchange.services.receiving.source import Source
from exchange.stix.errors import StixError
from exchange.stix.identifiers import is_identifier

MAX_WAITING: Final = 20_000
MAX_WAITING_BYTES: Final = 256 * 1024 * 1024
"""Of one peer: a peer that sends nothing that can be taken must not fill the disk of the exchange."""

MAX_ID_CHARS: Final = 300
MAX_REASON_CHARS: Final = 60
MAX_DETAIL_CHARS: Final = 500

# What an operator dropped stays dropped: its bytes are not kept a second time. What a note of the peer dropped is kept
# again when the peer sends it again.
_KEEP: Final = """
INSERT INTO quarantine AS q (peer_id, channel_id, collection_id, sha256, body, stix_id, version_text, creator, kid,
                             about, about_producer, reason, detail, received_at, state, decided_by, judgings)
SELECT %(peer)s, %(channel)s, %(collection)s, sha256, body, stix_id, version, creator, kid, about, about_producer,
       reason, detail, %(at)s, 'waiting', '', 0
FROM unnest(%(digests)s::bytea[], %(bodies)s::bytea[], %(ids)s::text[], %(versions)s::text[], %(creators)s::text[],
            %(kids)s::text[], %(abouts)s::text[], %(about_producers)s::text[], %(reasons)s::text[],
            %(details)s::text[])
     AS n (sha256, body, stix_id, version, creator, kid, about, about_producer, reason, detail)
ORDER BY sha256
ON CONFLICT (peer_id, collection_id, sha256) DO UPDATE
SET body = excluded.body, reason = excluded.reason, detail = excluded.detail, channel_id = excluded.channel_id,
    state = 'waiting', decided_at = NULL, decided_by = ''
WHERE q.state <> 'dropped' OR q.decided_by = 'node'
RETURNING sha256, xmax = 0
"""


def quarantine_items(source: Source, judged: Sequence[Judged], moment: datetime) -> None:
    """Keep what was not taken, once for each (peer, collection, bytes). The caller is inside `writing()`.

    Raises:
        TooLargeError: more of this peer would wait than there is room for. Nothing is lost: the page is asked for again
            when operators have made room.
    """
    kept = {
        hashlib.sha256(each.item.body).digest(): (each.item, each.error)
        for each in judged
        if each.fate is Fate.QUARANTINED and each.error is not None
    }
    if not kept:
        return
    claims = [claims_of(item) for item, _ in kept.values()]
    params: dict[str, Any] = {
        "peer": source.peer_id,
        "channel": source.channel_id,
        "collection": source.collection.id,
        "at": moment,
        "digests": list(kept),
        "bodies": [item.body for item, _ in kept.values()],
        "ids": [each["stix_id"] for each in claims],
        "versions": [each["version_text"] for each in claims],
        "creators": [each["creator"] for each in claims],
        "kids": [each["kid"] for each in claims],
        "abouts": [each["about"] for each in claims],
        "about_producers": [each["about_producer"] for each in claims],
        "reasons": [error.code[:MAX_REASON_CHARS] for _, error in kept.values()],
        "details": [detail_of(error) for _, error in kept.values()],
    }
    kept_now = execute(_KEEP, params).fetchall()
    _check_room(source)
    for digest, is_new in kept_now:
        if is_new:
            _tell(source, *kept[bytes(digest)])


_WAITING: Final = """
SELECT count(*), coalesce(sum(octet_length(body)), 0)::bigint FROM quarantine
WHERE peer_id = %(peer)s AND state = 'waiting'
"""


def _check_room(source: Source) -> None:
    objects, size = execute(_WAITING, {"peer": source.peer_id}).fetchall()[0]
    if objects > MAX_WAITING or size > MAX_WAITING_BYTES:
        raise TooLargeError("too much of this peer waits in quarantine already", code="quarantine-full")


def claims_of(item: Item) -> dict[str, str]:
    """What an object says of itself, where that has the form of it; nothing of it is proven."""
    said = item.claimed.get("created_by_ref")
    creator = said if isinstance(said, str) and is_identifier(said) else ""
    stix_id, version = item.claimed_id or "", item.claimed_version or ""
    note = note_of(item)
    return {
        "stix_id": stix_id if len(stix_id) <= MAX_ID_CHARS else "",
        "version_text": version if version.isprintable() and len(version) <= MAX_VERSION_CHARS else "",
        "creator": creator if len(creator) <= MAX_ID_CHARS else "",
        "kid": item.signed.kid if item.signed is not None else "",
        "about": note.object if note is not None and len(note.object) <= MAX_ID_CHARS else "",
        "about_producer": note.producer if note is not None and len(note.producer) <= MAX_ID_CHARS else "",
    }


def detail_of(error: ExchangeError | StixError) -> str:
    """The sentence of an error with its place, printable and bounded."""
    text = error.detail if isinstance(error, ExchangeError) else error.message
    where = f"{error.pointer}: " if error.pointer else ""
    shown = "".join(character if character.isprintable() else "\ufffd" for character in f"{where}{text}")
    return shown[:MAX_DETAIL_CHARS]


def _tell(source: Source, item: Item, error: ExchangeError | StixError) -> None:
    """Leave word for the operators of an identity that stands outside its chain: two of them may approve it."""
    if item.signed is not None and is_lab_identity(item):
        detail: Mapping[str, str] = {
            "code": error.code,
            "identity": item.object.id,
            "payload_sha256": item.signed.payload_sha256,
        }
        record_event(NODE, "identity-refused", source.name, **detail)
