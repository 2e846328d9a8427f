"""Keys of labs and nodes as this node knows them: pins, chains, look-ups, and keys that the exchange holds.

The rules of a chain are exchange/stix/chain.py; here they meet what is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from exchange.models import IdentityApproval, Lab, Person, Pin, SigningKey
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import execute, writing
from exchange.services.errors import AccessDeniedError, ConflictError, InvalidRequestError
from exchange.services.principals import OPERATOR, Principal
from exchange.stix import keys as stix_keys
from exchange.stix.chain import KeyState, extend
from exchange.stix.extensions import Keys, check_extensions
from exchange.stix.fixed import KEYS_EXTENSION
from exchange.stix.reading import read_object
from exchange.stix.signature import SignedObject, VerifiedObject, open_signed

APPROVALS_NEEDED = 2
"""wire-format, Keys: a version outside the chain waits for two operators."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key with the lab that owns it, as one query finds it."""

    key: stix_keys.PublicKey
    lab_id: int
    lab_identity: str
    lab_is_active: bool


_KNOWN = """
SELECT k.kid, k.x, k.use, k.custody, k.nbf, k.exp, k.revoked_at, k.compromised_since,
       l.id, coalesce(l.identity_id, ''), l.status = 'active'
FROM signing_key k JOIN lab l ON l.id = k.lab_id WHERE k.kid = ANY (%(kids)s)
"""


def find_keys(kids: Iterable[str]) -> Mapping[str, KnownKey]:
    """The known keys among these thumbprints. One query."""
    wanted = sorted({kid for kid in kids if "\0" not in kid})
    if not wanted:
        return {}
    return {row[0]: _known_key(row) for row in execute(_KNOWN, {"kids": wanted}).fetchall()}


def _known_key(row: tuple[Any, ...]) -> KnownKey:
    kid, x, use, custody, nbf, exp, revoked_at, compromised_since, lab_id, identity, active = row
    key = stix_keys.PublicKey(
        kid=kid,
        x=x,
        use=use,
        nbf=nbf,
        exp=exp,
        custody=custody,
        revoked_at=revoked_at,
        compromised_since=compromised_since,
    )
    return KnownKey(key, lab_id, identity, active)


def keys_of(lab: Lab) -> list[stix_keys.PublicKey]:
    """Every key that the lab ever introduced, oldest first, with its state; not those that wait for that (`nbf` 0)."""
    rows = SigningKey.objects.filter(lab=lab, nbf__gt=0).order_by("nbf", "kid").values_list("kid", flat=True)
    found = find_keys(rows)
    return [found[kid].key for kid in rows]


def pin_key(*, actor: Principal, lab: Lab, thumbprint: str) -> None:
    """Trust a root key of a lab, after comparing its thumbprint over another channel. Repeating it changes nothing.

    Raises:
        InvalidRequestError: not the thumbprint of a key. ConflictError: pinned for another lab.
    """
    if not stix_keys.is_thumbprint(thumbprint):
        raise InvalidRequestError("a thumbprint is 43 characters of base64url (RFC 7638)", pointer="/thumbprint")
    with writing():
        pin, made = Pin.objects.get_or_create(thumbprint=thumbprint, defaults={"lab": lab, "pinned_at": now()})
        if pin.lab_id != lab.id:
            raise ConflictError("the thumbprint is pinned for another lab")
        if made:
            record_event(actor, "key-pinned", lab.slug, thumbprint=thumbprint)


def extend_chain(lab: Lab, identity: SignedObject, *, moment: datetime) -> tuple[KeyState, VerifiedObject]:
    """Verify a version of the lab's identity against its chain as stored; stores nothing.

    Raises:
        StixError: as `exchange.stix.chain.extend`. AccessDeniedError: the identity is another than the lab's.
    """
    if lab.identity_id not in (None, identity.id):
        raise AccessDeniedError("this is not the identity of your lab", code="foreign-identity", pointer="/id")
    approved = count_approvals(lab, identity.payload_sha256) >= APPROVALS_NEEDED
    owners = {kid: _owner(known, lab, identity) for kid, known in find_keys(_listed_kids(identity)).items()}
    return extend(
        stored_chain(lab),
        identity,
        pins=set(Pin.objects.filter(lab=lab).values_list("thumbprint", flat=True)),
        owner_of=owners.get,
        now=moment,
        approved_root=identity.kid if approved else None,
    )


def approve_identity(*, operator: Person, lab: Lab, payload_sha256: str) -> int:
    """Give one operator's word for an identity version outside its chain; answers how many operators gave theirs.

    With `APPROVALS_NEEDED` of them the lab publishes the version again, and it is taken. Repeating it changes nothing.

    Raises:
        AccessDeniedError: not an operator. InvalidRequestError: not a SHA-256 in hexadecimal.
    """
    if operator.role != Person.Role.OPERATOR or not operator.is_active:
        raise AccessDeniedError("only operators approve an identity outside its chain")
    if not re.fullmatch("[0-9a-f]{64}", payload_sha256):
        raise InvalidRequestError("the payload's SHA-256 is 64 lower-case hexadecimal digits")
    with writing():
        _, made = IdentityApproval.objects.get_or_create(
            lab=lab, payload_sha256=payload_sha256, operator=operator, defaults={"approved_at": now()}
        )
        if made:
            record_event(OPERATOR, "identity-approved", lab.slug, payload_sha256=payload_sha256, by=operator.username)
        return count_approvals(lab, payload_sha256)


def count_approvals(lab: Lab, payload_sha256: str) -> int:
    """How many operators approved this identity version."""
    return IdentityApproval.objects.filter(lab=lab, payload_sha256=payload_sha256).count()


def stored_chain(lab: Lab) -> KeyState | None:
    """The chain of the identity versions that are stored, in their order of acceptance; None if there are none.

    The caller is inside `writing()`.
    """
    if lab.identity_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.body, v.received_at FROM version v JOIN object o ON o.id = v.object_id"
            " WHERE o.producer_id = %s AND o.stix_id = %s ORDER BY v.id",
            [lab.id, lab.identity_id],
        )
        rows = cursor.fetchall()
    stored = [(open_signed(read_object(bytes(body))), received_at) for body, received_at in rows]
    return KeyState.recall(lab.identity_id, stored) if stored else None


def store_chain(lab: Lab, state: KeyState, *, moment: datetime) -> list[str]:
    """Write the keys of a chain; answers the thumbprints that are new. Rows are never removed.

    A key that the exchange generated keeps its sealed part: its row may be here before the identity that names it.
    """
    if lab.identity_id is None:
        Lab.objects.filter(pk=lab.pk).update(identity_id=state.identity)
        lab.identity_id = state.identity
    before = set(SigningKey.objects.filter(lab=lab, nbf__gt=0).values_list("kid", flat=True))
    for key in state.keys.values():
        fields = {
            "lab": lab,
            "use": key.use,
            "x": key.x,
            "custody": key.custody,
            "nbf": key.nbf,
            "exp": key.exp,
            "revoked_at": key.revoked_at,
            "compromised_since": key.compromised_since,
        }
        SigningKey.objects.update_or_create(
            kid=key.kid, defaults=fields, create_defaults={**fields, "first_seen_at": moment}
        )
    return sorted(set(state.keys) - before)


def _listed_kids(identity: SignedObject) -> list[str]:
    keys = check_extensions(identity.members).get(KEYS_EXTENSION)
    listed = [key.kid for key in keys.keys] if isinstance(keys, Keys) else []
    return listed + [entry.header.kid for entry in identity.entries]


def _owner(known: KnownKey, lab: Lab, identity: SignedObject) -> str:
    """Whose key it is: one that the exchange made for this lab is the lab's before any identity names it."""
    return identity.id if known.lab_id == lab.id else known.lab_identity or "another lab"
