"""Who says what of one attributed thing, as far as one reader may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from attribution.lookups.matches import DO_NOT_BLOCK
from attribution.protection.marks import marks_for
from attribution.protection.networks import networks_in
from attribution.standing.voices import (
    Record,
    agreement_of,
    claim_of,
    confidence_range,
    disputing_labs,
    opinions_on,
    relation_of,
    sightings_of,
)
from exchange.services.access import require_scope
from exchange.services.collections import visible_everywhere
from exchange.services.principals import Principal
from exchange.services.query import PageEntry, looking_around
from exchange.services.query.object import no_such_object
from exchange.stix.object_classes import SCO_TYPES
from exchange.stix.reading import read_object

ATTRIBUTED: Final = frozenset({"threat-actor", "campaign", "infrastructure", "indicator", "tool"}) | SCO_TYPES
"""Types of what attribution is about."""

MAX_PROTECTED: Final = 20
"""Networks of one thing that are told as protected; an object may name 10,000."""

_SAID: Final = ("opinion", "relationship", "sighting")


def describe_object(*, principal: Principal, stix_id: str, door: str) -> dict[str, Any]:
    """Each lab's claim about one object, who saw it, what is said of it, and whether anybody disagrees.

    Everything stands in objects that the principal may read and that are neither revoked nor suspended.

    Raises:
        AccessDeniedError: the token does not read. NotReadyError: it takes too long.
        NotFoundError: nobody claims it, or not for this reader: the two look the same.
    """
    require_scope(principal, "read")
    if not is_of(stix_id, ATTRIBUTED):
        raise no_such_object()
    with looking_around(principal=principal, door=door, collections=visible_everywhere(principal)) as around:
        about = around.find([stix_id])
        said = around.find_referring([stix_id], _SAID)
        if not about.entries:
            raise no_such_object()
        around.note_shown([*about.entries, *said.entries])
        claimed = records_of(about.entries)
        protected = _protected(claimed)
    described = _description(stix_id, claimed, records_of(said.entries))
    described["protected"] = protected[:MAX_PROTECTED]
    return described | ({"more": True} if about.more or said.more or len(protected) > MAX_PROTECTED else {})


def is_of(stix_id: str, types: Iterable[str]) -> bool:
    """Whether an id is of one of these types."""
    return stix_id.partition("--")[0] in types


def record_of(entry: PageEntry) -> Record:
    """An entry with its bytes parsed."""
    return Record(entry.producer, entry.version, entry.label.label, entry.state, read_object(entry.body).members)


def records_of(entries: Iterable[PageEntry]) -> list[Record]:
    """The same of many, by lab and id."""
    return sorted(map(record_of, entries), key=lambda record: (record.lab, record.id))


def _description(stix_id: str, about: Sequence[Record], said: Sequence[Record]) -> dict[str, Any]:
    by_type = {name: [each for each in said if each.members["type"] == name] for name in _SAID}
    claims = [claim_of(each) for each in about]
    opinions = opinions_on(stix_id, by_type["opinion"])
    sightings = sightings_of(stix_id, by_type["sighting"])
    return {
        "id": stix_id,
        "agreement": agreement_of(claims, opinions, sightings),
        "confidence": confidence_range(claims),
        "disputed_by": disputing_labs(opinions),
        "claims": claims,
        "sightings": sightings,
        "opinions": opinions,
        "relations": [relation_of(each) for each in by_type["relationship"]],
    }


def _protected(about: Sequence[Record]) -> list[dict[str, Any]]:
    """Networks that claims name and operators protect, with the reason. One statement, or none."""
    nets = sorted({net for each in about for _, net in networks_in(each.members)})
    marks = zip(nets, marks_for(nets), strict=True)
    return [{"net": net, DO_NOT_BLOCK: mark.to_json()} for net, mark in marks if mark is not None]
