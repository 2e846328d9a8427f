"""One actor under the names of several labs, through the real doors: who links them, who disputes it, who sees it."""

from __future__ import annotations

import json
import uuid
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from attribution.standing.walking import MAX_STEPS
from exchange.models import StixObject
from exchange.models.delivery import Delivery
from exchange.services.database import writing
from exchange.services.deletion import delete_object
from exchange.services.query import surroundings
from exchange.stix.canonical import canonicalize
from exchange.stix.markings import Tlp
from tests.integration.attribution.test_rows import store
from tests.integration.attribution.test_views import statements
from tests.support.attribution import actor, made, opinion, related, same
from tests.support.forms import assert_form
from tests.support.labs import Community, LabHandle
from tests.support.rest import RestClient, RestNode


def names_of(client: RestClient, stix_id: str) -> dict[str, Any]:
    response = client.get(f"attribution/actors/{stix_id}/")
    assert response.status_code == 200, response.text
    assert_form(response.json(), "ActorNames")
    found: dict[str, Any] = response.json()
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [each["id"] for each in found["names"]]


def is_absent(client: RestClient, stix_id: str) -> bool:
    found = client.get(f"attribution/actors/{stix_id}/")
    unused = client.get(f"attribution/actors/{stix_id.partition('--')[0]}--{uuid.uuid4()}/")
    assert unused.status_code == 404
    return (found.status_code, found.content, set(found.headers)) == (404, unused.content, set(unused.headers))


def named_recipients(lab: LabHandle, *others: LabHandle) -> dict[str, Any]:
    """Members that leave an object with these labs."""
    marking = lab.distribution(*(each.identity for each in others))
    store(lab, marking)
    return {"object_marking_refs": [Tlp.AMBER.marking_id, marking["id"]]}


def test_three_labs_names_for_one_actor_stand_side_by_side(node: RestNode) -> None:
    aurora, borealis, cobalt = node.community.labs
    first = actor(aurora, name="Quiet Orchard", aliases=["QO-3"], confidence=45)
    second = actor(borealis, name="Glass Lantern", confidence=80)
    third = actor(cobalt, name="Grey Heron")
    store(aurora, first)
    store(borealis, second)
    store(cobalt, third)
    # A relationship is written by whoever says so, about anybody's objects, in either direction.
    words = [same(borealis, second["id"], first["id"], confidence=60), same(cobalt, first["id"], second["id"])]
    further = same(aurora, second["id"], third["id"], confidence=20)
    answer = node.borealis.publish(borealis.signed(words[0]))
    assert answer.status_code == 201, answer.text
    store(cobalt, words[1])
    store(aurora, further)
    store(borealis, opinion(borealis, further["id"], "disagree"))
    for client in (node.aurora, node.borealis, node.cobalt, RestClient(node.url, cobalt.client_token)):
        found = names_of(client, first["id"])
        assert [(each["lab"], each["name"], each["steps"]) for each in found["names"]] == [
            ("aurora", "Quiet Orchard", 0),
            ("borealis", "Glass Lantern", 1),
            ("cobalt", "Grey Heron", 2),
        ]
        assert (found["names"][0]["aliases"], found["names"][0]["confidence"]) == (["QO-3"], 45)
        links = {tuple(each["ids"]): each for each in found["links"]}
        near = links[tuple(sorted((first["id"], second["id"])))]
        assert [(each["lab"], each["confidence"]) for each in near["claims"]] == [("borealis", 60), ("cobalt", None)]
        assert (near["agreement"], near["confidence"]) == ("agreed", {"lowest": 60, "highest": 60})
        far = links[tuple(sorted((second["id"], third["id"])))]
        assert (far["agreement"], far["disputed_by"]) == ("disputed", ["borealis"])
        assert [each["about"] for each in far["opinions"]] == [further["id"]]
        assert "more" not in found
    assert set(ids(names_of(node.cobalt, third["id"]))) == {first["id"], second["id"], third["id"]}


def test_a_link_through_what_a_reader_may_not_see_is_not_crossed_and_not_told(node: RestNode) -> None:
    aurora, borealis, cobalt = node.community.labs
    start, beyond = actor(aurora), actor(cobalt, name="Grey Heron")
    store(aurora, start)
    store(cobalt, beyond)
    before = node.cobalt.get(f"attribution/actors/{start['id']}/").content
    secret = named_recipients(aurora, borealis)
    bridge = actor(aurora, Tlp.AMBER, name="Hidden", **secret)
    store(aurora, bridge)
    store(aurora, *(same(aurora, bridge["id"], each["id"], Tlp.AMBER, **secret) for each in (start, beyond)))
    assert node.cobalt.get(f"attribution/actors/{start['id']}/").content == before
    assert is_absent(node.cobalt, bridge["id"])
    assert set(ids(names_of(node.borealis, start["id"]))) == {start["id"], bridge["id"], beyond["id"]}
    # Nor where the word itself is in sight, and what it is about is not: its writer could not read that either.
    store(cobalt, same(cobalt, start["id"], bridge["id"]))
    assert node.cobalt.get(f"attribution/actors/{start['id']}/").content == before


def test_a_word_may_not_be_looser_than_what_it_is_about(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    secret = named_recipients(aurora, borealis)
    mine, narrow = actor(borealis), actor(aurora, Tlp.AMBER, **secret)
    store(borealis, mine)
    store(aurora, narrow)
    theirs = named_recipients(borealis, aurora)
    for word, code in (
        (same(borealis, mine["id"], narrow["id"]), "looser-than-reference"),
        (same(borealis, mine["id"], narrow["id"], Tlp.AMBER), "wider-than-reference"),
    ):
        answer = node.borealis.publish(borealis.signed(word))
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert (error["code"], error["pointer"]) == (code, "/target_ref")
        assert ids(names_of(node.borealis, mine["id"])) == [mine["id"]]
    taken = node.borealis.publish(borealis.signed(same(borealis, mine["id"], narrow["id"], Tlp.AMBER, **theirs)))
    assert taken.status_code == 201, taken.text
    assert ids(names_of(node.borealis, mine["id"])) == [mine["id"], narrow["id"]]
    assert ids(names_of(node.cobalt, mine["id"])) == [mine["id"]]


def test_narrowing_revocation_suspension_and_deletion_break_the_walk_at_once(node: RestNode) -> None:
    aurora, borealis, cobalt = node.community.labs
    start = actor(aurora)
    others = [actor(borealis) for _ in range(5)]
    words = [same(cobalt, start["id"], each["id"]) for each in others]
    store(aurora, start)
    store(borealis, *others)
    store(cobalt, *words)
    assert len(ids(names_of(node.aurora, start["id"]))) == 6
    narrowed, revoked, deleted, suspended, unlinked = others
    store(borealis, borealis.next_version(narrowed, **named_recipients(borealis, cobalt)))
    store(borealis, borealis.next_version(revoked, revoked=True))
    delete_object(principal=borealis.principal, stix_id=deleted["id"])
    with writing():
        StixObject.objects.filter(stix_id=suspended["id"]).update(state="suspended")
    assert set(ids(names_of(node.aurora, start["id"]))) == {start["id"], unlinked["id"]}
    assert set(ids(names_of(node.cobalt, start["id"]))) == {start["id"], narrowed["id"], unlinked["id"]}
    store(cobalt, cobalt.next_version(words[4], revoked=True))
    found = names_of(node.aurora, start["id"])
    assert (ids(found), found["links"]) == ([start["id"]], [])
    for each in (revoked, deleted, suspended):
        assert is_absent(node.borealis, each["id"])


def test_only_words_that_two_of_one_kind_are_the_same_are_links(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    start, other = actor(aurora), actor(borealis)
    campaign = made(borealis, "campaign", name="Duplicate-of", external_references=start["external_references"])
    store(aurora, start)
    store(borealis, other, campaign)
    store(
        borealis,
        related(borealis, "related-to", start["id"], other["id"], description="some say duplicate-of"),
        same(borealis, campaign["id"], start["id"]),
        same(borealis, start["id"], start["id"]),
    )
    found = names_of(node.cobalt, start["id"])
    assert (ids(found), found["links"]) == ([start["id"]], [])
    assert ids(names_of(node.cobalt, campaign["id"])) == [campaign["id"]]


def test_a_word_that_its_producer_wrote_with_escapes_is_a_link_too(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    start, other = actor(aurora), actor(borealis)
    store(aurora, start)
    store(borealis, other)
    plain = cobalt.signed(same(cobalt, start["id"], other["id"]))
    escaped = plain.replace(b'"duplicate-of"', b'"duplicate\\u002dof"')
    assert escaped != plain == canonicalize(json.loads(escaped))
    (outcome,) = cobalt.publish(escaped)
    assert outcome.error is None, outcome.error
    client = Client(headers={"Authorization": f"Bearer {aurora.token}"})
    assert len(client.get(f"/api/v1/attribution/actors/{start['id']}/").json()["links"]) == 1


def test_the_walk_is_bounded_and_says_so(community: Community, monkeypatch: pytest.MonkeyPatch) -> None:
    aurora, borealis, cobalt = community.labs
    chain = [actor(aurora, name=f"Name {place}") for place in range(6)]
    store(aurora, *chain)
    store(borealis, *(same(borealis, one["id"], two["id"]) for one, two in pairwise(chain)))
    client = Client(headers={"Authorization": f"Bearer {cobalt.token}"})

    def names(place: int) -> tuple[int, bool]:
        found = client.get(f"/api/v1/attribution/actors/{chain[place]['id']}/").json()
        return len(found["names"]), "more" in found

    assert MAX_STEPS == 4
    assert names(0) == (5, True)
    assert names(2) == (6, False)
    monkeypatch.setattr(surroundings, "MAX_OF_A_LAB", 1)
    assert names(2)[1]


def test_a_step_costs_the_same_number_of_statements_whatever_it_finds(community: Community, tmp_path: Path) -> None:
    aurora, borealis, cobalt = community.labs
    known, *others = actors = [actor(aurora) for _ in range(10)]
    twin = [actor(aurora), actor(aurora)]
    store(aurora, *actors, *twin)
    store(borealis, same(borealis, twin[0]["id"], twin[1]["id"]))
    store(borealis, *(same(borealis, known["id"], each["id"]) for each in others))
    client = Client(headers={"Authorization": f"Bearer {cobalt.token}"})
    counts = [statements(client, tmp_path, f"actors/{each['id']}/") for each in (twin[0], twin[0], known)]
    assert counts[1] == counts[2] <= 20


def test_an_answer_is_one_delivery_of_names_and_words_that_it_shows(node: RestNode) -> None:
    aurora, borealis, cobalt = node.community.labs
    start, other, alone = actor(aurora, Tlp.AMBER), actor(borealis, Tlp.AMBER), actor(borealis, Tlp.AMBER)
    store(aurora, start)
    store(borealis, other, alone)
    word = same(cobalt, start["id"], other["id"], Tlp.AMBER)
    store(cobalt, word)
    store(aurora, opinion(aurora, word["id"], "agree", Tlp.AMBER))
    before = Delivery.objects.count()
    assert len(ids(names_of(RestClient(node.url, cobalt.client_token), start["id"]))) == 2
    assert is_absent(node.cobalt, f"campaign--{uuid.uuid4()}")
    assert Delivery.objects.count() == before + 1
    assert len(Delivery.objects.order_by("-id")[0].filter["seqs"]) == 4


def test_the_door_is_for_members_and_takes_names_of_actors_alone(node: RestNode) -> None:
    aurora = node.community.aurora
    store(aurora, indicator := aurora.indicator())
    assert node.nobody.get(f"attribution/actors/{indicator['id']}/").status_code == 401
    for stix_id in (indicator["id"], "campaign", "campaign--x", "threat-actor--%F0%9F%92%A9"):
        response = node.aurora.get(f"attribution/actors/{stix_id}/")
        assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (404, "object-not-found")
