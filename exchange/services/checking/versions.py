"""Versions: bytes, digests, signatures, labels and audiences, each computed again from the bytes alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from exchange.models import Audience
from exchange.services.checking.report import Report
from exchange.services.compromise import QUARANTINED
from exchange.services.database import execute
from exchange.services.errors import ExchangeError
from exchange.services.keys import KnownKey
from exchange.services.publishing.marking import recipients_in
from exchange.services.publishing.reading import inspect_payloads, strictest_label
from exchange.services.sharing import AudienceRule, Recipients, audience_for, audience_of_distribution, load_audiences
from exchange.stix.checks import CheckedObject, check_object
from exchange.stix.errors import StixError
from exchange.stix.fixed import WITHDRAWAL_EXTENSION, fixed_object, is_fixed
from exchange.stix.markings import Tlp, label_of
from exchange.stix.reading import read_object
from exchange.stix.signature import SignedObject, carries_keys, open_signed, verify
from exchange.stix.timestamps import format_stix, ordering_key

BATCH = 1_000

_VERSIONS = """
SELECT v.id, v.body, v.version_text, v.digest, v.label, v.audience_id, v.distribution, v.kid, v.received_at,
       o.id, o.stix_id, o.type, o.producer_id, coalesce(l.identity_id, ''), l.kind = 'node', k.version_key, k.digest,
       EXISTS (SELECT FROM held h WHERE h.version_id = v.id),
       EXISTS (SELECT FROM held h WHERE h.version_id = v.id AND h.missing_marking = %(quarantined)s),
       (SELECT m.body FROM object mo JOIN version m ON m.id = mo.newest_version_id
        WHERE mo.producer_id = o.producer_id AND mo.stix_id = v.distribution)
FROM version v
JOIN object o ON o.id = v.object_id
JOIN lab l ON l.id = o.producer_id
LEFT JOIN version_key k ON k.version_id = v.id
WHERE v.id > %(after)s ORDER BY v.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A row of the query above."""

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
    producer_id: int
    producer: str
    is_of_node: bool
    version_key: str | None
    key_digest: bytes | None
    is_held: bool
    is_quarantined: bool
    marking: bytes | None

    @property
    def where(self) -> str:
        return f"version {self.id} of {self.stix_id}"


def check_versions(report: Report, keys: Mapping[str, KnownKey], tell: Callable[[str, int], None]) -> None:
    """Check every version against its own bytes and signature."""
    _check_audience_rows(report)
    audiences = load_audiences(Audience.objects.values_list("id", flat=True))
    for number, stored in enumerate(_stored_versions(), start=1):
        report.count("versions")
        try:
            _check_version(report, stored, keys, audiences)
        except (StixError, ExchangeError) as error:
            report.add("version", stored.where, str(error))
        if number % BATCH == 0:
            tell("versions", number)


def _stored_versions() -> Iterator[StoredVersion]:
    after = 0
    while True:
        batch = execute(_VERSIONS, {"after": after, "limit": BATCH, "quarantined": QUARANTINED}).fetchall()
        yield from (StoredVersion(*row) for row in batch)
        if len(batch) < BATCH:
            return
        after = batch[-1][0]


def _check_audience_rows(report: Report) -> None:
    rules = load_audiences(Audience.objects.values_list("id", flat=True))
    for row in Audience.objects.order_by("id"):
        if bytes(row.digest) != rules[row.id].digest:
            report.add("audience", f"audience {row.id}", "its readers are not those that it was interned for")


def _check_version(
    report: Report, stored: StoredVersion, keys: Mapping[str, KnownKey], audiences: Mapping[int, AudienceRule]
) -> None:
    checked = check_object(read_object(bytes(stored.body)))
    if (checked.id, checked.type) != (stored.stix_id, stored.type):
        report.add("version", stored.where, "the bytes are of another object")
    if stored.is_quarantined:
        if stored.version_key is not None:
            report.add("quarantine", stored.where, "its key is in the way of what its producer signs again")
    elif stored.version_key is None or stored.key_digest is None:
        report.add("version-key", stored.where, "its key is missing")
    elif ordering_key(stored.version_text) != stored.version_key or bytes(stored.key_digest) != bytes(stored.digest):
        report.add("version-key", stored.where, "its key says other than the version")
    if is_fixed(checked.id):
        _check_fixed(report, stored)
        return
    signed = open_signed(checked)
    if signed.payload_sha256 != bytes(stored.digest).hex():
        report.add("digest", stored.where, "the bytes have another digest")
    if _version_of(checked, signed) != stored.version_text:
        report.add("version", stored.where, "the bytes are of another version")
    if not carries_keys(checked.members) and not stored.is_quarantined:
        _check_signature(report, stored, signed, keys)
    _check_readers(report, stored, checked, audiences)


def _check_fixed(report: Report, stored: StoredVersion) -> None:
    if bytes(stored.body) != fixed_object(stored.stix_id):
        report.add("fixed-object", stored.where, "it does not have the one body that everybody knows")


def _version_of(checked: CheckedObject, signed: SignedObject) -> str:
    return checked.version or format_stix(datetime.fromtimestamp(signed.iat, UTC))


def _check_signature(report: Report, stored: StoredVersion, signed: SignedObject, keys: Mapping[str, KnownKey]) -> None:
    known = keys.get(signed.kid)
    if known is None or signed.kid != stored.kid or known.lab_id != stored.producer_id:
        report.add("wrong-key", stored.where, "the key that signed is not the producer's")
        return
    verify(signed, known.key, owner=known.lab_identity, now=stored.received_at, first_seen=stored.received_at)


def _check_readers(
    report: Report, stored: StoredVersion, checked: CheckedObject, audiences: Mapping[int, AudienceRule]
) -> None:
    """The label and the audience follow from the bytes; only withdrawals have readers of their own."""
    members = checked.members
    label = _label(members)
    if int(label) != stored.label:
        report.add("label", stored.where, f"the bytes say {label.label}")
    if stored.is_held or (stored.is_of_node and WITHDRAWAL_EXTENSION in members.get("extensions", {})):
        return
    if audiences.get(stored.audience_id) != _audience(stored, checked, label):
        report.add("audience", stored.where, "its readers are not those that label and recipients mean")


def _label(members: Mapping[str, Any]) -> Tlp:
    if members["type"] == "marking-definition":
        return Tlp.AMBER
    label = label_of(members) or Tlp.CLEAR
    return max(label, strictest_label(inspect_payloads(members)) or label)


def _audience(stored: StoredVersion, checked: CheckedObject, label: Tlp) -> AudienceRule:
    if checked.type == "marking-definition":
        named = recipients_in(checked.raw)
        return (
            audience_of_distribution(stored.producer, named)
            if named
            else audience_for(Tlp.GREEN, stored.producer, None)
        )
    recipients: Recipients | None = None
    if stored.distribution:
        recipients = recipients_in(bytes(stored.marking)) if stored.marking else Recipients(frozenset())
    return audience_for(label, stored.producer, recipients)
