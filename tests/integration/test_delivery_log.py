"""The delivery log expands to objects when their producer asks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exchange.services.collections import find_collection
from exchange.services.delivery import find_recipients
from exchange.services.errors import NotFoundError
from exchange.services.principals import Principal
from exchange.services.query import PageRequest, read_page
from exchange.stix.markings import Tlp
from tests.support.labs import Community


def pull(principal: Principal, *, types: tuple[str, ...] = ()) -> None:
    collection = find_collection(principal, "signatures")
    read_page(principal=principal, collection=collection, request=PageRequest(limit=100, types=types), door="test")


def test_a_producer_learns_which_lab_received_its_object_on_which_day(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    amber, green = aurora.indicator(Tlp.AMBER), aurora.indicator(Tlp.GREEN)
    aurora.publish(aurora.signed(amber), aurora.signed(green))
    pull(borealis.principal)
    pull(cobalt.principal, types=("attack-pattern",))

    found = find_recipients(principal=aurora.principal, stix_id=amber["id"])

    assert [(each.lab, each.version, each.day) for each in found] == [
        ("borealis", amber["modified"], datetime.now(UTC).date())
    ]
    assert find_recipients(principal=aurora.principal, stix_id=green["id"]) == []
    with pytest.raises(NotFoundError):
        find_recipients(principal=borealis.principal, stix_id=amber["id"])
