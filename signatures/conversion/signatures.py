"""A signature as it comes: a Sigma text, alone or in a STIX indicator with what is known about that."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from exchange.stix.errors import StixError
from exchange.stix.markings import Tlp, label_of
from exchange.stix.timestamps import ordering_key, parse_timestamp
from signatures.conversion.header import listed

# sharing-policy: a dispute that nobody renews ends.
DISPUTE_LASTS: Final = timedelta(days=14)
_DISAGREEING: Final = frozenset({"disagree", "strongly-disagree"})
_ATLAS: Final = frozenset({"mitre-atlas", "atlas"})

REVOKED: Final = "revoked"
EXPIRED: Final = "expired"
DISPUTED: Final = "disputed"
CURRENT: Final = "current"


@dataclass(frozen=True, slots=True)
class Signature:
    """text: Sigma in YAML. states: without "current". The rest is the indicator's, "" or empty for a bare text."""

    text: str
    id: str = ""
    name: str = ""
    version: str = ""
    states: tuple[str, ...] = ()
    confidence: str = ""
    techniques: tuple[str, ...] = ()
    kill_chain: tuple[str, ...] = ()
    label: Tlp | None = None
    valid_until: str = ""
    producer: str = ""


def signatures_of(objects: Iterable[Mapping[str, Any]], now: datetime) -> list[Signature]:
    """The Sigma indicators among STIX objects, the newest version of each, in the order in which they came.

    Names of producers, techniques and disputes come from the other objects. Nothing is assumed of what members hold.
    """
    newest = _newest(objects)
    context = _Context(list(newest.values()), now)
    return [
        _signature(members, context)
        for members in newest.values()
        if members.get("type") == "indicator"
        and members.get("pattern_type") == "sigma"
        and isinstance(members.get("pattern"), str)
    ]


def _newest(objects: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for members in objects:
        key = (_text(members, "id"), _text(members, "created_by_ref"))
        known = newest.get(key)
        if known is None or _version_key(members) > _version_key(known):
            newest[key] = members
    return newest


class _Context:
    """What other objects say of an indicator."""

    def __init__(self, objects: Sequence[Mapping[str, Any]], now: datetime) -> None:
        self.now = now
        self.names = {_text(each, "id"): _text(each, "name") for each in objects if each.get("type") == "identity"}
        self.techniques: dict[str, list[str]] = {}
        by_id = {_text(each, "id"): each for each in objects}
        for each in objects:
            if each.get("type") == "relationship" and each.get("relationship_type") == "indicates":
                technique = by_id.get(_text(each, "target_ref"), {})
                self.techniques.setdefault(_text(each, "source_ref"), []).extend(_atlas_ids(technique))
        self.disputed = frozenset(
            reference
            for each in objects
            if each.get("type") == "opinion" and self._disputes(each)
            for reference in _texts(each, "object_refs")
        )

    def _disputes(self, opinion: Mapping[str, Any]) -> bool:
        given = _time(opinion, "modified") or _time(opinion, "created")
        is_fresh = given is None or self.now - given <= DISPUTE_LASTS
        return opinion.get("opinion") in _DISAGREEING and opinion.get("revoked") is not True and is_fresh


def _signature(members: Mapping[str, Any], context: _Context) -> Signature:
    stix_id, producer = _text(members, "id"), _text(members, "created_by_ref")
    name = context.names.get(producer, "")
    confidence = members.get("confidence")
    try:
        label = label_of(members)
    except StixError:
        # Nobody knows what it says: the strictest is the safe reading.
        label = Tlp.RED
    return Signature(
        text=members["pattern"],
        id=stix_id,
        name=_text(members, "name"),
        version=_text(members, "modified"),
        states=_states(members, stix_id, context),
        confidence=str(confidence) if type(confidence) is int and 0 <= confidence <= 100 else "",
        techniques=listed([*_atlas_ids(members), *context.techniques.get(stix_id, ())]),
        kill_chain=listed(
            f"{_text(phase, 'kill_chain_name')}/{_text(phase, 'phase_name')}"
            for phase in _maps(members, "kill_chain_phases")
        ),
        label=label,
        valid_until=_text(members, "valid_until"),
        producer=f"{name} ({producer})" if name and producer else producer,
    )


def _states(members: Mapping[str, Any], stix_id: str, context: _Context) -> tuple[str, ...]:
    expiry = _time(members, "valid_until")
    found = {
        REVOKED: members.get("revoked") is True,
        # A time that cannot be read does not make a signature last for ever.
        EXPIRED: expiry <= context.now if expiry is not None else "valid_until" in members,
        DISPUTED: stix_id in context.disputed,
    }
    return tuple(state for state, holds in found.items() if holds)


def _atlas_ids(members: Mapping[str, Any]) -> list[str]:
    references = _maps(members, "external_references")
    return [_text(each, "external_id") for each in references if _text(each, "source_name").lower() in _ATLAS]


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _texts(members: Mapping[str, Any], name: str) -> list[str]:
    value = members.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _maps(members: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = members.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _time(members: Mapping[str, Any], name: str) -> datetime | None:
    try:
        return parse_timestamp(_text(members, name)).astimezone(UTC)
    except StixError:
        return None


def _version_key(members: Mapping[str, Any]) -> str:
    return ordering_key(_text(members, "modified")) if _time(members, "modified") is not None else ""
