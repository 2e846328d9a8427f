"""Publishing and reading as services, on the real database."""

from __future__ import annotations

from exchange.services.collections import find_collection
from exchange.services.principals import Principal
from exchange.services.publishing import OutcomeStatus
from exchange.services.query import PageRequest, read_page
from exchange.stix.markings import Tlp
from tests.support.labs import Community


def visible(principal: Principal) -> set[str]:
    """Ids of what a reader finds in the view of everything."""
    collection = find_collection(principal, "all")
    page = read_page(principal=principal, collection=collection, request=PageRequest(limit=1000), door="test")
    return {entry.body.decode().partition('"id":"')[2].partition('"')[0] for entry in page.entries}


def test_a_green_object_reaches_every_member(community: Community) -> None:
    members = community.aurora.indicator()
    outcome = community.aurora.publish(community.aurora.signed(members))[0]
    assert outcome.status is OutcomeStatus.STORED
    for lab in community.labs:
        assert members["id"] in visible(lab.principal)
        assert members["id"] in visible(lab.client)


def test_narrowing_to_named_recipients_tells_exactly_those_who_lost_sight(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    first = aurora.indicator(Tlp.AMBER)
    marking = aurora.distribution(borealis.identity)
    refs = [Tlp.AMBER.marking_id, marking["id"]]
    second = aurora.next_version(first, object_marking_refs=refs)
    assert aurora.publish(aurora.signed(first))[0].status is OutcomeStatus.STORED
    before = {lab.lab.slug: visible(lab.principal) for lab in community.labs}

    outcomes = aurora.publish(aurora.signed(marking), aurora.signed(second))

    assert [outcome.status for outcome in outcomes] == [OutcomeStatus.STORED] * 2
    assert visible(aurora.principal) - before["aurora"] == {marking["id"]}
    assert visible(borealis.principal) - before["borealis"] == {marking["id"]}
    assert first["id"] not in visible(cobalt.principal)
    notes = visible(cobalt.principal) - before["cobalt"]
    assert len(notes) == 1
    assert next(iter(notes)).startswith("note--")
