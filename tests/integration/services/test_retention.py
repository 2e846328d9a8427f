"""What is older than its collection keeps leaves it, is told to nobody, and does not come back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from exchange.services.checking import check_exchange
from exchange.services.clock import now
from exchange.services.communities import collection_named, update_collection
from exchange.services.deletion import count_due, expire_objects
from exchange.services.errors import ExchangeError, InvalidRequestError
from exchange.services.principals import OPERATOR
from tests.integration.services.views import members_of, page_of, withdrawals
from tests.support.labs import Community, LabHandle


def refused(lab: LabHandle, members: dict[str, Any]) -> ExchangeError:
    (outcome,) = lab.publish(lab.signed(members))
    assert isinstance(outcome.error, ExchangeError)
    return outcome.error


def keep(days: int) -> None:
    update_collection(actor=OPERATOR, collection=collection_named("signatures"), retention_days=days)


def test_old_object_leaves_without_a_note_and_cannot_come_back(community: Community) -> None:
    aurora, borealis, _ = community.labs
    old = aurora.indicator()
    aurora.publish(aurora.signed(old))
    keep(30)
    later = now() + timedelta(days=31)
    assert count_due() == 0
    assert expire_objects(later) == 1
    assert expire_objects(later) == 0
    assert old["id"] not in {members_of(entry)["id"] for entry in page_of(borealis.principal, "signatures").entries}
    assert withdrawals(borealis.principal, old["id"]) == []
    assert refused(aurora, old).code == "expired"
    assert refused(aurora, aurora.next_version(old)).code == "expired"
    assert check_exchange().faults == []


def test_identities_stay_and_so_does_everything_where_nothing_is_said(community: Community) -> None:
    community.labs[0].publish(community.labs[0].signed(community.labs[0].indicator()))
    update_collection(actor=OPERATOR, collection=collection_named("identities"), retention_days=1)
    keep(1)
    keep(0)
    assert expire_objects(now() + timedelta(days=400)) == 0


@pytest.mark.parametrize("bad", [{"page_limit": 0}, {"max_object_bytes": 2**30}, {"retention_days": -1}, {}])
def test_number_out_of_bounds_changes_nothing(community: Community, bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        update_collection(actor=OPERATOR, collection=collection_named("signatures"), **bad)


def test_object_over_the_collections_limit_is_refused_by_name(community: Community) -> None:
    aurora = community.labs[0]
    update_collection(actor=OPERATOR, collection=collection_named("signatures"), max_object_bytes=1_024)
    error = refused(aurora, aurora.indicator(description="word " * 300))
    assert error.code == "too-large"
    assert "signatures takes objects of up to 1024 bytes" in str(error)
