"""From STIX objects to signatures: of each indicator the newest version, with all that the other objects say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from exchange.stix.errors import StixError
from exchange.stix.markings import Tlp, label_of
from signatures.intake.changes import changes_between
from signatures.intake.files import StixObject
from signatures.intake.members import maps_in, text_in, version_key
from signatures.intake.standing import disputes_in, named, states_of

_ATLAS: Final = frozenset({"mitre-atlas", "atlas"})
SIGMA: Final = "sigma"
Versions = dict[tuple[str, str], list[StixObject]]


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as it comes. All but `text` and `origin` is the indicator's, "" or empty for a bare text.

    text: the pattern, of Sigma the YAML. states: without "current". disputes: who disputes it and why.
    before: the version before the one that counts, if that was given too; changes: lines that say what changed since.
    """

    text: str
    origin: str = ""
    pattern_type: str = SIGMA
    id: str = ""
    name: str = ""
    version: str = ""
    states: tuple[str, ...] = ()
    disputes: tuple[str, ...] = ()
    before: str = ""
    changes: tuple[str, ...] = ()
    confidence: str = ""
    techniques: tuple[str, ...] = ()
    kill_chain: tuple[str, ...] = ()
    label: Tlp | None = None
    valid_until: str = ""
    producer: str = ""


def signatures_of(objects: Iterable[StixObject], now: datetime) -> list[Signature]:
    """The indicators among STIX objects, the newest version of each, in the order in which they came.

    Where two producers have one id, each has a signature. Names of producers, techniques and disputes come from the
    other objects. Nothing is assumed of what members hold.
    """
    versions = _versions(objects)
    context = _Context([each[-1] for each in versions.values()], now)
    return [_signature(each, context) for each in versions.values() if each[-1].members.get("type") == "indicator"]


def _versions(objects: Iterable[StixObject]) -> Versions:
    """All versions of each object, the oldest first, of each version what came first."""
    found: dict[tuple[str, str], dict[str, StixObject]] = {}
    for each in objects:
        key = (text_in(each.members, "id"), text_in(each.members, "created_by_ref"))
        found.setdefault(key, {}).setdefault(version_key(each.members), each)
    return {key: [versions[name] for name in sorted(versions)] for key, versions in found.items()}


class _Context:
    """What other objects say of an indicator. What was put aside says nothing."""

    def __init__(self, newest: Sequence[StixObject], now: datetime) -> None:
        self.now = now
        objects = [each.members for each in newest if not each.aside]
        by_id = {text_in(each, "id"): each for each in objects}
        self.names = {text_in(each, "id"): text_in(each, "name") for each in objects if each.get("type") == "identity"}
        self.disputes = disputes_in(objects, self.names, now)
        self.techniques: dict[str, list[str]] = {}
        for each in objects:
            if each.get("type") == "relationship" and each.get("relationship_type") == "indicates":
                technique = by_id.get(text_in(each, "target_ref"), {})
                self.techniques.setdefault(text_in(each, "source_ref"), []).extend(_atlas_ids(technique))


def _signature(versions: Sequence[StixObject], context: _Context) -> Signature:
    newest, before = versions[-1], versions[-2] if len(versions) > 1 else None
    members = newest.members
    stix_id, producer = text_in(members, "id"), text_in(members, "created_by_ref")
    confidence = members.get("confidence")
    disputes = context.disputes.get(stix_id, ())
    return Signature(
        text=text_in(members, "pattern"),
        origin=newest.origin,
        pattern_type=text_in(members, "pattern_type"),
        id=stix_id,
        name=text_in(members, "name"),
        version=text_in(members, "modified"),
        states=states_of(members, newest.aside, disputes, context.now),
        disputes=disputes,
        before=text_in(before.members, "modified") if before else "",
        changes=changes_between(before.members, members) if before else (),
        confidence=str(confidence) if type(confidence) is int and 0 <= confidence <= 100 else "",
        techniques=(*_atlas_ids(members), *context.techniques.get(stix_id, ())),
        kill_chain=tuple(
            f"{text_in(phase, 'kill_chain_name')}/{text_in(phase, 'phase_name')}"
            for phase in maps_in(members, "kill_chain_phases")
        ),
        label=_label(members),
        valid_until=text_in(members, "valid_until"),
        producer=named(producer, context.names) if producer else "",
    )


def _label(members: Mapping[str, Any]) -> Tlp | None:
    try:
        return label_of(members)
    except StixError:
        # Nobody knows what it says: the strictest is the safe reading.
        return Tlp.RED


def _atlas_ids(members: Mapping[str, Any]) -> list[str]:
    references = maps_in(members, "external_references")
    return [text_in(each, "external_id") for each in references if text_in(each, "source_name").lower() in _ATLAS]
