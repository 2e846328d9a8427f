"""The way of a request through publishing, step by step.

Everything that needs no lock happens before the transaction. An identity commits by itself, so that what it
introduces counts for the rest of the request; the rest commits at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from exchange.models import Lab
from exchange.services import counters
from exchange.services.access import require_publishing
from exchange.services.clock import now
from exchange.services.collections import CollectionView, visible_collections
from exchange.services.database import writing
from exchange.services.errors import AccessDeniedError, ExchangeError
from exchange.services.principals import Principal, PrincipalKind
from exchange.services.publishing.advising import advise
from exchange.services.publishing.again import show_again
from exchange.services.publishing.holding import release_held, waiting_for
from exchange.services.publishing.identities import publish_identity, report_refusal
from exchange.services.publishing.item import Item, each
from exchange.services.publishing.marking import lock_markings, mark_items
from exchange.services.publishing.outcome import Outcome, OutcomeStatus
from exchange.services.publishing.owning import check_ownership
from exchange.services.publishing.proving import is_lab_identity, open_item, verify_items
from exchange.services.publishing.reading import read_item
from exchange.services.publishing.referring import check_references
from exchange.services.publishing.signing import sign_items
from exchange.services.storing import AudienceChange, Batch, StoreResult, StoreStatus, retrying
from exchange.services.withdrawals import withdraw_from
from exchange.stix.errors import StixError


def publish_objects(
    *,
    principal: Principal,
    bodies: Sequence[bytes],
    collection: CollectionView | None,
    door: str,
    dry_run: bool = False,
    sign: bool = False,
) -> list[Outcome]:
    """Publish objects for the lab of `principal`; one outcome each, in their order.

    bodies: the bytes of each object. collection: where they go, None for the home of each type.
    dry_run: check everything, store nothing. sign: have the exchange sign with the key that it holds.

    Raises:
        NotAuthenticatedError, AccessDeniedError: the principal may not publish at all.
        NotFoundError: `sign`, and the exchange holds no key.
    """
    require_publishing(principal)
    if principal.lab_id is None or principal.kind is PrincipalKind.PEER:
        raise AccessDeniedError("only labs publish")
    moment = now()
    views = [collection] if collection is not None else visible_collections(principal)
    homes = {view.alias: view for view in views}
    items = [Item(index, body) for index, body in enumerate(bodies)]
    read = each(items, lambda item: read_item(item, principal, collection, homes))
    fixed = [item for item in read if item.collection is None]
    ours = [item for item in read if item.collection is not None]
    if sign:
        sign_items(principal, ours, moment, dry_run=dry_run)
    opened = each(ours, open_item)

    results: dict[int, StoreResult] = {item.index: StoreResult(StoreStatus.EXISTS) for item in fixed}
    identities = [item for item in opened if is_lab_identity(item)]
    for item in identities:
        _publish_identity(principal, item, moment, results, dry_run=dry_run)
    if identities:
        principal = replace(principal, lab_identity=Lab.objects.get(pk=principal.lab_id).identity_id or "")
    rest = verify_items(principal, [item for item in opened if not is_lab_identity(item)], moment)
    readable = views[0].granted_homes if views else ()
    advise(rest)
    if rest:
        retrying(lambda: _store_rest(principal, rest, readable, moment, results, dry_run=dry_run))
    outcomes = [_outcome(item, results.get(item.index), dry_run=dry_run) for item in items]
    _count(outcomes, door)
    return outcomes


def _publish_identity(
    principal: Principal, item: Item, moment: datetime, results: dict[int, StoreResult], *, dry_run: bool
) -> None:
    def attempt() -> None:
        with writing():
            results[item.index] = publish_identity(principal, item, moment)
            transaction.set_rollback(dry_run)

    try:
        retrying(attempt)
    except (StixError, ExchangeError) as error:
        item.error = error
        report_refusal(principal, item)


def _store_rest(
    principal: Principal,
    items: Sequence[Item],
    readable: Sequence[int],
    moment: datetime,
    results: dict[int, StoreResult],
    *,
    dry_run: bool,
) -> None:
    """Markings first, so that what names them finds them; then the others; then who lost sight of what; and last the
    places in the sequence."""
    markings = [item for item in items if item.object.type == "marking-definition"]
    others = [item for item in items if item.object.type != "marking-definition"]
    batch = Batch()
    with writing():
        if markings:
            _lock_all(principal, items, [item.object.id for item in markings], batch)
        changes = _store(principal, markings, readable, moment, results, batch)
        changes += release_held(principal, [item.object.id for item in markings if item.error is None], batch)
        changes += _store(principal, others, readable, moment, results, batch)
        withdraw_from(changes, moment, batch=batch)
        batch.place()
        transaction.set_rollback(dry_run)


def _lock_all(principal: Principal, items: Sequence[Item], marking_ids: Sequence[str], batch: Batch) -> None:
    """What is stored in two steps is locked before the first one, with what waits for these markings."""
    lock_markings(principal)
    if principal.lab_id is not None:
        ids = {item.object.id for item in items} | set(waiting_for(principal.lab_id, marking_ids))
        batch.lock((principal.lab_id, stix_id) for stix_id in ids)


def _store(
    principal: Principal,
    items: Sequence[Item],
    readable: Sequence[int],
    moment: datetime,
    results: dict[int, StoreResult],
    batch: Batch,
) -> list[AudienceChange]:
    if principal.lab_id is None or not items:
        return []
    owned = check_ownership(principal, items, readable)
    ready = check_references(principal, mark_items(principal, owned, readable), readable)
    versions = [item.prepared(lab_identity=principal.lab_identity, received_at=moment) for item in ready]
    stored, changes = batch.store([(principal.lab_id, version) for version in versions])
    results.update({item.index: result for item, result in zip(ready, stored, strict=True)})
    return changes + show_again(principal, ready, results, moment, batch)


def _outcome(item: Item, result: StoreResult | None, *, dry_run: bool) -> Outcome:
    error = item.error or (result.error if result is not None else None)
    status = OutcomeStatus.FAILED if error is not None or result is None else OutcomeStatus(result.status)
    if dry_run and status in (OutcomeStatus.STORED, OutcomeStatus.HELD):
        status = OutcomeStatus.VALID
    return Outcome(
        index=item.index,
        id=item.claimed_id,
        version=item.claimed_version,
        status=status,
        error=error,
        warnings=item.warnings,
        body=item.body,
    )


def _count(outcomes: Sequence[Outcome], door: str) -> None:
    """Once for each kind: a counter costs as much as reading a small object."""
    for status, count in Counter(outcome.status for outcome in outcomes).items():
        counters.PUBLISHED.labels(door, str(status)).inc(count)
    for code, count in Counter(outcome.error.code for outcome in outcomes if outcome.error is not None).items():
        counters.REFUSED.labels(code).inc(count)
