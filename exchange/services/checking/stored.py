"""Stored versions in batches, each with what its bytes name: markings, objects, references. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from exchange.services.compromise import QUARANTINED
from exchange.services.database import execute
from exchange.services.publishing.marking import recipients_in
from exchange.services.sharing import Recipients
from exchange.stix.checks import CheckedObject, check_object
from exchange.stix.errors import StixError
from exchange.stix.extensions import Withdrawal, check_extensions
from exchange.stix.fixed import WITHDRAWAL_EXTENSION
from exchange.stix.markings import marking_refs_of
from exchange.stix.reading import read_object

BATCH = 500
"""Versions in memory at a time, read and parsed."""

_VERSIONS = """
SELECT v.id, v.body, v.version_text, v.digest, v.label, v.audience_id, v.distribution, v.kid, v.received_at,
       o.id, o.stix_id, o.type, o.state, o.revoked_at, o.home_collection_id, c.floor,
       o.producer_id, coalesce(l.identity_id, ''), l.kind = 'node', k.version_key, k.digest,
       coalesce(h.missing_marking, ''),
       EXISTS (SELECT FROM leaf f WHERE f.version_id = v.id AND f.operation = 'revoke'),
       v.origin_peer_id, l.kind = 'feed', l.is_self
FROM version v
JOIN object o ON o.id = v.object_id
JOIN lab l ON l.id = o.producer_id
JOIN collection c ON c.id = o.home_collection_id
LEFT JOIN version_key k ON k.version_id = v.id
LEFT JOIN held h ON h.version_id = v.id
WHERE v.id > %(after)s ORDER BY v.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A row of the query above. `waits_for`: a marking, `QUARANTINED` or `WITHDRAWN`; "" for what is shown."""

    id: int
    body: bytes
    version_text: str
    digest: bytes
    label: int
    audience_id: int
    distribution: str
    kid: str
    received_at: datetime
    object_id: int
    stix_id: str
    type: str
    state: str
    revoked_at: datetime | None
    home_collection_id: int
    floor: int
    producer_id: int
    producer: str
    is_of_node: bool
    version_key: str | None
    key_digest: bytes | None
    waits_for: str
    is_logged_as_revocation: bool
    origin_peer_id: int | None
    is_of_feed: bool
    is_of_self: bool

    @property
    def where(self) -> str:
        return f"version {self.id} of {self.stix_id}"

    @property
    def is_relayed(self) -> bool:
        """Signed by somebody, and sent by a peer: without recipients it is for nobody here."""
        return self.origin_peer_id is not None and not self.is_of_feed

    @property
    def is_quarantined(self) -> bool:
        return self.waits_for == QUARANTINED


@dataclass(frozen=True, slots=True)
class StoredMarking:
    """A marking of a producer. `is_shown` is false for one that was deleted or is in quarantine: its text is not there.

    recipients: None where it is no distribution.
    """

    is_shown: bool
    recipients: Recipients | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Some versions with what they name.

    objects: the versions as read from their bytes, by version id; those missing cannot be read, for the reason in
    `unreadable`. markings: by producer and id. references: pairs of property and target, by version id. homes: pairs of
    producer and collection of the objects that withdrawals are about, by id.
    """

    versions: Sequence[StoredVersion]
    objects: Mapping[int, CheckedObject]
    unreadable: Mapping[int, StixError]
    markings: Mapping[tuple[int, str], StoredMarking]
    references: Mapping[int, list[tuple[str, str]]]
    homes: Mapping[str, frozenset[tuple[str, int]]]


def read_batches() -> Iterator[Batch]:
    """Every stored version, in the order of their ids; a handful of queries for each batch."""
    after = 0
    while True:
        rows = execute(_VERSIONS, {"after": after, "limit": BATCH}).fetchall()
        versions = [StoredVersion(*row) for row in rows]
        if versions:
            yield _batch(versions)
        if len(versions) < BATCH:
            return
        after = versions[-1].id


def _batch(versions: Sequence[StoredVersion]) -> Batch:
    objects: dict[int, CheckedObject] = {}
    unreadable: dict[int, StixError] = {}
    named: set[tuple[int, str]] = set()
    targets: set[str] = set()
    for stored in versions:
        try:
            checked = check_object(read_object(bytes(stored.body)))
            named |= {(stored.producer_id, ref) for ref in marking_refs_of(checked.members)}
            note = withdrawal_in(checked)
        except StixError as error:
            unreadable[stored.id] = error
        else:
            objects[stored.id] = checked
            targets |= {note.object} if note is not None else set()
    return Batch(
        versions, objects, unreadable, _markings(named), _references([each.id for each in versions]), _homes(targets)
    )


def withdrawal_in(checked: CheckedObject) -> Withdrawal | None:
    """What the object says was withdrawn, None if it is no such note."""
    extension = check_extensions(checked.members).get(WITHDRAWAL_EXTENSION)
    return extension if isinstance(extension, Withdrawal) else None


_MARKINGS = """
SELECT o.producer_id, o.stix_id, v.body
FROM unnest(%(producers)s::int[], %(ids)s::text[]) AS named (producer_id, stix_id)
JOIN object o ON o.producer_id = named.producer_id AND o.stix_id = named.stix_id
LEFT JOIN version v ON v.id = o.newest_version_id
WHERE o.type = 'marking-definition'
"""


def _markings(named: set[tuple[int, str]]) -> dict[tuple[int, str], StoredMarking]:
    if not named:
        return {}
    params = {"producers": [each[0] for each in named], "ids": [each[1] for each in named]}
    return {
        (producer_id, stix_id): _marking(body) for producer_id, stix_id, body in execute(_MARKINGS, params).fetchall()
    }


def _marking(body: bytes | None) -> StoredMarking:
    if body is None:
        return StoredMarking(is_shown=False)
    try:
        return StoredMarking(is_shown=True, recipients=recipients_in(bytes(body)))
    except StixError:
        # The marking itself is reported; who was meant nobody knows, so nobody but the producer was.
        return StoredMarking(is_shown=True, recipients=Recipients(frozenset()))


def _references(version_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    query = "SELECT version_id, property, target_stix_id FROM reference WHERE version_id = ANY (%(versions)s)"
    for version_id, name, target in execute(query, {"versions": list(version_ids)}).fetchall():
        found.setdefault(version_id, []).append((name, target))
    return found


_HOMES = """
SELECT o.stix_id, coalesce(l.identity_id, ''), o.home_collection_id
FROM object o JOIN lab l ON l.id = o.producer_id WHERE o.stix_id = ANY (%(ids)s)
"""


def _homes(ids: set[str]) -> dict[str, frozenset[tuple[str, int]]]:
    found: dict[str, frozenset[tuple[str, int]]] = {}
    if ids:
        for stix_id, producer, home in execute(_HOMES, {"ids": sorted(ids)}).fetchall():
            found[stix_id] = found.get(stix_id, frozenset()) | {(producer, home)}
    return found
