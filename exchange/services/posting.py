"""What is posted to a collection, by whoever may: a lab publishes, another exchange hands over what it has."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.services.collections import CollectionView
from exchange.services.principals import Principal, PrincipalKind
from exchange.services.publishing import Outcome, publish_objects
from exchange.services.receiving.posted import receive_posted


def take_posted(
    *, principal: Principal, collection: CollectionView, bodies: Sequence[bytes], door: str
) -> list[Outcome]:
    """One outcome for each of the bodies, in their order.

    Raises:
        ExchangeError: as `publish_objects` and `receive_posted`.
    """
    if principal.kind is PrincipalKind.PEER:
        return receive_posted(principal=principal, collection=collection, bodies=bodies)
    return publish_objects(principal=principal, bodies=bodies, collection=collection, door=door)
