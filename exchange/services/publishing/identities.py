"""Publishes a version of a lab's own identity: the chain of its keys decides (docs/wire-format.md, "Keys")."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from exchange.models import Audience, Lab, Person
from exchange.services.audit import record_event
from exchange.services.compromise import quarantine_compromised
from exchange.services.errors import AccessDeniedError, PolicyError
from exchange.services.homes import homes_of, store_homes
from exchange.services.keys import APPROVALS_NEEDED, count_approvals, extend_chain, find_keys, store_chain
from exchange.services.labs import log_clear
from exchange.services.late_crossings import lock_objects_for, placing_for_peers
from exchange.services.principals import Principal
from exchange.services.publishing.item import Item
from exchange.services.publishing.marking import MARKINGS, mark_item
from exchange.services.storing import StoreResult, StoreStatus, store_versions
from exchange.stix.chain import KeyState
from exchange.stix.markings import marking_refs_of


def publish_identity(principal: Principal, item: Item, moment: datetime) -> StoreResult:
    """Verify, store, and take the keys in, inside the caller's `writing()` transaction.

    principal: for the lab whose identity it must be. item: opened, in its home collection.

    Raises:
        StixError: the chain is broken, unpinned, or lacks a proof of possession.
        AccessDeniedError: not the identity of the publishing lab. PolicyError: a lab that calls itself a node, or as
            `mark_item`.
    """
    # Not as a key: who stores an object of the lab has a share in that, and may hold objects that are locked here.
    lab = Lab.objects.select_for_update(no_key=True).get(pk=principal.lab_id or 0)
    if item.signed is None:
        raise AssertionError("the item has not been opened")
    state, item.verified = extend_chain(lab, item.signed, moment=moment)
    if Lab.objects.filter(identity_id=state.identity).exclude(pk=lab.pk).exists():
        raise AccessDeniedError("this is not the identity of your lab", code="foreign-identity", pointer="/id")
    _check_class(lab, item)
    if lab.identity_id is None:
        _check_new_id(lab, state.identity, item.signed.payload_sha256)
    _check_markings(item)
    mark_item(item, replace(principal, lab_identity=state.identity), {})
    moves_home = homes_of(lab) != {home.node: home.exclusive for home in state.homes}
    is_compromised = any(key.compromised_since is not None for key in state.keys.values())
    if moves_home or is_compromised:
        lock_objects_for(state.identity if moves_home else "", lab.pk if is_compromised else None)
    results, _ = store_versions(lab.pk, [item.prepared(lab_identity=state.identity, received_at=moment)])
    if results[0].status is StoreStatus.STORED:
        with placing_for_peers() if moves_home else nullcontext():
            take_keys(principal, lab, state, item.verified.signed.payload_sha256, moment)
        quarantine_compromised(principal, lab, moment)
    return results[0]


def _check_class(lab: Lab, item: Item) -> None:
    """Readers take withdrawals of others' objects from a `system`, so no lab may look like one."""
    if lab.kind == Lab.Kind.LAB and item.object.members.get("identity_class") == "system":
        raise PolicyError(
            "a lab is an organization: only nodes are systems", code="identity-class", pointer="/identity_class"
        )


def _check_new_id(lab: Lab, identity: str, payload_sha256: str) -> None:
    """A lab chooses its id once. One that names a person, or a recipient before the lab was here, may be another's.

    Whoever named it meant somebody: two operators say that this is it (`approve_identity`).
    """
    if Person.objects.filter(identity_id=identity).exists():
        raise AccessDeniedError("this id belongs to a person", code="foreign-identity", pointer="/id")
    named = Audience.objects.filter(Q(labs__contains=[identity]) | Q(persons__contains=[identity])).exists()
    if named and count_approvals(lab, payload_sha256) < APPROVALS_NEEDED:
        raise AccessDeniedError(
            "objects here name this id as a recipient already: two operators have to approve it",
            code="identity-named",
            pointer="/id",
        )


def _check_markings(item: Item) -> None:
    """Whoever reads a lab's objects needs its keys, so they wait for no marking and have no recipients."""
    if marking_refs_of(item.object.members):
        raise PolicyError(
            "an identity with keys carries a TLP marking and no other", code="identity-marking", pointer=MARKINGS
        )


def report_refusal(principal: Principal, item: Item) -> None:
    """Leave word for the operators: what stands outside a chain waits for two of them (`approve_identity`)."""
    if item.signed is not None and item.error is not None:
        record_event(
            principal,
            "identity-refused",
            principal.lab_slug,
            code=item.error.code,
            identity=item.object.id,
            payload_sha256=item.signed.payload_sha256,
        )


def take_keys(principal: Principal, lab: Lab, state: KeyState, payload_sha256: str, moment: datetime) -> None:
    """Store the keys and homes of a new version, and log what it added and what it ended."""
    before = find_keys(state.keys)
    added = store_chain(lab, state, moment=moment)
    store_homes(lab, state.homes)
    ended = [
        kid
        for kid, key in state.keys.items()
        if (key.revoked_at is not None or key.compromised_since is not None)
        and (kid not in before or (before[kid].key.revoked_at, before[kid].key.compromised_since) == (None, None))
    ]
    for operation, kids in (("key-added", added), ("key-revoked", ended)):
        for kid in kids:
            record_event(principal, operation, lab.slug, kid=kid)
            log_clear(operation, type_="key", id_=kid, payload_sha256=payload_sha256, lab=lab)
