"""What is known of a signature from the objects beside it: which version counts, how it stands, who says so."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.stix.extension_ids import FEEDBACK_EXTENSION
from signatures.intake import Signature, StixObject, out_of_use, signatures_of
from signatures.intake.standing import DISPUTE_LASTS

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LAB, OTHER = "identity--11111111-1111-4111-8111-111111111111", "identity--22222222-2222-4222-8222-222222222222"
INDICATOR = "indicator--33333333-3333-4333-8333-333333333333"
RULE = "title: T\nlogsource: {category: llm_api}\ndetection:\n  s: {user.id: u1}\n  condition: s\n"


def indicator(**members: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "id": INDICATOR,
        "created_by_ref": LAB,
        "modified": "2026-11-20T00:00:00.000Z",
        "pattern_type": "sigma",
        "pattern": RULE,
        **members,
    }


def opinion(**members: Any) -> dict[str, Any]:
    return {
        "type": "opinion",
        "id": "opinion--1",
        "created_by_ref": OTHER,
        "modified": "2026-11-24T00:00:00.000Z",
        "opinion": "disagree",
        "explanation": "It flags our course platform.",
        "object_refs": [INDICATOR],
        **members,
    }


def one(*objects: dict[str, Any], aside: str = "") -> Signature:
    (signature,) = signatures_of([StixObject(each, f"{place}.json", aside) for place, each in enumerate(objects)], NOW)
    return signature


def test_a_dispute_names_who_and_why() -> None:
    signature = one(indicator(), opinion(), {"type": "identity", "id": OTHER, "name": "Borealis"})

    assert signature.states == ("disputed",)
    assert signature.disputes == (f"Borealis ({OTHER}): It flags our course platform.",)
    assert one(indicator(), opinion(explanation=7)).disputes == (f"{OTHER}: no reason given",)
    worded = opinion(extensions={FEEDBACK_EXTENSION: {"reason": "shared-egress"}})
    assert one(indicator(), worded).disputes == (f"{OTHER}: shared-egress: It flags our course platform.",)
    assert one(indicator(), opinion(extensions={FEEDBACK_EXTENSION: 7})).states == ("disputed",)


@pytest.mark.parametrize(
    "harmless",
    [
        {"opinion": "agree"},
        {"opinion": ["disagree"]},
        {"revoked": True},
        {"object_refs": [OTHER]},
        {"modified": (NOW - DISPUTE_LASTS - timedelta(seconds=1)).isoformat().replace("+00:00", "Z")},
    ],
)
def test_an_opinion_that_disputes_no_more_or_another_thing_does_no_harm(harmless: dict[str, Any]) -> None:
    assert one(indicator(), opinion(**harmless)).states == ()


def test_an_opinion_taken_back_or_put_aside_counts_no_more() -> None:
    agreed = opinion(opinion="agree", modified="2026-11-24T09:00:00Z")
    assert one(indicator(), opinion(), agreed).states == ()
    aside = [StixObject(indicator()), StixObject(opinion(), aside="withdrawn")]
    assert signatures_of(aside, NOW)[0].states == ()


def test_the_newest_version_counts_and_says_what_changed_since_the_one_before() -> None:
    rule = RULE.replace("u1", "u2")
    oldest, middle = indicator(modified="2026-11-01T00:00:00Z"), indicator(confidence=40)
    newest = indicator(modified="2026-11-21T00:00:00Z", confidence=70, pattern=rule, valid_until="2027-01-01T00:00:00Z")

    for order in ((oldest, middle, newest), (newest, oldest, middle)):
        signature = one(*order)
        assert (signature.version, signature.before) == (newest["modified"], middle["modified"])
        assert signature.text == rule
        assert signature.origin == f"{order.index(newest)}.json"
        assert signature.changes == (
            "/confidence: 40 -> 70",
            "/pattern:",
            "-   s: {user.id: u1}",
            "+   s: {user.id: u2}",
            '/valid_until: added "2027-01-01T00:00:00Z"',
        )
    assert (one(middle).before, one(middle).changes) == ("", ())
    assert one(middle, middle).before == ""


def test_copies_of_two_producers_are_two_signatures_without_a_version_before() -> None:
    both = [StixObject(indicator()), StixObject(indicator(created_by_ref=OTHER, modified="2026-11-22T00:00:00Z"))]
    assert [each.before for each in signatures_of(both, NOW)] == ["", ""]


@pytest.mark.parametrize(("aside", "state"), [("revoked", "revoked"), ("suspended", "suspended"), ("", "")])
def test_what_the_node_withdrew_is_out_of_use(aside: str, state: str) -> None:
    assert out_of_use(one(indicator(), aside=aside).states) == state


def test_a_revoking_version_counts_although_what_was_in_force_lies_aside() -> None:
    aside = StixObject(indicator(confidence=40), "aside.json", "revoked")
    revoking = StixObject(indicator(modified="2026-11-22T00:00:00Z", confidence=40, revoked=True), "here.json")
    (signature,) = signatures_of([aside, revoking], NOW)

    assert (signature.states, signature.origin) == (("revoked",), "here.json")
    assert signature.changes == ("/revoked: added true",)


def test_states_do_not_hide_each_other() -> None:
    states = one(indicator(revoked=True, valid_until="2026-11-01T00:00:00Z"), opinion()).states
    assert states == ("revoked", "expired", "disputed")
