"""The order of a deletion: what may be deleted, who is told, what remains (docs/sharing.md, rules 3 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from exchange.models import StixObject
from exchange.services.access import require_scope
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.collections import CollectionView, bound_name
from exchange.services.database import writing
from exchange.services.deletion import rows
from exchange.services.deletion.choosing import OwnVersion, choose
from exchange.services.delivery import peers_that_keep
from exchange.services.errors import AccessDeniedError, ConflictError, NotFoundError
from exchange.services.principals import Principal, PrincipalKind
from exchange.services.publishing.marking import lock_markings
from exchange.services.sharing import load_audiences
from exchange.services.storing import AudienceChange, retrying
from exchange.services.withdrawals import NOBODY, withdraw_from
from exchange.stix.markings import Tlp


def delete_object(
    *,
    principal: Principal,
    stix_id: str,
    collection: CollectionView | None = None,
    versions: tuple[str, ...] | None = None,
) -> list[str]:
    """Remove versions of the principal's own object; their later publication is refused.

    Answers the names of the plain feeds that pulled one of them before: they keep it, as no note reaches them.

    collection: where the object has to live, anywhere if None. versions: any of `first`, `last` and version keys, every
    version if None. Where all versions are removed, so is the object, and no version of it may be published again.
    Where the newest is removed and others remain, the newest of these gets a new place in the sequence, so that
    followers meet it.

    Raises:
        NotFoundError: the lab has no such object there (another lab's looks the same), or no such version of it.
        ConflictError: other things rest on it: the lab's identity, a marking in use, a revocation.
        AccessDeniedError, NotAuthenticatedError: the principal may not publish.
    """
    require_scope(principal, "publish")
    if principal.kind is PrincipalKind.PEER:
        raise AccessDeniedError("an exchange says what was withdrawn by a note", code="not-a-member")
    return retrying(lambda: _delete(principal, stix_id, collection, versions, now()))


def remove_taken_back(*, found: StixObject, producer: str, moment: datetime) -> None:
    """Remove an object of a producer (identity id) as if the producer had deleted it here: its home said that it did.

    The caller is inside `writing()`, with the object locked, has found it deletable and has told its readers.
    """
    deleting = Principal(PrincipalKind.NODE, lab_id=found.producer_id, lab_identity=producer)
    record_event(deleting, "object-deleted", found.stix_id)
    rows.remove_object(found, rows.log_deletion(found, producer, moment), moment)


def _delete(
    principal: Principal,
    stix_id: str,
    collection: CollectionView | None,
    versions: tuple[str, ...] | None,
    moment: datetime,
) -> list[str]:
    with writing():
        lock_markings(principal)
        found = _find(principal, stix_id, collection)
        stored = rows.stored_versions(found.id)
        chosen = choose(stored, versions)
        if not chosen:
            raise NotFoundError("the object has no such version", code="version-not-found")
        check_deletable(found, principal.lab_identity)
        kept_by = _kept_by(found, chosen)
        if len(chosen) == len(stored):
            _delete_all(principal, found, moment)
        else:
            _delete_some(principal, found, chosen, [each for each in stored if each not in chosen], moment)
        if kept_by:
            record_event(principal, "deletion-not-followed", found.stix_id, kept_by=kept_by)
    return kept_by


def _kept_by(found: StixObject, chosen: Sequence[OwnVersion]) -> list[str]:
    """Names of the plain feeds that pulled one of these versions."""
    gone = {each.text for each in chosen}
    pulled = peers_that_keep(producer_id=found.producer_id, stix_id=found.stix_id)
    return sorted({each.lab for each in pulled if each.version in gone})


def _find(principal: Principal, stix_id: str, collection: CollectionView | None) -> StixObject:
    candidates = StixObject.objects.select_for_update().filter(producer__id=principal.lab_id or 0, stix_id=stix_id)
    if collection is not None:
        candidates = candidates.filter(home_collection__id=collection.id)
    found = candidates.exclude(state__in=[StixObject.State.DELETED, StixObject.State.EXPIRED]).first()
    if found is None or not _is_within_bounds(principal, found):
        raise NotFoundError("there is no such object", code="object-not-found")
    return found


def _is_within_bounds(principal: Principal, found: StixObject) -> bool:
    """A token deletes what it could have published: within its collections, up to its highest label."""
    bounds = principal.bounds
    home = found.home_collection
    if "collections" in bounds and bound_name(home.api_root.slug, home.alias) not in bounds["collections"]:
        return False
    return "highest_label" not in bounds or rows.strictest_label(found) <= Tlp.parse(bounds["highest_label"])


def check_deletable(found: StixObject, producer: str) -> None:
    """Refuse what everything else of its producer rests on. Raises: ConflictError."""
    if found.stix_id == producer:
        raise ConflictError("every signature of the lab rests on its identity", code="in-use", pointer="/id")
    if found.type == "marking-definition" and rows.names_recipients(found):
        raise ConflictError("the recipients of other objects stand in it", code="in-use", pointer="/id")


def _delete_all(principal: Principal, found: StixObject, moment: datetime) -> None:
    record_event(principal, "object-deleted", found.stix_id)
    if found.newest_audience_id is not None:
        change = AudienceChange(
            found.stix_id,
            principal.lab_identity,
            found.home_collection_id,
            found.newest_audience_id,
            NOBODY,
            revoked=False,
        )
        withdraw_from([change], moment, state="deleted")
    rows.remove_object(found, rows.log_deletion(found, principal.lab_identity, moment), moment)


def _delete_some(
    principal: Principal,
    found: StixObject,
    chosen: Sequence[OwnVersion],
    remaining: Sequence[OwnVersion],
    moment: datetime,
) -> None:
    if found.state == StixObject.State.REVOKED and any(each.is_revocation or each.is_held for each in chosen):
        raise ConflictError("the object would no longer be revoked; delete all of it", code="in-use", pointer="/id")
    shown = [each for each in remaining if not each.is_held]
    newest = max(shown, key=lambda each: each.key, default=None)
    # What waits for its marking decides already who reads the object.
    audience_id = max(remaining, key=lambda each: each.key).audience_id if newest else None
    before = found.newest_version_id, found.newest_audience_id
    is_changed = before != (newest.id if newest else None, audience_id)
    record_event(principal, "versions-deleted", found.stix_id, versions=[each.text for each in chosen])
    if is_changed and found.newest_audience_id is not None:
        withdraw_from([_change(found, principal.lab_identity, audience_id)], moment, state="deleted")
    for each in chosen:
        rows.remove_version(found, each, rows.log_deletion(found, principal.lab_identity, moment, each), moment)
    if newest is not None and audience_id is not None:
        rows.mark_entries(found, newest, min(shown, key=lambda each: each.key), audience_id)
    if is_changed:
        rows.set_newest(found, newest, audience_id)
    if is_changed and newest is not None:
        rows.place_anew(found, newest, principal.lab_identity, moment)


def _change(found: StixObject, producer: str, audience_id: int | None) -> AudienceChange:
    before = found.newest_audience_id or 0
    after = NOBODY if audience_id is None else load_audiences([audience_id])[audience_id]
    return AudienceChange(found.stix_id, producer, found.home_collection_id, before, after, revoked=False)
