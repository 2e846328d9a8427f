"""Who says what of one thing, through the real door: each reader's own view, and nothing that tells of another's."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from attribution.protection.allowing import NewAllowedNetwork, add_allowed_network
from exchange.models import Collection, StixObject
from exchange.models.delivery import Delivery
from exchange.services.collections import grant_access
from exchange.services.database import writing
from exchange.services.deletion import delete_object
from exchange.services.labs import suspend_lab
from exchange.services.principals import OPERATOR
from exchange.services.query import surroundings
from exchange.stix.markings import Tlp
from tests.integration.attribution.test_rows import store
from tests.support.attribution import actor, made, opinion, related, sighting
from tests.support.forms import assert_form
from tests.support.labs import Community
from tests.support.rest import RestClient, RestNode

_STATEMENT = re.compile(r"\tF\t\d+\t(?:Query|Execute)\b")


def described(client: RestClient, stix_id: str) -> dict[str, Any]:
    response = client.get(f"attribution/objects/{stix_id}/")
    assert response.status_code == 200, response.text
    assert_form(response.json(), "ObjectStanding")
    found: dict[str, Any] = response.json()
    return found


def is_absent(client: RestClient, stix_id: str) -> bool:
    """Whether the answer is, to the byte, that for an id that nobody ever used."""
    found = client.get(f"attribution/objects/{stix_id}/")
    unused = client.get(f"attribution/objects/{stix_id.partition('--')[0]}--{uuid.uuid4()}/")
    assert unused.status_code == 404
    assert unused.json()["type"].endswith(":object-not-found")
    return (found.status_code, found.content, set(found.headers)) == (404, unused.content, set(unused.headers))


def test_claims_sightings_opinions_and_relations_stand_side_by_side(node: RestNode) -> None:
    aurora, borealis, cobalt = node.community.labs
    named = actor(aurora, confidence=45, first_seen="2026-11-01T00:00:00Z", aliases=["QO-3"])
    store(aurora, named)
    assert described(node.cobalt, named["id"])["agreement"] == "single"
    saw = [sighting(borealis, named["id"], count=7, first_seen="2026-11-02T00:00:00Z"), sighting(borealis, named["id"])]
    uses = related(cobalt, "uses", named["id"], f"infrastructure--{uuid.uuid4()}", confidence=80)
    store(borealis, *saw)
    store(cobalt, uses)
    found = described(node.cobalt, named["id"])
    (claim,) = found["claims"]
    assert (claim["lab"], claim["name"], claim["confidence"], claim["state"]) == (
        "aurora",
        "Quiet Orchard",
        45,
        "current",
    )
    assert (claim["version"], claim["first_seen"]) == (named["modified"], "2026-11-01T00:00:00Z")
    assert [each["url"] for each in claim["references"]] == ["https://research.example/reports/7"]
    assert found["sightings"] == [
        {"lab": "borealis", "sightings": 2, "count": 8, "first_seen": "2026-11-02T00:00:00Z", "last_seen": None}
    ]
    (relation,) = found["relations"]
    assert (relation["lab"], relation["type"], relation["target"]) == ("cobalt", "uses", uses["target_ref"])
    assert (found["agreement"], found["disputed_by"]) == ("agreed", [])
    assert found["confidence"] == {"lowest": 45, "highest": 45}
    store(cobalt, opinion(cobalt, named["id"], "disagree", reason="shared-egress"))
    for client in (node.aurora, node.borealis, node.cobalt, RestClient(node.url, borealis.client_token)):
        found = described(client, named["id"])
        assert (found["agreement"], found["disputed_by"]) == ("disputed", ["cobalt"])
        (said,) = found["opinions"]
        assert (said["lab"], said["opinion"], said["reason"]) == ("cobalt", "disagree", "shared-egress")
        assert (said["about"], said["evidence_count"]) == (named["id"], 3)
        assert "more" not in found


def test_each_lab_has_its_own_claim_about_an_observable(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    mine, theirs = aurora.address("203.0.113.7"), borealis.address("203.0.113.7", Tlp.AMBER_STRICT)
    store(aurora, mine)
    assert described(node.cobalt, mine["id"])["agreement"] == "single"
    store(borealis, theirs)
    found = described(node.cobalt, mine["id"])
    assert [(each["lab"], each["label"], each["name"]) for each in found["claims"]] == [
        ("aurora", "TLP:GREEN", "203.0.113.7"),
        ("borealis", "TLP:AMBER+STRICT", "203.0.113.7"),
    ]
    assert (found["agreement"], found["confidence"]) == ("agreed", None)
    as_client = described(RestClient(node.url, node.community.cobalt.client_token), mine["id"])
    assert ([each["lab"] for each in as_client["claims"]], as_client["agreement"]) == (["aurora"], "single")


def test_networks_that_are_not_to_be_blocked_stand_beside_the_claims(node: RestNode) -> None:
    aurora = node.community.aurora
    named = aurora.indicator(pattern="[ipv4-addr:value = '198.51.100.3' OR ipv4-addr:value = '203.0.113.7']")
    store(aurora, named)
    assert described(node.cobalt, named["id"])["protected"] == []
    until = datetime.now(UTC) + timedelta(days=30)
    entry = NewAllowedNetwork(
        net="198.51.100.0/24", title="Front door", reason="cloud-front-door", source="By telephone", until=until
    )
    add_allowed_network(actor=OPERATOR, entry=entry)
    (found,) = described(node.cobalt, named["id"])["protected"]
    assert found["net"] == "198.51.100.3/32"
    assert (found["do_not_block"]["title"], found["do_not_block"]["reason"]) == ("Front door", "cloud-front-door")


def test_what_a_reader_may_not_read_is_in_no_claim_count_or_word(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    named, hidden = (
        actor(aurora),
        actor(aurora, Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]]),
    )
    store(aurora, marking, named, hidden)
    before = node.cobalt.get(f"attribution/objects/{named['id']}/").content
    secret = {"object_marking_refs": [Tlp.AMBER.marking_id, marking["id"]]}
    store(
        aurora,
        sighting(aurora, named["id"], Tlp.AMBER, **secret),
        opinion(aurora, named["id"], "disagree", Tlp.AMBER) | secret,
        related(aurora, "related-to", named["id"], hidden["id"], Tlp.AMBER, **secret),
    )
    assert node.cobalt.get(f"attribution/objects/{named['id']}/").content == before
    found = described(node.borealis, named["id"])
    assert (found["agreement"], found["disputed_by"]) == ("disputed", ["aurora"])
    assert [len(found[each]) for each in ("sightings", "opinions", "relations")] == [1, 1, 1]
    assert is_absent(node.cobalt, hidden["id"])
    assert described(node.borealis, hidden["id"])["claims"][0]["lab"] == "aurora"


def test_narrowing_revocation_suspension_and_deletion_act_at_once(node: RestNode) -> None:
    aurora, borealis, cobalt = node.community.labs
    marking = aurora.distribution(borealis.identity)
    store(aurora, marking)
    narrowed, revoked, deleted, suspended = (actor(aurora) for _ in range(4))
    store(aurora, narrowed, revoked, deleted, suspended)
    assert not any(is_absent(node.cobalt, each["id"]) for each in (narrowed, revoked, deleted, suspended))
    store(aurora, aurora.next_version(narrowed, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]]))
    assert is_absent(node.cobalt, narrowed["id"])
    assert not is_absent(node.borealis, narrowed["id"])
    store(aurora, aurora.next_version(revoked, revoked=True))
    delete_object(principal=aurora.principal, stix_id=deleted["id"])
    set_state(suspended["id"], "suspended")
    for each in (revoked, deleted, suspended):
        assert all(is_absent(client, each["id"]) for client in (node.aurora, node.borealis, node.cobalt))
    set_state(suspended["id"], "disputed")
    assert described(node.cobalt, suspended["id"])["agreement"] == "disputed"
    set_state(suspended["id"], "current")
    said = opinion(cobalt, suspended["id"], "strongly-disagree")
    store(cobalt, said)
    assert described(node.borealis, suspended["id"])["agreement"] == "disputed"
    store(cobalt, cobalt.next_version(said, revoked=True))
    assert described(node.borealis, suspended["id"])["opinions"] == []
    suspend_lab(actor=OPERATOR, slug="cobalt")
    assert node.cobalt.get(f"attribution/objects/{suspended['id']}/").status_code == 401


def set_state(stix_id: str, state: str) -> None:
    with writing():
        StixObject.objects.filter(stix_id=stix_id).update(state=state)


def test_without_a_grant_on_the_collection_nothing_of_it_is_told(node: RestNode) -> None:
    aurora, borealis, cobalt = node.community.labs
    named = actor(aurora)
    store(aurora, named)
    store(borealis, opinion(borealis, named["id"], "disagree"))
    assert described(node.cobalt, named["id"])["agreement"] == "disputed"
    for alias, told in (("feedback", "single"), ("attribution", None)):
        collection = Collection.objects.get(alias=alias)
        grant_access(actor=OPERATOR, collection=collection, lab=cobalt.lab, can_read=False, can_write=False)
        if told is None:
            assert is_absent(node.cobalt, named["id"])
        else:
            assert described(node.cobalt, named["id"])["agreement"] == told
    assert described(node.borealis, named["id"])["agreement"] == "disputed"


def test_who_shouts_loudest_drowns_nobody_and_more_says_that_something_is_left_out(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    aurora, borealis, cobalt = community.labs
    named = actor(aurora)
    store(aurora, named)
    store(cobalt, opinion(cobalt, named["id"], "disagree"))
    store(borealis, *(sighting(borealis, named["id"]) for _ in range(4)))
    client = Client(headers={"Authorization": f"Bearer {aurora.token}"})
    monkeypatch.setattr(surroundings, "MAX_OF_A_LAB", 2)
    found = client.get(f"/api/v1/attribution/objects/{named['id']}/").json()
    assert found["more"] is True
    assert [each["sightings"] for each in found["sightings"]] == [2]
    assert found["disputed_by"] == ["cobalt"]


def test_an_answer_costs_the_same_number_of_statements_whatever_it_holds(community: Community, tmp_path: Path) -> None:
    aurora, borealis, _ = community.labs
    quiet, loud = actor(aurora), actor(aurora)
    store(aurora, quiet, loud)
    store(borealis, *(sighting(borealis, loud["id"]) for _ in range(30)), opinion(borealis, loud["id"], "agree"))
    client = Client(headers={"Authorization": f"Bearer {community.cobalt.token}"})
    counts = [statements(client, tmp_path, f"objects/{each['id']}/") for each in (quiet, quiet, loud)]
    assert counts[1] == counts[2] <= 12


def statements(client: Client, tmp_path: Path, path: str) -> int:
    """Statements that one request sent to PostgreSQL, counted on the wire."""
    connection.ensure_connection()
    server, trace = connection.connection.pgconn, tmp_path / "trace.txt"
    with trace.open("wb") as sink:
        server.trace(sink.fileno())
        response = client.get(f"/api/v1/attribution/{path}")
        server.untrace()
    assert response.status_code == 200
    return len(_STATEMENT.findall(trace.read_text(errors="replace")))


def test_an_answer_is_one_delivery_of_what_it_is_made_of_and_a_refusal_is_none(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    named = actor(aurora, Tlp.AMBER)
    store(aurora, named)
    store(borealis, opinion(borealis, named["id"], "agree", Tlp.AMBER))
    before = Delivery.objects.count()
    described(node.cobalt, named["id"])
    assert is_absent(node.cobalt, f"threat-actor--{uuid.uuid4()}")
    assert Delivery.objects.count() == before + 1
    row = Delivery.objects.order_by("-id")[0]
    assert set(row.filter) == {"seqs"}
    assert len(row.filter["seqs"]) == 2
    received = node.aurora.get(f"objects/{named['id']}/recipients/").json()["recipients"]
    assert [each["lab"] for each in received] == ["cobalt"]


def test_the_door_is_for_members_who_read_and_takes_ids_of_attributed_things_alone(node: RestNode) -> None:
    aurora = node.community.aurora
    note = made(aurora, "note", content="Seen twice.", object_refs=[aurora.identity])
    store(aurora, note)
    assert node.nobody.get(f"attribution/objects/{actor(aurora)['id']}/").status_code == 401
    for stix_id in (note["id"], aurora.identity, "threat-actor--x", "threat-actor"):
        response = node.aurora.get(f"attribution/objects/{stix_id}/")
        assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (404, "object-not-found")
    named = actor(aurora)
    store(aurora, named)
    assert node.aurora.get(f"attribution/objects/{named['id']}/?include=stale").status_code == 400
    again = node.aurora.get(f"attribution/objects/{named['id']}/")
    unchanged = node.aurora.get(f"attribution/objects/{named['id']}/", headers={"If-None-Match": again.headers["ETag"]})
    assert unchanged.status_code == 304
