"""A claim about an organisation links a public source or stays with named recipients, at the real doors."""

from __future__ import annotations

import uuid
from typing import Any

from exchange.models import StixObject
from exchange.services.collections import create_collection
from exchange.services.database import writing
from exchange.services.principals import OPERATOR
from exchange.stix.markings import Tlp
from tests.support.labs import LabHandle
from tests.support.rest import RestNode

SOURCE = [{"source_name": "Report", "url": "https://research.example/reports/7"}]


def actor(lab: LabHandle, label: Tlp = Tlp.AMBER, **changes: Any) -> dict[str, Any]:
    members = lab.indicator(label)
    kept = ("spec_version", "created_by_ref", "created", "modified", "object_marking_refs")
    named = {"type": "threat-actor", "id": f"threat-actor--{uuid.uuid4()}", "name": "Quiet Orchard"}
    return {name: members[name] for name in kept} | named | changes


def test_a_claim_on_a_labs_word_alone_is_refused_with_its_place_and_not_stored(node: RestNode) -> None:
    aurora = node.community.aurora
    claim = actor(aurora)
    answer = node.aurora.publish(aurora.signed(claim))
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["code"] == "out-of-scope-claim-without-source"
    assert error["pointer"].endswith("/external_references")
    with writing():
        assert not StixObject.objects.filter(stix_id=claim["id"]).exists()


def test_a_claim_with_a_public_source_reaches_every_member(node: RestNode) -> None:
    aurora = node.community.aurora
    claim = actor(aurora, Tlp.GREEN, external_references=SOURCE)
    assert node.aurora.publish(aurora.signed(claim)).status_code == 201
    assert node.cobalt.get(f"objects/{claim['id']}/").status_code == 200


def test_a_claim_among_named_recipients_stays_with_them_and_may_be_widened_by_a_source_alone(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    claim = actor(aurora, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    assert node.aurora.publish(aurora.signed(marking), aurora.signed(claim)).status_code == 201
    assert node.borealis.get(f"objects/{claim['id']}/").status_code == 200
    absent = node.cobalt.get(f"objects/threat-actor--{uuid.uuid4()}/")
    hidden = node.cobalt.get(f"objects/{claim['id']}/")
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
    wider = aurora.next_version(claim, object_marking_refs=[Tlp.AMBER.marking_id])
    assert node.aurora.publish(aurora.signed(wider)).status_code == 422
    sourced = wider | {"external_references": SOURCE}
    assert node.aurora.publish(aurora.signed(sourced)).status_code == 201


def test_a_claim_that_waited_for_recipients_and_got_a_statement_is_its_producers_alone(node: RestNode) -> None:
    aurora = node.community.aurora
    labs = [aurora.lab]
    create_collection(actor=OPERATOR, alias="feeds", title="Feeds", scope="open", readers=labs, writers=labs)
    statement = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{uuid.uuid4()}",
        "created": aurora.indicator()["created"],
        "created_by_ref": aurora.identity,
        "definition_type": "statement",
        "definition": {"statement": "An invented statement"},
    }
    claim = actor(aurora, object_marking_refs=[Tlp.AMBER.marking_id, statement["id"]])
    (held,) = node.aurora.publish(aurora.signed(claim)).json()["results"]
    assert held["status"] == "held"
    published = node.aurora.publish(aurora.signed(statement), query="?collection=feeds")
    assert published.status_code == 201, published.text
    assert node.aurora.get(f"objects/{claim['id']}/").status_code == 200
    assert node.borealis.get(f"objects/{claim['id']}/").status_code == 404
