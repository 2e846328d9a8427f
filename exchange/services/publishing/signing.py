"""Has the exchange sign for a lab whose key it holds, within the bounds of the token that asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from exchange.services.access import require_scope
from exchange.services.audit import record_event
from exchange.services.database import writing
from exchange.services.errors import AccessDeniedError, PolicyError
from exchange.services.held_keys import open_held_key
from exchange.services.principals import Principal
from exchange.services.publishing.item import Item, each
from exchange.stix.canonical import canonicalize
from exchange.stix.checks import check_object
from exchange.stix.fixed import SIGNATURE_EXTENSION
from exchange.stix.keys import SigningKey, unix_seconds
from exchange.stix.markings import Tlp, label_of
from exchange.stix.reading import read_object
from exchange.stix.signature import sign

_USE = """
INSERT INTO key_use (token_id, day, used) VALUES (%(token)s, %(day)s, %(count)s)
ON CONFLICT (token_id, day) DO UPDATE SET used = key_use.used + %(count)s
RETURNING used
"""


def sign_items(principal: Principal, items: Sequence[Item], moment: datetime, *, dry_run: bool) -> None:
    """Sign what the bounds allow with the lab's exchange-held key; each use is counted and audited.

    Raises:
        AccessDeniedError: the token may not sign, or its quota for the day is used up.
        NotFoundError: the exchange holds no valid key of the lab.
    """
    require_scope(principal, "sign")
    if principal.token_id is None or principal.lab_id is None:
        raise AccessDeniedError("only a token bound to signing may have the exchange sign")
    key = open_held_key(principal.lab_id, moment)
    within = each(items, lambda item: _check_bounds(item, principal))
    if within:
        _record_use(principal, within, key.kid, moment, dry_run=dry_run)
    each(within, lambda item: _sign(item, key, moment))


def _check_bounds(item: Item, principal: Principal) -> None:
    if SIGNATURE_EXTENSION in item.object.members.get("extensions", {}):
        raise PolicyError(
            "the object is signed already", code="already-signed", pointer=f"/extensions/{SIGNATURE_EXTENSION}"
        )
    name = item.collection.bound_name if item.collection is not None else ""
    if name not in principal.bounds.get("collections", ()):
        raise AccessDeniedError(f"this token does not sign for {name}", code="sign-collection")
    label = label_of(item.object.members)
    highest = Tlp.parse(principal.bounds.get("highest_label", Tlp.CLEAR.label))
    if max(label or Tlp.CLEAR, item.payload_label or Tlp.CLEAR) > highest:
        raise PolicyError(
            f"this token signs up to {highest.label}", code="label-above-bound", pointer="/object_marking_refs"
        )


def _record_use(principal: Principal, items: Sequence[Item], kid: str, moment: datetime, *, dry_run: bool) -> None:
    """Audit the use of the key; a dry run, whose signatures nobody gets, does not count against the quota."""
    quota = int(principal.bounds.get("daily_quota", 0))
    with writing():
        if not dry_run and _count_use(principal.token_id, moment, len(items)) > quota:
            raise AccessDeniedError(f"the token's quota of {quota} signatures a day is used up", code="sign-quota")
        record_event(principal, "key-used", kid, objects=[item.object.id for item in items], dry_run=dry_run)


def _count_use(token_id: int | None, moment: datetime, count: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_USE, {"token": token_id, "day": moment.date(), "count": count})
        return int(cursor.fetchone()[0])


def _sign(item: Item, key: SigningKey, moment: datetime) -> None:
    signed = sign(item.object.members, key, unix_seconds(moment))
    item.body = canonicalize(signed)
    item.checked = check_object(read_object(item.body))
