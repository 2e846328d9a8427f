"""Labs' names for one actor: threat actors and campaigns that somebody says are the same, as far as a reader may see.

That two are the same is a `duplicate-of` relationship (STIX 2.1 section 3.7): one lab's word, which others may dispute.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from attribution.standing.views import is_of, record_of, records_of
from attribution.standing.voices import (
    Record,
    agreement_of,
    claim_of,
    confidence_range,
    disputing_labs,
    opinions_on,
)
from attribution.standing.walking import Walk, walk
from exchange.services.access import require_scope
from exchange.services.collections import visible_everywhere
from exchange.services.principals import Principal
from exchange.services.query import Found, PageEntry, Surroundings, looking_around
from exchange.services.query.object import no_such_object
from exchange.stix.identifiers import is_identifier

NAMED: Final = frozenset({"threat-actor", "campaign"})
"""Types of what goes by several names. Each is the same as others of its own type alone."""

SAME: Final = "duplicate-of"


class _Word(NamedTuple):
    """An object as it is delivered, and as it reads."""

    entry: PageEntry
    record: Record


@dataclass(frozen=True, slots=True)
class SameAs:
    """One lab's word that two objects are one. ends: in order, for neither is the first."""

    id: str
    lab: str
    ends: tuple[str, str]
    word: _Word = field(compare=False, repr=False)


def list_names(*, principal: Principal, stix_id: str, door: str) -> dict[str, Any]:
    """The names that are connected with one threat actor or campaign, and who says so and who disputes it.

    A link to something that the principal may not see, or that is revoked or suspended, is not crossed and not told.

    Raises:
        AccessDeniedError: the token does not read. NotReadyError: it takes too long.
        NotFoundError: there is no such name, or not for this reader: the two look the same.
    """
    require_scope(principal, "read")
    if not is_of(stix_id, NAMED) or not is_identifier(stix_id):
        raise no_such_object()
    with looking_around(principal=principal, door=door, collections=visible_everywhere(principal)) as around:
        look = _Look(around)
        if not look.see([stix_id]):
            raise no_such_object()
        found = walk(stix_id, links_of=look.links_of, in_sight=look.see)
        said = around.find_referring([link.id for link in found.links], ("opinion",))
        names, words = look.names_in(found), [link.word for link in found.links]
        around.note_shown([*(each.entry for each in [*names, *words]), *said.entries])
    told = {"id": stix_id, "names": _names(names, found), "links": _links(found.links, records_of(said.entries))}
    return told | ({"more": True} if found.more or look.more or said.more else {})


class _Look:
    """What the walk asks, and what it was answered. more: something was left out for its number or size."""

    def __init__(self, around: Surroundings) -> None:
        self.more = False
        self._around = around
        self._names: list[_Word] = []

    def see(self, ids: Collection[str]) -> set[str]:
        """Which of these the reader sees."""
        words = self._words(self._around.find(ids))
        self._names += words
        return {word.record.id for word in words}

    def links_of(self, ids: Collection[str]) -> list[SameAs]:
        """Who says of these, or of others, that they are the same."""
        words = self._words(self._around.find_referring(ids, ("relationship",), saying=SAME))
        said = [word for word in words if _says_same(word.record)]
        return [SameAs(word.record.id, word.record.lab, _ends_of(word.record), word) for word in said]

    def names_in(self, found: Walk[SameAs]) -> list[_Word]:
        """What was seen of all that the walk reached."""
        return [word for word in self._names if word.record.id in found.steps]

    def _words(self, found: Found) -> list[_Word]:
        self.more = self.more or found.more
        return [_Word(entry, record_of(entry)) for entry in found.entries]


def _ends_of(record: Record) -> tuple[str, str]:
    first, second = sorted((str(record.members["source_ref"]), str(record.members["target_ref"])))
    return first, second


def _says_same(record: Record) -> bool:
    first, second = _ends_of(record)
    is_named = is_of(first, NAMED) and first.partition("--")[0] == second.partition("--")[0]
    return record.members["relationship_type"] == SAME and is_named and first != second


def _names(words: Sequence[_Word], found: Walk[SameAs]) -> list[dict[str, Any]]:
    """The nearest first, then by lab and id."""
    told = [
        {
            **claim_of(each.record),
            "aliases": each.record.members.get("aliases", []),
            "steps": found.steps[each.record.id],
        }
        for each in words
    ]
    return sorted(told, key=lambda name: (name["steps"], name["lab"], name["id"]))


def _links(links: Sequence[SameAs], opinions: Sequence[Record]) -> list[dict[str, Any]]:
    """One for each two that somebody says are the same, by their ids; what labs say of it stands side by side."""
    by_ends: dict[tuple[str, str], list[Record]] = {}
    for link in links:
        by_ends.setdefault(link.ends, []).append(link.word.record)
    return [_link(ends, by_ends[ends], opinions) for ends in sorted(by_ends)]


def _link(ends: tuple[str, str], records: Sequence[Record], opinions: Sequence[Record]) -> dict[str, Any]:
    claims = [claim_of(each) for each in sorted(records, key=lambda record: (record.lab, record.id))]
    said = [opinion for each in sorted({record.id for record in records}) for opinion in opinions_on(each, opinions)]
    return {
        "ids": list(ends),
        "agreement": agreement_of(claims, said),
        "confidence": confidence_range(claims),
        "disputed_by": disputing_labs(said),
        "claims": claims,
        "opinions": said,
    }
