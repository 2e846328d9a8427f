"""Labels and recipients: who will be able to read an object (docs/sharing.md, "What decides")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from exchange.models import Collection
from exchange.services.database import execute
from exchange.services.errors import PolicyError
from exchange.services.principals import Principal
from exchange.services.publishing.item import Item, each
from exchange.services.scope_claims import check_claim
from exchange.services.sharing import (
    AudienceRule,
    Recipients,
    audience_for,
    audience_of_distribution,
    readable_audiences,
)
from exchange.stix.extensions import Distribution, check_extensions
from exchange.stix.fixed import DISTRIBUTION_EXTENSION
from exchange.stix.markings import Tlp, label_of, marking_refs_of
from exchange.stix.reading import read_object

MARKINGS = "/object_marking_refs"


@dataclass(frozen=True, slots=True)
class KnownMarking:
    """A marking-definition that is stored: the publisher's own, or another producer's that it can read.

    `recipients` is None for markings that are no distribution (statements).
    """

    is_own: bool
    recipients: Recipients | None


def mark_items(
    principal: Principal,
    items: Sequence[Item],
    homes: Sequence[int],
    drafted: Mapping[str, KnownMarking] | None = None,
) -> list[Item]:
    """Set label, recipients and audience of every item; a handful of queries, whatever the number.

    homes: collections that the principal reads as a member. The caller is inside `writing()`, after the
    marking-definitions of the same request were stored. drafted: those that are not, because nobody signed them yet.
    """
    drafts = drafted or {}
    refs = sorted({ref for item in items for ref in marking_refs_of(item.object.members)} - drafts.keys())
    known = find_markings(principal, refs, homes) if refs else {}
    if len(known) < len(refs):
        # Either this transaction sees the marking that another one is storing, or that one sees what waits for it.
        lock_markings(principal)
        known = find_markings(principal, refs, homes)
    found = {**known, **drafts}
    return each(items, lambda item: mark_item(item, principal, found))


def lock_markings(principal: Principal) -> None:
    """Until the transaction ends, no other one stores markings of this lab or lets an object wait for them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('commonwatch.markings'), %s)", [principal.lab_id])


def mark_item(item: Item, principal: Principal, known: Mapping[str, KnownMarking]) -> None:
    """Decide who an item is for.

    Raises:
        PolicyError: unmarked, looser than the collection's floor, stricter than the token may publish, another
            producer's distribution, more than one, or one on an object that is for everybody.
        OutOfScopeError: a claim about an organisation without a public source or named recipients.
    """
    members = item.object.members
    if item.object.type == "marking-definition":
        item.label, item.audience = Tlp.AMBER, audience_of_marking(members, principal.lab_identity)
        return
    item.label = _effective_label(item)
    _check_bounds(item, principal)
    recipients = _resolve_recipients(item, marking_refs_of(members), known)
    if item.missing_marking:
        # Nobody but the producer reads it for certain; whom the marking names, it will say.
        recipients = Recipients(frozenset())
    elif item.collection is not None and item.collection.scope == Collection.Scope.AGREEMENT:
        check_claim(members, has_recipients=recipients is not None)
    item.audience = audience_for(item.label, principal.lab_identity, recipients)


def _effective_label(item: Item) -> Tlp:
    label = label_of(item.object.members)
    if label is None:
        label = item.default_label
    if label is None:
        raise PolicyError("the object carries no TLP marking", code="unmarked", pointer=MARKINGS)
    if item.payload_label is not None and item.payload_label > label:
        notice = f"the content inside is {item.payload_label.label}, which is stricter and counts"
        warning = ("stricter-payload", MARKINGS, notice)
        if warning not in item.warnings:  # a transaction that lost a race comes here again
            item.warnings += (warning,)
    return max(label, item.payload_label or label)


def _check_bounds(item: Item, principal: Principal) -> None:
    if item.collection is not None and item.label < item.collection.floor:
        raise PolicyError(
            f"{item.collection.alias} takes {item.collection.floor.label} and stricter; this is {item.label.label}",
            code="label-below-floor",
            pointer=MARKINGS,
        )
    highest = principal.bounds.get("highest_label")
    if highest is not None and item.label > Tlp.parse(highest):
        raise PolicyError(f"this token publishes up to {highest}", code="label-above-bound", pointer=MARKINGS)


def audience_of_marking(members: Mapping[str, Any], producer: str) -> AudienceRule:
    """Who reads a marking-definition of a producer (identity id): whom it names, every member if it names none."""
    extension = check_extensions(members).get(DISTRIBUTION_EXTENSION)
    if isinstance(extension, Distribution):
        return audience_of_distribution(producer, Recipients(frozenset(extension.recipients)))
    return audience_for(Tlp.GREEN, producer, None)


def _resolve_recipients(item: Item, refs: Sequence[str], known: Mapping[str, KnownMarking]) -> Recipients | None:
    found: list[tuple[str, Recipients]] = []
    missing: list[str] = []
    for ref in refs:
        marking = known.get(ref)
        if marking is None:
            missing.append(ref)
        elif not marking.is_own:
            raise PolicyError("the marking belongs to another producer", code="foreign-marking", pointer=MARKINGS)
        elif marking.recipients is not None:
            found.append((ref, marking.recipients))
    item.missing_marking = missing[0] if missing else ""
    if len(found) + len(missing) > 1:
        raise PolicyError("an object carries one distribution marking at most", code="distributions", pointer=MARKINGS)
    if (found or item.missing_marking) and item.label < Tlp.AMBER:
        raise PolicyError(
            f"a distribution narrows TLP:AMBER and stricter; {item.label.label} is for every member",
            code="distribution-too-loose",
            pointer=MARKINGS,
        )
    if _is_granular(item, [ref for ref, _ in found] + [item.missing_marking]):
        raise PolicyError(
            "a distribution marks whole objects", code="granular-distribution", pointer="/granular_markings"
        )
    item.distribution = found[0][0] if found else item.missing_marking
    return found[0][1] if found else None


def _is_granular(item: Item, refs: Sequence[str]) -> bool:
    granular = item.object.members.get("granular_markings", ())
    return any(entry.get("marking_ref") in refs for entry in granular if entry.get("marking_ref"))


_MARKINGS = """
SELECT o.stix_id, o.producer_id = %(lab)s, v.body
FROM object o JOIN version v ON v.id = o.newest_version_id
WHERE o.type = 'marking-definition' AND o.stix_id = ANY (%(ids)s)
  AND (o.producer_id = %(lab)s
       OR (o.newest_audience_id = ANY (%(readable)s) AND o.home_collection_id = ANY (%(homes)s)))
ORDER BY 2
"""


def find_markings(principal: Principal, ids: Sequence[str], homes: Sequence[int]) -> Mapping[str, KnownMarking]:
    """The stored markings among these ids that are the publisher's own, or that it can read."""
    params = {
        "lab": principal.lab_id,
        "ids": list(ids),
        "readable": readable_audiences(principal),
        "homes": list(homes),
    }
    found = execute(_MARKINGS, params, prepare=False).fetchall()
    return {stix_id: KnownMarking(own, recipients_in(bytes(body))) for stix_id, own, body in found}


def recipients_in(marking: bytes) -> Recipients | None:
    """The recipients that a stored marking-definition names; None if it is no distribution."""
    extension = check_extensions(read_object(marking).members).get(DISTRIBUTION_EXTENSION)
    return Recipients(frozenset(extension.recipients)) if isinstance(extension, Distribution) else None
