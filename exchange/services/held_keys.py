"""Signing keys that this node holds: its own, and those of labs that chose custody by the exchange.

The private part is sealed at rest (services/sealing.py). A held key is useless until the lab's identity, signed by the
lab's own root key, names it; `countersign_identity` adds the proof that the node holds it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from exchange.models import Lab, SigningKey
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import ConflictError, InvalidRequestError, NotFoundError, NotReadyError
from exchange.services.keys import find_keys
from exchange.services.principals import Principal
from exchange.services.sealing import open_key, seal_key
from exchange.stix import keys as stix_keys
from exchange.stix.canonical import canonicalize
from exchange.stix.extensions import Keys, check_extensions
from exchange.stix.fixed import KEYS_EXTENSION
from exchange.stix.keys import unix_seconds
from exchange.stix.reading import read_object
from exchange.stix.signature import attach, make_entry, open_signed

LIFETIME = timedelta(days=366)
"""A key a year; docs/operations.md says how it is renewed."""

BACKDATED = timedelta(seconds=300)
"""The key is valid for a reader whose clock is behind by what signatures may be ahead (wire-format)."""


def create_exchange_key(*, actor: Principal, lab: Lab) -> stix_keys.SigningKey:
    """Make a signing key that this node holds for the lab: sealed at rest, useless until the lab's identity names it.

    Answers the key so that the lab's root can introduce it with a proof of possession; the caller shows its
    public part only.
    """
    key = stix_keys.SigningKey.generate("sig")
    with writing():
        SigningKey.objects.create(
            kid=key.kid,
            lab=lab,
            use="sig",
            x=key.x,
            custody=SigningKey.Custody.EXCHANGE,
            sealed=seal_key(key),
            nbf=0,
            exp=1,  # expired until an identity gives it a life of its own
            first_seen_at=now(),
        )
        record_event(actor, "exchange-key-created", lab.slug, kid=key.kid)
    return key


def open_held_key(lab_id: int, moment: datetime) -> stix_keys.SigningKey:
    """The lab's newest exchange-held key that is valid now, opened.

    Raises:
        NotFoundError: the exchange holds no valid key of this lab.
    """
    held = SigningKey.objects.filter(lab_id=lab_id, custody="exchange", sealed__isnull=False).order_by("-nbf", "-id")
    found = find_keys(row.kid for row in held)
    for row in held:
        if row.sealed is not None and found[row.kid].key.is_valid_at(moment):
            return open_key(bytes(row.sealed), row.kid)
    raise NotFoundError("the exchange holds no valid key of this lab", code="no-held-key")


def public_part(key: stix_keys.SigningKey, moment: datetime) -> stix_keys.PublicKey:
    """What an identity says of a held key: valid from now, for `LIFETIME`, in the exchange's custody."""
    begins, ends = unix_seconds(moment - BACKDATED), unix_seconds(moment + LIFETIME)
    return key.public(nbf=begins, exp=ends, custody="exchange")


def countersign_identity(*, actor: Principal, lab: Lab, draft: bytes) -> bytes:
    """Add the proof of possession of each held key that a draft of the lab's identity introduces.

    draft: the identity signed by the lab's root key. Answers the finished identity, for the lab to publish; nothing is
    stored but the audit record.

    Raises:
        StixError: not a signed identity with keys.
        InvalidRequestError: it introduces no key that this node holds for the lab.
        ConflictError: it is the identity of another lab.
    """
    signed = open_signed(read_object(draft))
    if lab.identity_id not in (None, signed.id):
        raise ConflictError("this is not the identity of that lab", pointer="/id")
    keys = check_extensions(signed.members).get(KEYS_EXTENSION)
    listed = {key.kid for key in keys.keys} if isinstance(keys, Keys) else set()
    proven = {entry.header.kid for entry in signed.entries}
    held = SigningKey.objects.filter(lab=lab, sealed__isnull=False, kid__in=listed - proven).order_by("kid")
    opened = [open_key(bytes(row.sealed or b""), row.kid) for row in held]
    if not opened:
        raise InvalidRequestError("the identity introduces no key that this node holds for the lab")
    added = [make_entry(signed.payload, key, signed.iat) for key in opened]
    with writing():
        record_event(actor, "identity-countersigned", lab.slug, kids=[key.kid for key in opened])
    return canonicalize(attach(signed.members, [*signed.entries, *added]))


def open_node_key(node: Lab, moment: datetime) -> stix_keys.SigningKey:
    """The node's own signing key.

    Raises:
        NotReadyError: it has none that is valid, so it cannot tell anybody of a withdrawal.
    """
    try:
        return open_held_key(node.id, moment)
    except NotFoundError:
        raise NotReadyError("the node's signing key has ended: run manage.py renew_node_key", code="node-key") from None
