"""POST /api/v1/signatures/, and the text of what was published, through the real door."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
import requests

from exchange.models import Version
from exchange.services.database import writing
from exchange.services.held_keys import create_exchange_key
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token
from exchange.stix.extension_ids import SIGNATURE_EXTENSION
from exchange.stix.markings import Tlp
from signatures.atlas import TECHNIQUES
from signatures.samples import SAMPLE_SIGNATURES
from tests.integration.services.chains import next_identity
from tests.integration.services.views import seconds_now
from tests.support.forms import assert_form
from tests.support.rest import RestClient, RestNode

RULE = SAMPLE_SIGNATURES["d1"].text
YAML = {"Content-Type": "application/yaml"}
TEXT = {"Content-Type": "text/plain"}
CAMPAIGN = "campaign--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a11"
ATTACK = TECHNIQUES["AML.T0024.002"].object
Members = dict[str, Any]


def stored_versions() -> int:
    with writing():
        return Version.objects.count()


def author(client: RestClient, text: str, query: str = "", **headers: str) -> requests.Response:
    return client.post(f"signatures/{query}", text.encode(), headers={**YAML, **headers})


def refused(response: requests.Response, status: int, code: str) -> Members:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: Members = response.json()
    assert problem["type"].removeprefix("urn:commonwatch:problem:") == code, problem
    return problem


def publish_signed(node: RestNode, drafts: list[Members]) -> None:
    published = node.aurora.publish(*(node.community.aurora.signed(draft) for draft in drafts))
    assert published.status_code == 201, published.text
    assert [result["status"] for result in published.json()["results"]] == ["stored"] * len(drafts)


def test_a_lab_that_signs_itself_gets_the_finished_indicator_and_what_it_indicates(node: RestNode) -> None:
    before = stored_versions()
    answer = author(node.aurora, RULE, f"?confidence=60&indicates={CAMPAIGN}")
    assert answer.status_code == 200, answer.text
    assert_form(answer.json(), "SignatureAnswer")
    assert stored_versions() == before
    indicator, *links = answer.json()["objects"]
    assert (indicator["pattern"], indicator["pattern_type"]) == (RULE, "sigma")
    assert indicator["name"] == SAMPLE_SIGNATURES["d1"].outermost["title"]
    assert "Confuses: " in indicator["description"]
    assert indicator["object_marking_refs"] == [Tlp.GREEN.marking_id]
    assert (indicator["confidence"], indicator["indicator_types"]) == (60, ["anomalous-activity"])
    assert {"kill_chain_name": "mitre-atlas", "phase_name": "exfiltration"} in indicator["kill_chain_phases"]
    assert "AML.T0024.002" in {each.get("external_id") for each in indicator["external_references"]}
    assert {each["target_ref"] for each in links} >= {ATTACK, CAMPAIGN}
    assert {each["relationship_type"] for each in links} == {"indicates"}

    publish_signed(node, answer.json()["objects"])
    for reader in (node.aurora, node.borealis):
        got = reader.get(f"signatures/{indicator['id']}/", headers={"Accept": "application/yaml"})
        assert (got.status_code, got.text) == (200, RULE)
        assert got.headers["Content-Type"] == "application/yaml; charset=utf-8"
    assert node.nobody.get(f"signatures/{indicator['id']}/").status_code == 401


def test_the_same_rule_again_is_the_same_version_and_another_text_the_next_one(node: RestNode) -> None:
    first = author(node.aurora, RULE).json()["objects"]
    publish_signed(node, first)
    again = author(node.aurora, RULE).json()
    assert again["signature"]["replaces"] is None
    # What is there already is not made again.
    assert [each["id"] for each in again["objects"]] == [first[0]["id"]]
    assert {**first[0]} == again["objects"][0]
    changed = author(node.aurora, RULE.replace("gte: 40", "gte: 45")).json()
    (version,) = changed["objects"]
    assert changed["signature"]["replaces"] == first[0]["modified"]
    assert (version["id"], version["created"]) == (first[0]["id"], first[0]["created"])
    assert version["modified"] > first[0]["modified"]
    assert version["valid_from"] == first[0]["valid_from"]
    publish_signed(node, [version])
    difference = node.borealis.get(f"objects/{version['id']}/diff/").json()
    assert "/pattern" in {change["path"] for change in difference["changes"]}


def test_relationships_follow_the_markings_of_their_indicator(node: RestNode) -> None:
    publish_signed(node, author(node.aurora, RULE).json()["objects"])
    narrowed = author(node.aurora, RULE, "?marking=TLP:AMBER").json()["objects"]
    assert len(narrowed) > 1
    assert {tuple(each["object_marking_refs"]) for each in narrowed} == {(Tlp.AMBER.marking_id,)}
    publish_signed(node, narrowed)
    assert len(author(node.aurora, RULE, "?marking=TLP:AMBER").json()["objects"]) == 1


def test_the_node_signs_and_publishes_for_a_lab_whose_key_it_holds(node: RestNode) -> None:
    lab = node.community.borealis
    key = create_exchange_key(actor=OPERATOR, lab=lab.lab)
    named = key.public(nbf=seconds_now() - 1, custody="exchange")
    assert lab.publish(next_identity(lab, add=[named], signers=[lab.keys.root, key]))[0].error is None
    bounds = {
        "collections": ["signatures"], "highest_label": "TLP:GREEN", "networks": ["127.0.0.0/8"], "daily_quota": 9,
    }  # fmt: skip
    secret = issue_token(actor=OPERATOR, lab=lab.lab, scopes=["publish", "sign", "read"], bounds=bounds).secret
    signer, before = RestClient(node.url, secret), stored_versions()
    assert author(signer, RULE, "?sign=true&dry_run=true").status_code == 200
    assert stored_versions() == before
    answer = author(signer, RULE, "?sign=true", **{"Idempotency-Key": "one-rule"})
    assert answer.status_code == 201, answer.text
    made = answer.json()["objects"]
    assert all(SIGNATURE_EXTENSION in each["extensions"] for each in made)
    assert stored_versions() == before + len(made)
    assert author(signer, RULE, "?sign=true", **{"Idempotency-Key": "one-rule"}).content == answer.content
    repeated = author(signer, RULE, "?sign=true")
    assert (repeated.status_code, repeated.json()["results"][0]["status"]) == (200, "exists")
    refused(author(node.cobalt, RULE, "?sign=true"), 403, "scope-missing")


def test_a_stix_pattern_is_taken_with_a_name(node: RestNode) -> None:
    pattern = "[ipv4-addr:value = '203.0.113.7']"
    refused(node.aurora.post("signatures/?marking=TLP:GREEN", pattern.encode(), headers=TEXT), 400, "name-missing")
    query = "?marking=TLP:GREEN&name=Relay&phases=exfiltration&valid_until=2027-01-01T00:00:00Z"
    answer = node.aurora.post(f"signatures/{query}", pattern.encode(), headers=TEXT)
    (indicator,) = answer.json()["objects"]
    assert (indicator["pattern"], indicator["pattern_type"]) == (pattern, "stix")
    assert indicator["valid_until"] == "2027-01-01T00:00:00Z"
    publish_signed(node, [indicator])
    got = node.borealis.get(f"signatures/{indicator['id']}/", headers={"Accept": "text/plain"})
    assert (got.text, got.headers["Content-Type"]) == (pattern, "text/plain; charset=utf-8")
    wider = pattern.replace(".7", ".8").encode()
    next_one = node.aurora.post(f"signatures/{query}&id={indicator['id']}", wider, headers=TEXT).json()
    assert next_one["objects"][0]["id"] == indicator["id"]
    assert next_one["signature"]["replaces"] == indicator["modified"]
    # Another lab has no indicator of this id, whatever it may read.
    refused(
        node.borealis.post(f"signatures/{query}&id={indicator['id']}", wider, headers=TEXT), 404, "object-not-found"
    )


def test_unknown_fields_and_techniques_are_warnings(node: RestNode) -> None:
    text = RULE.replace("llmx.account.kyc_level", "llmx.account.kyc_levl").replace("aml-t0024-002", "aml-t9999", 1)
    answer = author(node.aurora, text).json()
    (warning,) = answer["results"][0]["warnings"]
    assert (warning["code"], warning["pointer"]) == ("field-unknown", "/pattern")
    assert "document 1, line " in warning["detail"]
    assert "llmx.account.kyc_level is one" in warning["detail"]
    assert "technique-unknown" in {each["code"] for each in answer["signature"]["warnings"]}


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
)
CYCLE = RULE.replace("    - extraction_template\n", "    - extraction_template_spread\n")


@pytest.mark.parametrize(
    ("text", "status", "code", "place"),
    [
        ("title: [\n", 422, "yaml-syntax", "line 2, column 1"),
        (BOMB, 422, "yaml-alias", "line "),
        (CYCLE, 422, "sigma-circular", "line "),
        (RULE.replace("|startswith", "|begins"), 422, "sigma-invalid", "line 1"),
        (RULE.replace("condition: operation", "condition: operatoin"), 422, "sigma-invalid", "Document 1, line "),
        (RULE.replace("timespan: 1d", "timespan: 1w"), 422, "sigma-timespan", "Document 2, line "),
        (RULE + RULE.partition("---")[0].join(["---\n", ""]), 422, "sigma-duplicate-id", "Document 3, line "),
        ("x" * (256 * 1024 + 1), 413, "body-too-large", ""),
        ("", 422, "yaml-empty", ""),
    ],
)
def test_a_text_that_is_no_rule_is_refused_with_its_place(
    node: RestNode, text: str, status: int, code: str, place: str
) -> None:
    before = stored_versions()
    response = author(node.aurora, text)
    problem = response.json()
    assert response.status_code == status, problem
    refused(response, status, code)
    assert place in problem["detail"], problem
    assert stored_versions() == before


def test_malformed_requests_are_refused_and_nothing_is_stored(node: RestNode) -> None:
    before = stored_versions()
    for query, status, code in [
        ("?confidence=101", 400, "parameter-malformed"),
        ("?confidence=high", 400, "parameter-malformed"),
        ("?valid_until=tomorrow", 400, "parameter-malformed"),
        ("?valid_until=2020-01-01T00:00:00Z", 422, "indicator-validity"),
        ("?techniques=T1", 400, "parameter-malformed"),
        ("?indicates=indicator--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a11", 400, "parameter-malformed"),
        ("?id=x", 400, "parameter-malformed"),
        ("?name=", 400, "parameter-malformed"),
        ("?marking=TLP:BLUE", 400, "parameter-malformed"),
        ("?colour=red", 400, "parameter-unknown"),
    ]:
        response = author(node.aurora, RULE, query)
        codes = json.dumps(response.json())
        assert response.status_code == status, (query, response.text)
        assert code in codes or status == 422, (query, codes)
    refused(author(node.aurora, RULE.replace("tlp.green", "llm.x")), 422, "unmarked")
    refused(node.aurora.post("signatures/", RULE.encode()), 415, "unsupported-media-type")
    problem = refused(
        node.aurora.post("signatures/", b"title: x\nid: \xc3\xa9\xff", headers=YAML), 422, "pattern-encoding"
    )
    assert problem["detail"].startswith("Line 2, column 6: ")
    refused(author(node.nobody, RULE), 401, "not-authenticated")
    refused(author(RestClient(node.url, node.community.aurora.client_token), RULE), 403, "scope-missing")
    # Nothing of a conversation, whatever the field is called.
    quoted = RULE.replace(
        "llmx.prompt.template_family|startswith: 'extract_'", "gen_ai.input.messages|contains: 'tell'"
    )
    assert author(node.aurora, quoted).status_code == 422
    assert author(node.aurora, RULE, f"?description={quote('mail me at someone@lab.example')}").status_code == 422
    assert stored_versions() == before
