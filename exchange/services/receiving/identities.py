"""Identities of labs and nodes in a page: their chains decide, whoever relayed them (docs/wire-format.md, "Keys")."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from exchange.models import Lab, Pin, StixObject
from exchange.services.collections import CollectionView, home_view
from exchange.services.errors import AccessDeniedError, ExchangeError, NotReadyError, PolicyError
from exchange.services.publishing.identities import publish_identity
from exchange.services.publishing.item import Item
from exchange.services.publishing.marking import MARKINGS
from exchange.services.publishing.reading import settle_item
from exchange.services.receiving.known import find_known
from exchange.services.receiving.policy import check_lab
from exchange.services.receiving.producers import acting_for
from exchange.services.receiving.source import Source
from exchange.services.storing import StoreResult, StoreStatus
from exchange.stix.errors import StixError
from exchange.stix.markings import Tlp, label_of


def take_identity(source: Source, item: Item, moment: datetime, results: dict[int, StoreResult]) -> None:
    """Verify and store one version of an identity with keys; a refusal is the item's error and leaves nothing behind.

    The caller is inside `writing()`.

    Raises:
        NotReadyError: the node cannot sign the notes that follow from what the identity says of its keys.
    """
    try:
        with transaction.atomic():
            results[item.index] = _take(source, item, moment)
    except NotReadyError:
        raise
    except (StixError, ExchangeError) as error:
        item.error = error


def _take(source: Source, item: Item, moment: datetime) -> StoreResult:
    lab = _lab_of(item)
    if find_known([(lab.pk, item)]):
        return StoreResult(StoreStatus.EXISTS)
    check_lab(lab)
    _check_label(source, item)
    settle_item(item, _home(source, lab, item))
    return publish_identity(acting_for(lab), item, moment)


def _lab_of(item: Item) -> Lab:
    """The lab of the identity, or the one for which an operator pinned a root key that signed it.

    Raises:
        AccessDeniedError: no operator knows it.
    """
    lab = Lab.objects.filter(identity_id=item.object.id).exclude(kind=Lab.Kind.FEED).first()
    if lab is not None:
        return lab
    signers = [entry.header.kid for entry in item.signed.entries] if item.signed is not None else []
    pin = Pin.objects.filter(thumbprint__in=signers[:1]).select_related("lab").first()
    if pin is None:
        raise AccessDeniedError("no operator here has pinned a root key of this identity", code="lab-unknown")
    return pin.lab


def _check_label(source: Source, item: Item) -> None:
    """An identity has no recipients: one that is for the labs of its own node alone does not travel."""
    label = label_of(item.object.members)
    if label is not None and label > min(source.highest_label, Tlp.GREEN):
        raise PolicyError("with this peer identities up to TLP:GREEN go", code="label-above-peer", pointer=MARKINGS)


def _home(source: Source, lab: Lab, item: Item) -> CollectionView:
    found = StixObject.objects.filter(producer=lab, stix_id=item.object.id).select_related("home_collection__api_root")
    stored = found.first()
    return home_view(stored.home_collection) if stored is not None else source.collection
