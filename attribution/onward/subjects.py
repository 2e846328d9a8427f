"""The object that a request is about: as its asker sees it, and as it stands now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from exchange.models import StixObject
from exchange.services.collections import visible_everywhere
from exchange.services.database import execute
from exchange.services.principals import Principal
from exchange.services.query.object import no_such_object, several_producers
from exchange.services.query.sight import sight_of
from exchange.services.sharing import AudienceRule, load_audiences, reading_as
from exchange.stix.markings import Tlp

SHOWN: Final = frozenset({StixObject.State.CURRENT, StixObject.State.DISPUTED})
"""States in which an object is shared at all."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An object and its newest version. audiences: of the version, and of the object; a reader is in both.

    origin_peer_id: the peer that the version came from, None for what was published here.
    """

    object_id: int
    stix_id: str
    type: str
    state: str
    producer_id: int
    version_id: int
    version_text: str
    label: Tlp
    audiences: tuple[AudienceRule, ...]
    origin_peer_id: int | None


_COLUMNS: Final = """
o.id, o.stix_id, o.type, o.state, o.producer_id, v.id, v.version_text, v.label, v.audience_id, o.newest_audience_id,
v.origin_peer_id
"""
_IN_SIGHT: Final = f"""
SELECT {_COLUMNS} FROM entry e JOIN version v ON v.id = e.version_id JOIN object o ON o.id = e.object_id
JOIN lab l ON l.id = o.producer_id
WHERE e.is_newest AND (%(producer)s = '' OR l.slug = %(producer)s) AND """  # noqa: S608 - columns of our own
_NEWEST: Final = f"""
SELECT {_COLUMNS} FROM object o JOIN version v ON v.id = o.newest_version_id WHERE o.id = %(object)s
"""  # noqa: S608 - columns of our own


def find_subject(principal: Principal, stix_id: str, producer: str) -> Subject:
    """The object of this id that the principal may read. producer: slug, "" if nobody named one.

    Nothing of it is delivered by this.

    Raises:
        NotFoundError: absent, or not for this reader: the two look the same.
        InvalidRequestError: several producers have an object of this id, and none is named.
    """
    sight = sight_of(principal, visible_everywhere(principal))
    with reading_as(principal) as readable:
        conditions, params = sight.conditions(stix_id, readable)
        rows = execute(_IN_SIGHT + conditions, params | {"producer": producer}, prepare=False).fetchall()
    if not rows:
        raise no_such_object()
    if len(rows) > 1:
        raise several_producers()
    return _subject(rows[0])


def newest_subject(object_id: int) -> Subject | None:
    """The object as it stands now, None if it has no version that is shown. Inside `writing()`."""
    row = execute(_NEWEST, {"object": object_id}, prepare=False).fetchone()
    return None if row is None else _subject(row)


def _subject(row: tuple[Any, ...]) -> Subject:
    object_id, stix_id, type_, state, producer_id, version_id, version, label, own, newest, origin = row
    rules = load_audiences({own, newest})
    audiences = tuple(rules[each] for each in (own, newest))
    return Subject(object_id, stix_id, type_, state, producer_id, version_id, version, Tlp(label), audiences, origin)
