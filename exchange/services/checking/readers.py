"""Readers: label, distribution and audience of a version, computed again from its bytes and its producer's markings.

The columns are compared with what comes out, so that changing all of them in step changes nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.models import Audience, Lab, Person
from exchange.services.checking.report import Report
from exchange.services.checking.stored import Batch, StoredMarking, StoredVersion, withdrawal_in
from exchange.services.publishing.marking import recipients_in
from exchange.services.publishing.reading import inspect_payloads, strictest_label
from exchange.services.scope_claims import is_unsourced_claim
from exchange.services.sharing import AudienceRule, Recipients, audience_for, audience_of_distribution, load_audiences
from exchange.services.withdrawals import NOBODY, WITHDRAWN
from exchange.stix.checks import CheckedObject
from exchange.stix.extensions import Withdrawal
from exchange.stix.markings import Tlp, marking_refs_of
from exchange.stix.markings import label_of as marked_label

NO_RECIPIENTS = Recipients(frozenset())


@dataclass(frozen=True, slots=True)
class Readers:
    """Who there is: the interned audiences, and the identity ids of labs and of persons."""

    audiences: Mapping[int, AudienceRule]
    labs: frozenset[str]
    persons: frozenset[str]


def check_audiences(report: Report) -> Readers:
    """Check each interned audience against its digest; answers who there is."""
    rows = dict(Audience.objects.values_list("id", "digest"))
    rules = load_audiences(rows)
    for audience_id, digest in rows.items():
        if bytes(digest) != rules[audience_id].digest:
            report.add("audience", f"audience {audience_id}", "its readers are not those that it was interned for")
    return Readers(
        rules,
        frozenset(each for each in Lab.objects.values_list("identity_id", flat=True) if each is not None),
        frozenset(Person.objects.values_list("identity_id", flat=True)),
    )


def check_readers(report: Report, stored: StoredVersion, checked: CheckedObject, batch: Batch, known: Readers) -> None:
    """Check who reads a version that is no fixed object."""
    label = _label(stored, checked.members)
    if int(label) != stored.label:
        report.add("label", stored.where, f"the bytes say {label.label}")
    if not stored.is_of_node and checked.type != "marking-definition" and int(label) < stored.floor:
        report.add("home", stored.where, "its home collection takes only what is stricter")
    audience = known.audiences.get(stored.audience_id)
    withdrawal = withdrawal_in(checked)
    if audience is None:
        report.add("audience", stored.where, "its audience is none that is known")
    elif withdrawal is not None:
        _check_withdrawal(report, stored, withdrawal, audience, batch, known)
    elif stored.is_quarantined:
        if audience != NOBODY:
            report.add("audience", stored.where, "it is in quarantine and has readers")
    elif checked.type == "marking-definition":
        if audience != _audience_of_marking(stored, checked):
            report.add("audience", stored.where, "its readers are not those that it names")
    elif stored.waits_for:
        _check_waiting(report, stored, checked, batch, audience, label)
    else:
        recipients = _check_distribution(report, stored, checked, batch)
        narrowed = NO_RECIPIENTS if recipients is None and _waited_as_claim(stored, checked) else recipients
        if audience not in [audience_for(label, stored.producer, each) for each in (recipients, narrowed)]:
            report.add("audience", stored.where, "its readers are not those that label and recipients mean")


def _label(stored: StoredVersion, members: Mapping[str, Any]) -> Tlp:
    if members["type"] == "marking-definition":
        return Tlp.AMBER
    label = marked_label(members)
    if label is None:
        # What a feed leaves unmarked has the label that was its peer's default then; none was ever RED.
        label = Tlp(min(stored.label, Tlp.AMBER_STRICT)) if stored.is_of_feed else Tlp.CLEAR
    return max(label, strictest_label(inspect_payloads(members)) or label)


def _audience_of_marking(stored: StoredVersion, checked: CheckedObject) -> AudienceRule:
    named = recipients_in(checked.raw)
    if named is None:
        return audience_for(Tlp.GREEN, stored.producer, None)
    return audience_of_distribution(stored.producer, named)


def _check_waiting(
    report: Report, stored: StoredVersion, checked: CheckedObject, batch: Batch, audience: AudienceRule, label: Tlp
) -> None:
    """What waits is for its producer alone, or for nobody where its marking went into quarantine."""
    if audience not in (NOBODY, audience_for(label, stored.producer, NO_RECIPIENTS)):
        report.add("audience", stored.where, "it waits for its marking and has readers")
    if stored.waits_for == WITHDRAWN:
        if audience != NOBODY or stored.origin_peer_id is None:
            report.add("held", stored.where, "the peer that it came from took it back, and it has readers or no peer")
        return
    if stored.waits_for not in marking_refs_of(checked.members) or stored.distribution != stored.waits_for:
        report.add("held", stored.where, "the bytes do not name the marking that it waits for")
    marking = batch.markings.get((stored.producer_id, stored.waits_for))
    if marking is not None and marking.is_shown and stored.state != "revoked":
        report.add("held", stored.where, "it waits for a marking that is here")


def _check_distribution(
    report: Report, stored: StoredVersion, checked: CheckedObject, batch: Batch
) -> Recipients | None:
    """The recipients that the bytes name, through markings of the same producer; None if they name none.

    A marking that was only a statement may be gone since, and stands in the column where a version waited for it.
    """
    refs = marking_refs_of(checked.members)
    markings = {ref: batch.markings.get((stored.producer_id, ref)) for ref in refs}
    for ref, marking in markings.items():
        if marking is None and not (stored.is_of_feed and stored.label < Tlp.AMBER):
            report.add("marking", stored.where, f"its producer has no {ref} here, and it does not wait for it")
    found = [
        (ref, each.recipients) for ref, each in markings.items() if each is not None and each.recipients is not None
    ]
    expected = {ref for ref, _ in found} or {"", *(ref for ref, marking in markings.items() if _is_statement(marking))}
    if stored.distribution not in expected or len(found) > 1:
        report.add("distribution", stored.where, "the column says other than the bytes")
    if stored.is_of_feed and stored.label < Tlp.AMBER:
        return None
    if not found and (None in markings.values() or (stored.is_relayed and stored.label >= Tlp.AMBER)):
        return NO_RECIPIENTS
    return found[0][1] if found else None


def _is_statement(marking: StoredMarking | None) -> bool:
    return marking is not None and marking.is_shown and marking.recipients is None


def _waited_as_claim(stored: StoredVersion, checked: CheckedObject) -> bool:
    """Whether it is a claim that waited for recipients: where the agreement holds, its producer alone reads it then."""
    return stored.distribution != "" and is_unsourced_claim(checked.members)


def _check_withdrawal(
    report: Report, stored: StoredVersion, note: Withdrawal, audience: AudienceRule, batch: Batch, known: Readers
) -> None:
    """A note is for labs and persons by name, and stands beside the object that it is about."""
    if not stored.is_of_self:
        report.add("withdrawal", stored.where, "only the node says that something was withdrawn")
    if audience.anonymous or audience.every_lab or audience.every_client or audience.owner or audience.is_empty:
        report.add("audience", stored.where, "a withdrawal is for readers by name")
    if not (audience.labs | audience.clients <= known.labs and audience.persons <= known.persons):
        report.add("audience", stored.where, "a withdrawal is for labs and persons of this node")
    if (note.producer, stored.home_collection_id) not in batch.homes.get(note.object, frozenset()):
        report.add("withdrawal", stored.where, "there is no such object of this producer in the note's collection")
