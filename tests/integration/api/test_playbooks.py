"""POST /api/v1/playbooks/, and the bytes and the chart of what was published, through the real door."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import requests

from exchange.models import Version
from exchange.services.database import writing
from exchange.services.held_keys import create_exchange_key
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token
from exchange.stix.extension_ids import COA_PLAYBOOK_EXTENSION
from exchange.stix.fixed import SIGNATURE_EXTENSION
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from signatures.cacao import sign_playbook
from signatures.samples.playbooks import playbook_bytes
from tests.integration.services.chains import next_identity
from tests.integration.services.views import seconds_now
from tests.support.forms import assert_form
from tests.support.rest import RestClient, RestNode

ATTACK = "attack-pattern--3f567912-629a-5e0b-ab0c-0102977c2d6c"
AMBER = b"55d920b0-5e8b-4f79-9ee9-91f868d9b421"
Playbook = dict[str, Any]


def sample() -> Playbook:
    book: Playbook = json.loads(playbook_bytes("rate_limits"))
    return book


def as_sent(book: Playbook) -> bytes:
    """Bytes that no writer of ours would write: they have to come back as they are."""
    return json.dumps(book, indent=3, separators=(" ,", " : ")).encode() + b"\n\n"


def stored_versions() -> int:
    with writing():
        return Version.objects.count()


def refused(response: requests.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    codes = {problem["type"].removeprefix("urn:commonwatch:problem:")}
    codes |= {error["code"] for error in problem.get("errors", [])}
    assert code in codes, problem
    return problem


def publish_signed(node: RestNode, raw: bytes, query: str = "") -> str:
    """Have the node make the objects, sign them as aurora does, publish them; the id of the course-of-action."""
    aurora = node.community.aurora
    drafts = node.aurora.post(f"playbooks/{query}", raw).json()["objects"]
    published = node.aurora.publish(*(aurora.signed(draft) for draft in drafts))
    assert published.status_code == 201, published.text
    assert [result["status"] for result in published.json()["results"]] == ["stored"] * len(drafts)
    return str(drafts[0]["id"])


def test_a_lab_that_signs_itself_gets_drafts_and_everybody_who_may_read_gets_the_exact_bytes(node: RestNode) -> None:
    raw, before = as_sent(sample()), stored_versions()
    answer = node.aurora.post(f"playbooks/?marking=TLP:GREEN&mitigates={ATTACK}", raw)
    assert answer.status_code == 200, answer.text
    assert_form(answer.json(), "PlaybookAnswer")
    assert stored_versions() == before
    course, relationship = answer.json()["objects"]
    assert [result["status"] for result in answer.json()["results"]] == ["valid", "valid"]
    extension = course["extensions"][COA_PLAYBOOK_EXTENSION]
    assert base64.b64decode(extension["playbook_bin"]) == raw
    assert extension["playbook_creator"] == sample()["created_by"]
    assert course["created_by_ref"] == node.community.aurora.identity
    assert course["object_marking_refs"] == [Tlp.GREEN.marking_id]
    assert (relationship["relationship_type"], relationship["target_ref"]) == ("mitigates", ATTACK)
    # The same playbook makes the same objects again.
    again = node.aurora.post(f"playbooks/?marking=TLP:GREEN&mitigates={ATTACK}", raw)
    assert again.json()["objects"] == answer.json()["objects"]

    stix_id = publish_signed(node, raw, f"?marking=TLP:GREEN&mitigates={ATTACK}")
    for reader in (node.aurora, node.borealis):
        got = reader.get(f"playbooks/{stix_id}/")
        assert got.status_code == 200
        assert got.content == raw
        assert got.headers["Content-Type"] == "application/json"
        tagged = reader.get(f"playbooks/{stix_id}/", headers={"If-None-Match": got.headers["ETag"]})
        assert (tagged.status_code, tagged.content) == (304, b"")
    assert node.nobody.get(f"playbooks/{stix_id}/").status_code == 401
    found = node.borealis.get("objects/?q=halve").json()["objects"]
    assert [entry["object"]["id"] for entry in found] == [stix_id]


def test_the_chart_is_an_svg_that_can_do_nothing(node: RestNode) -> None:
    stix_id = publish_signed(node, as_sent(sample()))
    chart = node.borealis.get(f"playbooks/{stix_id}/chart.svg", headers={"Accept": "image/svg+xml"})
    assert chart.status_code == 200
    assert chart.headers["Content-Type"].startswith("image/svg+xml")
    assert "default-src 'none'" in chart.headers["Content-Security-Policy"]
    assert chart.headers["X-Content-Type-Options"] == "nosniff"
    assert "ETag" in chart.headers
    root = ElementTree.fromstring(chart.content)  # noqa: S314 - of our own making
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    refused(node.nobody.get(f"playbooks/{stix_id}/chart.svg"), 401, "not-authenticated")
    refused(node.borealis.get(f"playbooks/{ATTACK}/chart.svg"), 404, "object-not-found")
    indicator = node.community.aurora.indicator()
    node.aurora.publish(node.community.aurora.signed(indicator))
    refused(node.aurora.get(f"playbooks/{indicator['id']}/"), 404, "playbook-not-found")


def test_the_sharing_rule_holds_for_playbooks_and_their_charts(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    aurora.publish(aurora.signed(marking))
    query = f"?marking=TLP:AMBER&distribution={marking['id']}"
    stix_id = publish_signed(node, as_sent(sample()), query)
    assert node.borealis.get(f"playbooks/{stix_id}/").status_code == 200
    absent = node.cobalt.get(f"playbooks/{stix_id}/")
    assert absent.status_code == 404
    assert absent.content == node.cobalt.get(f"playbooks/{ATTACK}/").content
    assert node.cobalt.get(f"playbooks/{stix_id}/chart.svg").status_code == 404


def test_an_object_counts_as_strict_as_the_playbook_that_it_carries(node: RestNode) -> None:
    amber = playbook_bytes("rate_limits").replace(b"bab4a63c-aed9-4cf5-a766-dfca5abac2bb", AMBER)
    amber = amber.replace(b'"TLP:GREEN"', b'"TLP:AMBER"')
    answer = node.aurora.post("playbooks/?marking=TLP:GREEN", amber).json()
    assert "stricter-payload" in {warning["code"] for warning in answer["results"][0]["warnings"]}
    assert answer["playbook"]["label"] == "TLP:AMBER"
    aurora = node.community.aurora
    node.aurora.publish(aurora.signed(answer["objects"][0]))
    (entry,) = node.aurora.get(f"objects/{answer['objects'][0]['id']}/").json()["objects"]
    assert entry["label"] == "TLP:AMBER"


def test_the_node_signs_and_publishes_for_a_lab_whose_key_it_holds(node: RestNode) -> None:
    lab = node.community.borealis
    key = create_exchange_key(actor=OPERATOR, lab=lab.lab)
    named = key.public(nbf=seconds_now() - 1, custody="exchange")
    assert lab.publish(next_identity(lab, add=[named], signers=[lab.keys.root, key]))[0].error is None
    bounds = {
        "collections": ["playbooks"], "highest_label": "TLP:GREEN", "networks": ["127.0.0.0/8"], "daily_quota": 9,
    }  # fmt: skip
    secret = issue_token(actor=OPERATOR, lab=lab.lab, scopes=["publish", "sign", "read"], bounds=bounds).secret
    signer, raw, before = RestClient(node.url, secret), as_sent(sample()), stored_versions()

    tried = signer.post(f"playbooks/?sign=true&dry_run=true&mitigates={ATTACK}", raw)
    assert (tried.status_code, stored_versions()) == (200, before)
    refused(signer.post("playbooks/?sign=true&marking=TLP:AMBER", raw), 422, "label-above-bound")
    assert stored_versions() == before
    key_header = {"Idempotency-Key": "one-playbook"}
    answer = signer.post(f"playbooks/?sign=true&mitigates={ATTACK}", raw, headers=key_header)
    assert answer.status_code == 201, answer.text
    assert_form(answer.json(), "PlaybookAnswer")
    assert [result["status"] for result in answer.json()["results"]] == ["stored", "stored"]
    for made in answer.json()["objects"]:
        assert SIGNATURE_EXTENSION in made["extensions"]
    assert stored_versions() == before + 2
    assert signer.post(f"playbooks/?sign=true&mitigates={ATTACK}", raw, headers=key_header).content == answer.content
    refused(signer.post("playbooks/?sign=true", raw, headers=key_header), 422, "idempotency-key-reused")
    stix_id = answer.json()["objects"][0]["id"]
    assert node.aurora.get(f"playbooks/{stix_id}/").content == raw
    assert signer.post(f"playbooks/?sign=true&mitigates={ATTACK}", raw).status_code == 200


def test_a_signature_of_the_playbook_itself_is_told_and_is_no_new_version_of_it(node: RestNode) -> None:
    stix_id = publish_signed(node, as_sent(sample()))
    key = SigningKey.generate("sig")
    book = sign_playbook(sample(), key, signee="Lab A", at="2026-11-10T00:00:00.000Z")
    query = "?modified=2026-11-10T00:00:00.000Z"
    answer = node.aurora.post(f"playbooks/{query}", as_sent(book)).json()
    (signature,) = answer["playbook"]["signatures"]
    assert (signature["standing"], signature["key_thumbprint"]) == ("valid", key.kid)
    assert publish_signed(node, as_sent(book), query) == stix_id
    assert node.borealis.get(f"playbooks/{stix_id}/").content == as_sent(book)
    book["name"] = "Changed after signing"
    problem = refused(node.aurora.post("playbooks/", as_sent(book)), 422, "jss-invalid")
    assert problem["pointer"] == "/signatures/0/value"


def without_approval(book: Playbook) -> None:
    step = next(each for each in book["workflow"].values() if "Tell the customer" in each.get("name", ""))
    step["commands"][0] = {"type": "manual", "command": "Revoke the keys", "playbook_activity": "eliminate-risk"}


def dangling(book: Playbook) -> None:
    next(iter(book["workflow"].values()))["on_completion"] = "end--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a99"


def rubbish(book: Playbook) -> None:
    for step in book["workflow"].values():
        for command in step.get("commands", ()):
            if "command_b64" in command:
                command["command_b64"] = "%%%"


def test_what_is_no_valid_and_safe_playbook_is_refused_with_its_place_and_nothing_is_stored(node: RestNode) -> None:
    before = stored_versions()
    changes: list[tuple[Callable[[Playbook], Any], str, str]] = [
        (without_approval, "unsafe-irreversible-without-approval", "/workflow/action--"),
        (dangling, "cacao-unknown-step", "/workflow/start--"),
        (rubbish, "cacao-base64", "/workflow/action--"),
        (lambda book: book.pop("agent_definitions"), "cacao-unknown-party", "/workflow/action--"),
        (lambda book: book["workflow"].clear(), "cacao-workflow", "/workflow"),
    ]
    for change, code, place in changes:
        book = sample()
        change(book)
        problem = refused(node.aurora.post("playbooks/", as_sent(book)), 422, code)
        assert problem["pointer"].startswith(place)
    bodies = [
        (b"", 400, "syntax"),
        (b"[]", 400, "not-an-object"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400, "too-deep"),
        (b'{"type":"playbook","type":"playbook"}', 400, "duplicate-name"),
        (b'{"type":"playbook"}', 422, "cacao-required"),
        (b" " * (1024 * 1024 + 1), 413, "body-too-large"),
    ]
    for raw, status, code in bodies:
        refused(node.aurora.post("playbooks/", raw), status, code)
    assert stored_versions() == before


MALFORMED = [
    "marking=pink", "marking=", "mitigates=indicator--1", f"mitigates={ATTACK},{ATTACK}", "abstraction=idea",
    "modified=yesterday", "collection=playbooks", "sign=maybe", "distribution=all",
]  # fmt: skip


def test_who_may_not_publish_playbooks_or_asks_badly_is_told_so(node: RestNode) -> None:
    raw = playbook_bytes("rate_limits")
    for query in MALFORMED:
        assert node.aurora.post(f"playbooks/?{query}", raw).status_code == 400, query
    refused(node.nobody.post("playbooks/", raw), 401, "not-authenticated")
    refused(RestClient(node.url, node.community.aurora.client_token).post("playbooks/", raw), 403, "scope-missing")
    refused(node.aurora.post("playbooks/?sign=true", raw), 403, "scope-missing")
    refused(node.aurora.post("playbooks/", raw, headers={"Content-Type": "text/plain"}), 415, "unsupported-media-type")


def test_a_relationship_that_is_refused_leaves_the_course_of_action_out_too(node: RestNode) -> None:
    aurora = node.community.aurora
    target = aurora.indicator(Tlp.AMBER)
    node.aurora.publish(aurora.signed(target))
    before = stored_versions()
    problem = refused(
        node.aurora.post(f"playbooks/?mitigates={target['id']}", as_sent(sample())), 422, "looser-than-reference"
    )
    assert [error["index"] for error in problem["errors"]] == [1]
    assert stored_versions() == before


def test_an_unsafe_playbook_is_refused_by_the_door_for_objects_too(node: RestNode) -> None:
    book = sample()
    draft = node.aurora.post("playbooks/", as_sent(book)).json()["objects"][0]
    without_approval(book)
    extension = draft["extensions"][COA_PLAYBOOK_EXTENSION]
    extension["playbook_bin"] = base64.b64encode(as_sent(book)).decode()
    aurora = node.community.aurora
    problem = refused(
        node.aurora.publish(aurora.signed(draft), query="?dry_run=true"), 422, "unsafe-irreversible-without-approval"
    )
    assert "Place in the playbook: /workflow/action--" in problem["errors"][0]["detail"]
    # A producer may revoke whatever it published, safe or not.
    revoked = node.aurora.publish(aurora.signed(draft | {"revoked": True}), query="?dry_run=true")
    assert revoked.json()["results"][0]["status"] == "valid"
    codes = {warning["code"] for warning in revoked.json()["results"][0]["warnings"]}
    assert "unsafe-irreversible-without-approval" in codes
