"""Admits, suspends and lists labs, and their persons."""

from __future__ import annotations

import base64
import secrets
import uuid
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q
from django_otp.plugins.otp_totp.models import TOTPDevice

from exchange.models import Collection, Grant, Lab, Leaf, Person
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.collections import DEFAULT_ROOT
from exchange.services.database import writing
from exchange.services.errors import ConflictError, InvalidRequestError, NotFoundError
from exchange.services.late_crossings import lock_objects_for, placing_for_peers
from exchange.services.log import make_leaf
from exchange.services.principals import Principal
from exchange.services.sequencer import next_number


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person and what is shown once: the secret of the second factor, in base32."""

    person: Person
    totp_secret: str


def create_lab(*, actor: Principal, slug: str, name: str, contact: str = "") -> Lab:
    """Admit a lab with read and write grants on the default root's home collections of scope `agreement`; logged in
    clear.

    Raises:
        ConflictError: the slug is taken.
    """
    with writing():
        if Lab.objects.filter(slug=slug).exists():
            raise ConflictError(f"there is a lab {slug} already")
        moment = now()
        lab = Lab.objects.create(slug=slug, name=name, contact=contact, status_since=moment, created_at=moment)
        # Other roots are other communities: each lab there is granted by name.
        ours = Collection.objects.filter(api_root__slug=DEFAULT_ROOT)
        homes = ours.filter(is_view=False, scope=Collection.Scope.AGREEMENT)
        Grant.objects.bulk_create(Grant(collection=home, lab=lab, can_read=True, can_write=True) for home in homes)
        record_event(actor, "lab-admitted", slug)
        log_membership("lab-admitted", lab)
    return lab


def suspend_lab(*, actor: Principal, slug: str) -> Lab:
    """Stop every token and person of a lab at the next request; its objects stay, shown as a suspended lab's.

    Raises:
        NotFoundError: there is no such lab. InvalidRequestError: it is a peer.
    """
    return _set_status(actor, slug, Lab.Status.SUSPENDED, "lab-suspended")


def resume_lab(*, actor: Principal, slug: str) -> Lab:
    """End a suspension. Peers that the lab calls its home meet what was for it meanwhile at new places.

    Raises:
        NotFoundError: there is no such lab. InvalidRequestError: it is a peer.
    """
    with writing(), placing_for_peers():
        # The lab first, then objects: the order of whoever takes its next identity.
        lock_objects_for(_find_member(slug, lock=True).identity_id or "")
        return _set_status(actor, slug, Lab.Status.ACTIVE, "lab-admitted")


def _set_status(actor: Principal, slug: str, status: Lab.Status, operation: str) -> Lab:
    with writing():
        lab = _find_member(slug, lock=True)
        if lab.status == status:
            return lab
        lab.status, lab.status_since = status, now()
        lab.save(update_fields=["status", "status_since"])
        record_event(actor, f"lab-status-{status}", slug)
        log_membership(operation, lab)
    return lab


def find_lab(slug: str, *, lock: bool = False) -> Lab:
    """The lab of this name.

    Raises:
        NotFoundError: there is none.
    """
    labs = Lab.objects.filter(slug=slug, kind=Lab.Kind.LAB)
    lab = (labs.select_for_update(no_key=True) if lock else labs).first()
    if lab is None:
        raise NotFoundError(f"there is no lab {slug}")
    return lab


def _find_member(slug: str, *, lock: bool = False) -> Lab:
    """The lab of this name. A peer is stopped in another way: it has channels, which `suspended` would not explain."""
    if Lab.objects.filter(slug=slug, peer__isnull=False).exists():
        raise InvalidRequestError(
            f"{slug} is a peer and no lab: `update_peer {slug} --state paused` stops it, `--state active` resumes it",
            code="peer-no-lab",
        )
    return find_lab(slug, lock=lock)


def find_reader(slug: str) -> Lab:
    """The lab of this name, or the row of a peer among the labs: whoever may have tokens and grants.

    Raises:
        NotFoundError: there is none.
    """
    found = Lab.objects.filter(Q(kind=Lab.Kind.LAB) | Q(peer__isnull=False), slug=slug).first()
    if found is None:
        raise NotFoundError(f"there is no lab {slug}, nor a peer of that name")
    return found


def list_labs() -> list[Lab]:
    """All labs and nodes by name: membership is known to every member."""
    return list(Lab.objects.order_by("slug"))


def create_person(
    *, actor: Principal, username: str, role: str, lab: Lab | None = None, password: str | None = None
) -> NewPerson:
    """Create somebody who signs in with a password and a one-time code; operators have no lab.

    Raises:
        ConflictError: the name is taken. InvalidRequestError: role and lab do not go together.
    """
    if role not in Person.Role.values:
        raise InvalidRequestError(f"a role is one of {', '.join(Person.Role.values)}")
    operates = role == Person.Role.OPERATOR
    if operates != (lab is None):
        raise InvalidRequestError("an operator has no lab, everybody else has one")
    with writing():
        if Person.objects.filter(username=username).exists():
            raise ConflictError(f"there is a person {username} already")
        person = Person.objects.create_user(
            username,
            password,
            lab=lab,
            role=role,
            identity_id=f"identity--{uuid.uuid4()}",
            is_staff=operates,
            is_superuser=operates,
        )
        key = secrets.token_bytes(20)
        TOTPDevice.objects.create(user=person, name="authenticator", confirmed=True, key=key.hex())
        record_event(actor, "person-created", username, role=role, lab=lab.slug if lab else None)
    return NewPerson(person, base64.b32encode(key).decode())


def log_membership(operation: str, lab: Lab) -> None:
    """Add a leaf in clear about a lab or its keys, in the caller's transaction."""
    log_clear(operation, type_="lab", id_=lab.slug, payload_sha256="", lab=lab)


def log_clear(operation: str, *, type_: str, id_: str, payload_sha256: str, lab: Lab) -> None:
    """Add a leaf in clear, taking a number of the sequence: the last thing a transaction does."""
    leaf = make_leaf(
        operation,
        type_=type_,
        id_=id_,
        version="",
        payload_sha256=payload_sha256,
        lab=lab.identity_id or lab.slug,
        time=now(),
    )
    Leaf.objects.create(
        seq=next_number(),
        operation=operation,
        lab_id=lab.id,
        data=leaf.data,
        record=leaf.record,
        salt=leaf.salt or None,
    )


def granted_identities(collection_id: int) -> frozenset[str]:
    """Identity ids of the labs with a read grant on a collection; a suspended lab is told when it is back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.identity_id FROM lab l JOIN collection_grant g ON g.lab_id = l.id AND g.can_read"
            " WHERE g.collection_id = %s AND l.kind = 'lab' AND l.identity_id IS NOT NULL",
            [collection_id],
        )
        return frozenset(row[0] for row in cursor.fetchall())
