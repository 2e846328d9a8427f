"""Writes the indicator of a checked pattern, and the relationships that say what it indicates. Unsigned."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from exchange.stix.canonical import canonicalize
from exchange.stix.identifiers import derived_uuid
from exchange.stix.next_version import later_than, unsigned
from exchange.stix.timestamps import format_stix, parse_timestamp
from signatures.atlas import KILL_CHAIN, TECHNIQUES
from signatures.authoring.patterns import AuthoredPattern

MAX_NAME_CHARS: Final = 300
MAX_DESCRIPTION_CHARS: Final = 8_000
"""What the agreement allows an indicator (exchange/services/scope.toml); the rule itself says the whole of it."""

DEFAULT_VALIDITY: Final = timedelta(days=90)
"""After that a lab has to look at a signature again: campaigns change faster."""

DEFAULT_TYPES: Final = ("anomalous-activity",)
"""indicator-type-ov (STIX 2.1, section 10.10): patterns of use are no proof of malice."""

Members = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said beside the pattern; what is empty or None is taken from the pattern, or has a default.

    phases: of the kill chain of ATLAS. techniques: ids of ATLAS. valid_from, valid_until: times of STIX.
    """

    name: str = ""
    description: str = ""
    indicator_types: tuple[str, ...] = ()
    confidence: int | None = None
    phases: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    valid_from: str = ""
    valid_until: str = ""


@dataclass(frozen=True, slots=True)
class Authorship:
    """Whose indicator it becomes. producer: identity id. markings: ids of marking-definitions. at: now, aware.

    earlier: the members of the newest version of the indicator, if there is one. id: "" for that of the pattern.
    """

    producer: str
    markings: tuple[str, ...]
    at: datetime
    id: str = ""
    earlier: Mapping[str, Any] | None = None


def indicator(pattern: AuthoredPattern, statement: Statement, authorship: Authorship) -> Members:
    """The unsigned indicator of a pattern: a new one, or the next version of `earlier`."""
    created, modified = _times(authorship)
    earlier = authorship.earlier or {}
    valid_from = statement.valid_from or str(earlier.get("valid_from", created))
    techniques = tuple(dict.fromkeys((*pattern.techniques, *statement.techniques)))
    name, description = statement.name or pattern.name, statement.description or pattern.description
    members: Members = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": authorship.id or indicator_id(authorship.producer, pattern.rule_id),
        "created_by_ref": authorship.producer,
        "created": created,
        "modified": modified,
        **({"name": name[:MAX_NAME_CHARS]} if name else {}),
        **({"description": description[:MAX_DESCRIPTION_CHARS]} if description else {}),
        "indicator_types": list(statement.indicator_types or DEFAULT_TYPES),
        "pattern": pattern.text,
        "pattern_type": pattern.type,
        "pattern_version": pattern.version,
        "valid_from": valid_from,
        "valid_until": statement.valid_until or format_stix(_latest(modified, valid_from) + DEFAULT_VALIDITY),
        "object_marking_refs": list(authorship.markings),
    }
    if statement.confidence is not None:
        members["confidence"] = statement.confidence
    if phases := statement.phases or _phases_of(techniques):
        members["kill_chain_phases"] = [{"kill_chain_name": KILL_CHAIN, "phase_name": phase} for phase in phases]
    if references := _references(pattern, techniques):
        members["external_references"] = references
    return members


def indicates(members: Mapping[str, Any], target: str) -> Members:
    """The unsigned relationship that says what an indicator indicates, as its first version; its id never changes."""
    return {
        "type": "relationship",
        "spec_version": "2.1",
        "id": f"relationship--{derived_uuid('indicates', members['id'], target)}",
        "created_by_ref": members["created_by_ref"],
        "created": members["created"],
        "modified": members["created"],
        "relationship_type": "indicates",
        "source_ref": members["id"],
        "target_ref": target,
        "object_marking_refs": list(members["object_marking_refs"]),
    }


def unchanged(members: Mapping[str, Any], earlier: Mapping[str, Any], *, keeps_expiry: bool) -> bool:
    """Whether a version would say nothing new. keeps_expiry: nobody asked for another `valid_until`."""
    moving = {"modified", *(["valid_until"] if keeps_expiry else [])}
    return _content_of(members, moving) == _content_of(earlier, moving)


def indicator_id(producer: str, rule_id: str) -> str:
    """The id under which a producer publishes a rule, the same for all versions; a new one for a rule without an id."""
    return f"indicator--{derived_uuid('signature', producer, rule_id) if rule_id else uuid.uuid4()}"


def known_targets(techniques: Sequence[str]) -> tuple[str, ...]:
    """The attack-patterns of the techniques that are known here."""
    return tuple(TECHNIQUES[each].object for each in techniques if each in TECHNIQUES)


def _times(authorship: Authorship) -> tuple[str, str]:
    """`created` and `modified`; a version is later than the one before it, also where clocks differ."""
    if authorship.earlier is None:
        now = format_stix(authorship.at)
        return now, now
    return str(authorship.earlier["created"]), later_than(str(authorship.earlier["modified"]), authorship.at)


def _latest(*times: str) -> datetime:
    return max(parse_timestamp(text) for text in times)


def _phases_of(techniques: Sequence[str]) -> tuple[str, ...]:
    """The tactics of the techniques that are known here."""
    found = (phase for each in techniques if each in TECHNIQUES for phase in TECHNIQUES[each].phases)
    return tuple(dict.fromkeys(found))


def _references(pattern: AuthoredPattern, techniques: Sequence[str]) -> list[Members]:
    rule = [{"source_name": "sigma-rule", "external_id": pattern.rule_id}] if pattern.rule_id else []
    known = [TECHNIQUES[each].reference for each in techniques if each in TECHNIQUES]
    unknown = [{"source_name": KILL_CHAIN, "external_id": each} for each in techniques if each not in TECHNIQUES]
    public = [{"source_name": "reference", "url": url} for url in pattern.references]
    return [*rule, *known, *unknown, *public]


def _content_of(members: Mapping[str, Any], without: set[str]) -> bytes:
    return canonicalize({name: value for name, value in unsigned(members).items() if name not in without})
