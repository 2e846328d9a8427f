"""Who says what of one thing: claims side by side, who saw it, who agrees, who disputes. Pure.

Nothing is averaged: a range has its ends, and one lab that disagrees is enough for `disputed`. Who may see which object
was decided before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exchange.stix.extension_ids import FEEDBACK_EXTENSION
from exchange.stix.timestamps import ordering_key

AGREEING: Final = frozenset({"agree", "strongly-agree"})
DISAGREEING: Final = frozenset({"disagree", "strongly-disagree"})
"""Of opinion-enum (STIX 2.1 section 10); the word between them is for neither."""

SINGLE: Final = "single"
AGREED: Final = "agreed"
DISPUTED: Final = "disputed"
AGREEMENTS: Final = (SINGLE, AGREED, DISPUTED)

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """The newest version of one object by one lab: what the node knows of it, and its members as signed."""

    lab: str
    version: str
    label: str
    state: str
    members: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.members["id"])


def claim_of(record: Record) -> Told:
    """What one lab says, in its own words and times. Of a relationship the times are those between which it holds."""
    members = record.members
    return {
        "id": record.id,
        "lab": record.lab,
        "version": record.version,
        "label": record.label,
        "state": record.state,
        "name": _name_of(members),
        "confidence": members.get("confidence"),
        "first_seen": members.get("first_seen", members.get("start_time")),
        "last_seen": members.get("last_seen", members.get("stop_time")),
        "valid_from": members.get("valid_from"),
        "valid_until": members.get("valid_until"),
        "references": [_reference_of(each) for each in members.get("external_references", ())],
    }


def relation_of(record: Record) -> Told:
    """A relationship as a claim: which two things, and what one is to the other."""
    members = record.members
    between = {"type": members["relationship_type"], "source": members["source_ref"], "target": members["target_ref"]}
    return {**claim_of(record), **between}


def opinions_on(stix_id: str, records: Iterable[Record]) -> list[Told]:
    """The current opinion of each lab about one object: its latest. By lab."""
    latest: dict[str, Record] = {}
    for record in records:
        if stix_id in record.members["object_refs"]:
            known = latest.get(record.lab)
            if known is None or _instant(known) < _instant(record):
                latest[record.lab] = record
    return [_opinion_of(latest[lab], stix_id) for lab in sorted(latest)]


def sightings_of(stix_id: str, records: Iterable[Record]) -> list[Told]:
    """How often each lab says that the object was seen; a sighting that says no number counts once. By lab."""
    by_lab: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        if record.members["sighting_of_ref"] == stix_id:
            by_lab.setdefault(record.lab, []).append(record.members)
    return [_sum_of(lab, by_lab[lab]) for lab in sorted(by_lab)]


def disputing_labs(opinions: Iterable[Told]) -> list[str]:
    """Labs that disagree, each once, sorted."""
    return sorted({each["lab"] for each in opinions if each["opinion"] in DISAGREEING})


def confidence_range(claims: Iterable[Told]) -> Told | None:
    """The lowest and the highest that claims say; None if none says any."""
    said = [each["confidence"] for each in claims if each["confidence"] is not None]
    return {"lowest": min(said), "highest": max(said)} if said else None


def agreement_of(claims: Sequence[Told], opinions: Sequence[Told], sightings: Sequence[Told] = ()) -> str:
    """`disputed` if one lab disagrees or one claim is disputed, `agreed` if two labs stand for it, else `single`.

    A lab stands for it by a claim of its own, an opinion that agrees, or having seen it.
    """
    if disputing_labs(opinions) or any(each["state"] == DISPUTED for each in claims):
        return DISPUTED
    standing = {each["lab"] for each in claims}
    standing |= {each["lab"] for each in opinions if each["opinion"] in AGREEING}
    standing |= {each["lab"] for each in sightings if each["count"] > 0}
    return AGREED if len(standing) > 1 else SINGLE


def _name_of(members: Mapping[str, Any]) -> str | None:
    """What it is called; an observable is called by its value."""
    for member in ("name", "value", "number"):
        if member in members:
            return str(members[member])
    return None


def _reference_of(reference: Mapping[str, Any]) -> Told:
    return {name: reference.get(name) for name in ("source_name", "external_id", "url")}


def _instant(record: Record) -> tuple[str, str]:
    return ordering_key(record.version), record.id


def _opinion_of(record: Record, about: str) -> Told:
    feedback = record.members.get("extensions", {}).get(FEEDBACK_EXTENSION, {})
    return {
        "id": record.id,
        "lab": record.lab,
        "version": record.version,
        "about": about,
        "opinion": record.members["opinion"],
        "reason": feedback.get("reason"),
        "evidence_count": feedback.get("evidence_count"),
    }


def _sum_of(lab: str, sightings: Sequence[Mapping[str, Any]]) -> Told:
    first = [each["first_seen"] for each in sightings if "first_seen" in each]
    last = [each["last_seen"] for each in sightings if "last_seen" in each]
    return {
        "lab": lab,
        "sightings": len(sightings),
        "count": sum(each.get("count", 1) for each in sightings),
        "first_seen": min(first, key=ordering_key, default=None),
        "last_seen": max(last, key=ordering_key, default=None),
    }
