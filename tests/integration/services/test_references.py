"""Rule 4: an object is not marked looser than what it refers to, as far as its publisher may read the target."""

from __future__ import annotations

import uuid

from exchange.services.publishing import OutcomeStatus
from exchange.stix.markings import Tlp
from tests.integration.services.views import Members, marked, person_of, refusal, store
from tests.support.labs import Community, LabHandle


def sighting(lab: LabHandle, of: str, label: Tlp = Tlp.GREEN, marking: Members | None = None) -> Members:
    """A sighting of an object, which is a reference and little else."""
    made = marked(lab, label, marking)
    return {
        "type": "sighting",
        "spec_version": "2.1",
        "id": f"sighting--{uuid.uuid4()}",
        "created_by_ref": lab.identity,
        "created": made["created"],
        "modified": made["modified"],
        "sighting_of_ref": of,
        "count": 2,
        "object_marking_refs": made["object_marking_refs"],
    }


def test_a_looser_label_than_the_targets_is_refused_and_the_same_or_stricter_taken(community: Community) -> None:
    aurora = community.aurora
    target = aurora.indicator(Tlp.AMBER)
    store(aurora, target)
    loose, same, strict = (sighting(aurora, target["id"], label) for label in (Tlp.GREEN, Tlp.AMBER, Tlp.RED))
    outcomes = aurora.publish(*(aurora.signed(each) for each in (loose, same, strict)))
    assert refusal(outcomes[0]) == ("looser-than-reference", "/sighting_of_ref")
    assert [each.status for each in outcomes[1:]] == [OutcomeStatus.STORED] * 2


def test_the_target_may_come_along_in_the_same_request(community: Community) -> None:
    aurora = community.aurora
    target = aurora.indicator(Tlp.AMBER)
    outcomes = aurora.publish(aurora.signed(sighting(aurora, target["id"])), aurora.signed(target))
    assert refusal(outcomes[0]) == ("looser-than-reference", "/sighting_of_ref")
    assert outcomes[1].status is OutcomeStatus.STORED


def test_recipients_beyond_the_targets_are_refused(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    one, both = aurora.distribution(borealis.identity), aurora.distribution(borealis.identity, cobalt.identity)
    target = marked(aurora, Tlp.AMBER, one)
    store(aurora, one, both, target)
    within = sighting(aurora, target["id"], Tlp.AMBER_STRICT, one)
    wider = [sighting(aurora, target["id"], Tlp.AMBER, marking) for marking in (both, None)]
    outcomes = aurora.publish(*(aurora.signed(each) for each in (within, *wider)))
    assert outcomes[0].status is OutcomeStatus.STORED
    assert [refusal(each) for each in outcomes[1:]] == [("wider-than-reference", "/sighting_of_ref")] * 2


def test_red_names_no_person_whom_its_target_does_not_name(community: Community) -> None:
    aurora, borealis, _ = community.labs
    ada, bea = person_of(borealis), person_of(borealis)
    for_ada, for_both = (
        aurora.distribution(ada.person_identity),
        aurora.distribution(ada.person_identity, bea.person_identity),
    )
    target = marked(aurora, Tlp.RED, for_ada)
    store(aurora, for_ada, for_both, target)
    outcomes = aurora.publish(
        *(aurora.signed(sighting(aurora, target["id"], Tlp.RED, marking)) for marking in (for_ada, None, for_both))
    )
    assert [each.status for each in outcomes[:2]] == [OutcomeStatus.STORED] * 2
    assert refusal(outcomes[2]) == ("wider-than-reference", "/sighting_of_ref")


def test_a_target_that_the_publisher_cannot_read_counts_as_absent(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    target = marked(aurora, Tlp.AMBER, marking)
    store(aurora, marking, target)
    absent = f"indicator--{uuid.uuid4()}"
    outcomes = cobalt.publish(*(cobalt.signed(sighting(cobalt, of)) for of in (target["id"], absent)))
    assert [(each.status, each.error, each.warnings) for each in outcomes] == [(OutcomeStatus.STORED, None, ())] * 2
    readable = borealis.publish(borealis.signed(sighting(borealis, target["id"])))[0]
    assert refusal(readable) == ("looser-than-reference", "/sighting_of_ref")
