"""Versions: bytes, digests, signatures, references, readers and states, each computed again from the bytes alone.

The home collection is in no bytes and in no leaf: its publisher named it, or its type did. What can be held against it
is checked (its floor, its age, the producer's grant, the withdrawals beside it). Beyond that, an object that was moved
in every table at once, to another old collection of its producer, is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from exchange.services.checking.facets import check_facets
from exchange.services.checking.readers import Readers, check_audiences, check_readers
from exchange.services.checking.report import Report
from exchange.services.checking.states import check_revoked_objects, check_state
from exchange.services.checking.stored import Batch, StoredVersion, read_batches
from exchange.services.errors import ExchangeError
from exchange.services.keys import KnownKey
from exchange.services.publishing.reading import references_of
from exchange.services.sharing import audience_for
from exchange.stix.checks import CheckedObject
from exchange.stix.errors import StixError
from exchange.stix.fixed import SIGNATURE_EXTENSION, fixed_object, is_fixed
from exchange.stix.markings import Tlp
from exchange.stix.signature import SignedObject, carries_keys, open_signed, payload_digest, verify
from exchange.stix.timestamps import format_stix, ordering_key


def check_versions(report: Report, keys: Mapping[str, KnownKey], tell: Callable[[str, int], None]) -> None:
    """Check every version against its own bytes and signature."""
    known = check_audiences(report)
    for batch in read_batches():
        for stored in batch.versions:
            try:
                _check_version(report, stored, batch, keys, known)
            except (StixError, ExchangeError) as error:
                report.add("version", stored.where, str(error))
        check_facets(report, batch)
        for check in _checks():
            check(report, batch)
        report.count("versions", len(batch.versions))
        tell("versions", report.checked["versions"])
    check_revoked_objects(report)


@cache
def _checks() -> tuple[Callable[[Report, Batch], None], ...]:
    """What rooms above keep beside the newest versions, they check themselves."""
    return tuple(import_string(path) for path in settings.NEWEST_CHECKS)


def _check_version(
    report: Report, stored: StoredVersion, batch: Batch, keys: Mapping[str, KnownKey], known: Readers
) -> None:
    _check_key(report, stored)
    if stored.id in batch.unreadable:
        raise batch.unreadable[stored.id]
    checked = batch.objects[stored.id]
    if (checked.id, checked.type) != (stored.stix_id, stored.type):
        report.add("version", stored.where, "the bytes are of another object")
    if sorted(references_of(checked)) != sorted(batch.references.get(stored.id, [])):
        report.add("reference", stored.where, "what is kept of its references is not what the bytes refer to")
    if is_fixed(checked.id):
        _check_fixed(report, stored, known)
        return
    if not stored.kid:
        _check_vouched(report, stored, checked)
        check_state(report, stored, checked.members)
        check_readers(report, stored, checked, batch, known)
        return
    signed = open_signed(checked)
    if signed.payload_sha256 != bytes(stored.digest).hex():
        report.add("digest", stored.where, "the bytes have another digest")
    if _version_of(checked, signed) != stored.version_text:
        report.add("version", stored.where, "the bytes are of another version")
    check_state(report, stored, checked.members)
    check_readers(report, stored, checked, batch, known)
    if stored.is_of_feed:
        report.add("unsigned", stored.where, "a feed has no key that could have signed it")
    elif not carries_keys(checked.members) and not stored.is_quarantined:
        _check_signature(report, stored, signed, keys)


def _check_key(report: Report, stored: StoredVersion) -> None:
    if stored.is_quarantined:
        if stored.version_key is not None:
            report.add("quarantine", stored.where, "its key is in the way of what its producer signs again")
    elif stored.version_key is None or stored.key_digest is None:
        report.add("version-key", stored.where, "its key is missing")
    elif ordering_key(stored.version_text) != stored.version_key or bytes(stored.key_digest) != bytes(stored.digest):
        report.add("version-key", stored.where, "its key says other than the version")


def _check_fixed(report: Report, stored: StoredVersion, known: Readers) -> None:
    if bytes(stored.body) != fixed_object(stored.stix_id):
        report.add("fixed-object", stored.where, "it does not have the one body that everybody knows")
    if known.audiences.get(stored.audience_id) != audience_for(Tlp.CLEAR, "", None):
        report.add("audience", stored.where, "it is for everybody")


def _check_vouched(report: Report, stored: StoredVersion, checked: CheckedObject) -> None:
    """What nobody signed is its feed's, says so nowhere in the bytes, and is never taken for somebody's word."""
    if not stored.is_of_feed or stored.origin_peer_id is None:
        report.add("unsigned", stored.where, "nobody signed it, and no feed vouches for it")
    if SIGNATURE_EXTENSION in checked.members.get("extensions", {}):
        report.add("unsigned", stored.where, "the bytes carry a signature that the version does not name")
    if payload_digest(checked.members) != bytes(stored.digest).hex():
        report.add("digest", stored.where, "the bytes have another digest")
    # An observable has no version of its own; it is the moment at which the payload came.
    if checked.version not in (None, stored.version_text):
        report.add("version", stored.where, "the bytes are of another version")


def _version_of(checked: CheckedObject, signed: SignedObject) -> str:
    return checked.version or format_stix(datetime.fromtimestamp(signed.iat, UTC))


def _check_signature(report: Report, stored: StoredVersion, signed: SignedObject, keys: Mapping[str, KnownKey]) -> None:
    known = keys.get(signed.kid)
    if known is None or signed.kid != stored.kid or known.lab_id != stored.producer_id:
        report.add("wrong-key", stored.where, "the key that signed is not the producer's")
        return
    verify(signed, known.key, owner=known.lab_identity, now=stored.received_at, first_seen=stored.received_at)
