"""Epochs of the issuer: begin one each month, end what is old, state all of them under the node's signature.

A private key is made here, sealed at rest, and destroyed with its epoch: what was evaluated in an ended epoch cannot be
computed again by anybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attribution.issuing.statements import Epoch, note_of
from attribution.models import IssuerEpoch
from attribution.voprf import IssuerKey, generate_key
from exchange.models import Lab
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import NotReadyError
from exchange.services.held_keys import open_node_key
from exchange.services.labs import log_clear
from exchange.services.principals import Principal
from exchange.services.sealing import seal, unseal
from exchange.services.withdrawals import this_node
from exchange.stix.canonical import canonicalize
from exchange.stix.keys import unix_seconds
from exchange.stix.signature import sign

ACCEPTED_FOR: Final = timedelta(days=30)
"""docs/sharing.md, "Selectors": old epochs end 30 days after the next one began."""

State = IssuerEpoch.State


def begin_epoch(*, actor: Principal, moment: datetime | None = None) -> IssuerEpoch:
    """Begin the next epoch with a new key; the one before is accepted for `ACCEPTED_FOR` from now.

    It is named after this month, or after the month behind the newest epoch where this month has one already.

    Raises:
        NotReadyError: the node has not been set up, or SEALING_KEYS is not set.
    """
    with writing():
        moment, node = moment or now(), _locked_node()
        return _begin(actor, node, _next_name(moment), moment)


def tend_epochs(*, actor: Principal, moment: datetime | None = None) -> tuple[str | None, list[str]]:
    """Begin this month's epoch if it is due, end those whose time is over; answers the names of both.

    Safe to repeat, and at the same time in several workers.

    Raises:
        NotReadyError: as `begin_epoch`.
    """
    with writing():
        moment, node = moment or now(), _locked_node()
        ended = _end_due(actor, node, moment)
        newest = IssuerEpoch.objects.order_by("-epoch").first()
        is_due = newest is None or newest.epoch < _month(moment)
        begun = _begin(actor, node, _next_name(moment), moment).epoch if is_due else None
    return begun, ended


def list_epochs(moment: datetime) -> list[Epoch]:
    """All epochs as they stand at a time, the newest first."""
    return [_as_stated(row, moment) for row in IssuerEpoch.objects.order_by("-epoch")]


def state_epochs(moment: datetime | None = None) -> tuple[list[Epoch], bytes]:
    """All epochs, and the statement of them that the node signs: the bytes of a note.

    Raises:
        NotReadyError: the node has no identity or no valid key.
    """
    moment, node = moment or now(), this_node()
    epochs = list_epochs(moment)
    note = note_of(node.identity_id or "", epochs, moment)
    return epochs, canonicalize(sign(note, open_node_key(node, moment), unix_seconds(moment)))


def open_issuer_key(row: IssuerEpoch) -> IssuerKey:
    """The private key of an epoch that has not ended.

    Raises:
        NotReadyError: no SEALING_KEYS value opens it, or what is sealed is another key.
    """
    if row.sealed is None:
        raise NotReadyError("the key of this epoch is gone", code="sealing")
    key = IssuerKey.from_secret(unseal(bytes(row.sealed)))
    if key.public != bytes(row.public_key):
        raise NotReadyError("the sealed key belongs to another epoch", code="sealing")
    return key


def _locked_node() -> Lab:
    """The node's row, which whoever changes epochs holds."""
    return Lab.objects.select_for_update(no_key=True).get(pk=this_node().pk)


def _begin(actor: Principal, node: Lab, name: str, moment: datetime) -> IssuerEpoch:
    before = IssuerEpoch.objects.filter(state=State.CURRENT)
    before.update(state=State.ACCEPTED, ends_at=moment + ACCEPTED_FOR)
    key = generate_key()
    row = IssuerEpoch.objects.create(
        epoch=name, public_key=key.public, sealed=seal(key.secret), state=State.CURRENT, began_at=moment
    )
    record_event(actor, "selector-epoch-begun", name, public_key=key.public.hex())
    _log(node, "key-added", row)
    return row


def _end_due(actor: Principal, node: Lab, moment: datetime) -> list[str]:
    due = list(IssuerEpoch.objects.filter(state=State.ACCEPTED, ends_at__lte=moment).order_by("epoch"))
    for row in due:
        row.state, row.sealed = State.ENDED, None
        row.save(update_fields=["state", "sealed"])
        record_event(actor, "selector-epoch-ended", row.epoch)
        _log(node, "key-revoked", row)
    return [row.epoch for row in due]


def _log(node: Lab, operation: str, row: IssuerEpoch) -> None:
    """A leaf in clear. The public key itself stands where leaves about objects have the digest of a payload: clients
    compare it with what they are told."""
    log_clear(operation, type_="selector-epoch", id_=row.epoch, payload_sha256=bytes(row.public_key).hex(), lab=node)


def _next_name(moment: datetime) -> str:
    newest = IssuerEpoch.objects.order_by("-epoch").first()
    if newest is None or newest.epoch < _month(moment):
        return _month(moment)
    year, month = (int(part) for part in newest.epoch.split("-"))
    return f"{year + month // 12:04}-{month % 12 + 1:02}"


def _month(moment: datetime) -> str:
    return f"{moment:%Y-%m}"


def _as_stated(row: IssuerEpoch, moment: datetime) -> Epoch:
    """Its end acts at once, before the task has come by."""
    is_over = row.ends_at is not None and row.ends_at <= moment
    return Epoch(
        row.epoch, bytes(row.public_key), State.ENDED if is_over else str(row.state), row.began_at, row.ends_at
    )
