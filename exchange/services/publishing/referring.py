"""No object may be marked looser than what it refers to, as far as its publisher may read the target."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.services.database import execute
from exchange.services.errors import PolicyError
from exchange.services.principals import Principal
from exchange.services.publishing.item import Item, each
from exchange.services.sharing import AudienceRule, load_audiences, readable_audiences
from exchange.stix.markings import Tlp

Target = tuple[Tlp, AudienceRule]

_TARGETS = """
SELECT o.stix_id, v.label, o.newest_audience_id
FROM object o JOIN version v ON v.id = o.newest_version_id
WHERE o.stix_id = ANY (%(ids)s)
  AND (o.producer_id = %(lab)s
       OR (o.newest_audience_id = ANY (%(readable)s) AND o.home_collection_id = ANY (%(homes)s)))
ORDER BY v.label DESC
"""


def check_references(principal: Principal, items: Sequence[Item], readable_homes: Sequence[int]) -> list[Item]:
    """Refuse items that would show the id of something to readers who may not see it. Three queries at most."""
    wanted = sorted({target for item in items for _, target in item.references})
    if not wanted:
        return list(items)
    targets = _stored_targets(principal, wanted, readable_homes)
    targets |= {item.object.id: (item.label, item.audience) for item in items if item.audience is not None}
    return each(items, lambda item: _check(item, targets))


def _stored_targets(principal: Principal, ids: Sequence[str], homes: Sequence[int]) -> dict[str, Target]:
    """Label and readers by id. Of several labs' copies of an observable the loosest counts: its id is known there."""
    params = {
        "ids": list(ids),
        "lab": principal.lab_id,
        "readable": readable_audiences(principal),
        "homes": list(homes),
    }
    found = execute(_TARGETS, params, prepare=False).fetchall()
    audiences = load_audiences(row[2] for row in found)
    return {stix_id: (Tlp(label), audiences[audience]) for stix_id, label, audience in found}


def _check(item: Item, targets: dict[str, Target]) -> None:
    for name, target_id in item.references:
        target = targets.get(target_id)
        if target is None or item.audience is None:
            continue
        label, audience = target
        if item.label < label:
            raise PolicyError(
                f"the object is {item.label.label} but refers to {label.label}",
                code="looser-than-reference",
                pointer=f"/{name}",
            )
        if not _within(item.audience, audience):
            raise PolicyError(
                "the object has recipients who may not read what it refers to",
                code="wider-than-reference",
                pointer=f"/{name}",
            )


def _within(readers: AudienceRule, target: AudienceRule) -> bool:
    """Whether the object names nobody but the target's recipients; a target without names asks nothing more.

    A person is a recipient where the target names that person: naming somebody's lab is not enough.
    """
    if target.every_lab:
        return True
    if readers.every_lab or not readers.labs <= target.labs:
        return False
    return readers.persons <= target.persons | target.labs
