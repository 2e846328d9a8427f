"""POST /api/v1/objects/: every form of body, good and hostile."""

from __future__ import annotations

import gzip
import json
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from exchange.labtool.keygen import make_lab
from exchange.models import ApiRoot, Grant, IdempotentRequest, Version
from exchange.services.database import writing
from exchange.stix.canonical import canonicalize
from exchange.stix.markings import Tlp
from exchange.stix.signature import sign
from tests.support.rest import RestClient, RestNode


def stored_versions() -> int:
    with writing():
        return Version.objects.count()


def refused(response: requests.Response, status: int, code: str = "") -> dict[str, Any]:
    """The problem of a refusal."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "private, no-store"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["title"]
    if code:
        codes = {problem["type"].removeprefix("urn:commonwatch:problem:")}
        codes |= {error["code"] for error in problem.get("errors", [])}
        assert code in codes, problem
    return problem


def test_one_object_a_list_a_bundle_and_an_envelope_are_taken(node: RestNode) -> None:
    aurora = node.community.aurora

    def body() -> bytes:
        return aurora.signed(aurora.indicator())

    bundle = b'{"type":"bundle","id":"bundle--%s","objects":[%s]}' % (str(uuid.uuid4()).encode(), body())
    for posted in (body(), b"[" + body() + b"," + body() + b"]", bundle, b'{"objects":[' + body() + b"]}"):
        response = node.aurora.post("objects/", posted)
        assert response.status_code == 201, response.text
        assert response.headers["Content-Type"] == "application/json"
        for result in response.json()["results"]:
            assert result["status"] == "stored"
            assert result["log"] is None
            assert result["error"] is None
            assert result["warnings"] == []


def test_results_come_in_the_order_sent(node: RestNode) -> None:
    aurora = node.community.aurora
    members = [aurora.indicator(), aurora.indicator(label=None), aurora.indicator()]
    results = node.aurora.publish(*map(aurora.signed, members)).json()["results"]
    assert [result["id"] for result in results] == [each["id"] for each in members]
    assert [result["version"] for result in results] == [each["modified"] for each in members]
    assert [result["status"] for result in results] == ["stored", "failed", "stored"]
    assert results[1]["error"]["code"] == "unmarked"
    assert results[1]["error"]["pointer"] == "/object_marking_refs"


def test_an_object_goes_to_the_collection_of_its_type_or_to_the_one_named(node: RestNode) -> None:
    aurora = node.community.aurora
    by_type, named, address = aurora.indicator(), aurora.indicator(), aurora.address("198.51.100.7")
    assert node.aurora.publish(aurora.signed(by_type), aurora.signed(address)).status_code == 201
    assert node.aurora.publish(aurora.signed(named), query="?collection=feedback").status_code == 201
    homes = {entry["object"]["id"]: entry["collection"] for entry in node.borealis.get("objects/").json()["objects"]}
    assert homes[by_type["id"]] == "signatures"
    assert homes[address["id"]] == "attribution"
    assert homes[named["id"]] == "feedback"


def test_publishing_again_changes_nothing(node: RestNode) -> None:
    body = node.community.aurora.signed(node.community.aurora.indicator())
    assert node.aurora.publish(body).status_code == 201
    before = stored_versions()
    again = node.aurora.publish(body)
    assert again.status_code == 200
    assert again.json()["results"][0]["status"] == "exists"
    assert stored_versions() == before


def test_a_dry_run_checks_everything_and_stores_nothing(node: RestNode) -> None:
    aurora = node.community.aurora
    before = stored_versions()
    response = node.aurora.publish(aurora.signed(aurora.indicator()), query="?dry_run=true")
    assert response.status_code == 200
    assert response.json()["results"][0]["status"] == "valid"
    refused(node.aurora.publish(aurora.signed(aurora.indicator(label=None)), query="?dry_run=true"), 422, "unmarked")
    assert stored_versions() == before


def test_chunked_and_gzip_bodies_are_taken(node: RestNode) -> None:
    aurora = node.community.aurora
    body = aurora.signed(aurora.indicator())
    assert node.aurora.post("objects/", iter([body[:10], body[10:]])).status_code == 201
    other = gzip.compress(aurora.signed(aurora.indicator()))
    assert node.aurora.post("objects/", other, headers={"Content-Encoding": "gzip"}).status_code == 201


def test_a_version_that_waits_for_its_distribution_is_held(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    members = aurora.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    held = node.aurora.publish(aurora.signed(members))
    assert held.status_code == 201
    assert held.json()["results"][0]["status"] == "held"
    assert node.aurora.get(f"objects/{members['id']}/").status_code == 404
    assert node.aurora.publish(aurora.signed(marking)).status_code == 201
    assert node.borealis.get(f"objects/{members['id']}/").status_code == 200
    assert node.cobalt.get(f"objects/{members['id']}/").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"\xff", 400), (b"[NaN]", 400), (b'{"a":1,"a":2}', 400), (b"nonsense", 400),
        (b"{}", 422), (b"[]", 422), (b"1", 422), (b"[1]", 422), (b'{"objects":[]}', 422), (b'{"objects":1}', 422),
        (b'{"type":"bundle","objects":[]}', 422), (b"[" * 100_000, 400), (b"[{" * 50_000, 400),
        (b'{"type":"indicator","id":"\\ud800"}', 400), (b'[{"type":"x-unknown","id":"x-unknown--1"}]', 422),
        (b'{"type":"indicator","id":1e999}', 422), (b'{"id":123456789012345678901234567890}', 422),
    ],
)  # fmt: skip
def test_a_body_without_sound_objects_is_refused(node: RestNode, body: bytes, status: int) -> None:
    before = stored_versions()
    response = node.aurora.post("objects/", body)
    assert 400 <= response.status_code < 500
    refused(response, status)
    assert stored_versions() == before


def test_a_forged_signature_an_unsigned_object_and_an_unknown_key_are_refused(node: RestNode) -> None:
    aurora = node.community.aurora
    stranger = make_lab("Stranger", now=datetime.now(UTC))
    forged = {**json.loads(aurora.signed(aurora.indicator())), "name": "Another name"}
    before = stored_versions()
    problem = refused(node.aurora.post("objects/", canonicalize(forged)), 422, "signature-wrong")
    assert problem["type"] == "urn:commonwatch:problem:signature-wrong"
    assert problem["errors"][0]["index"] == 0
    assert problem["errors"][0]["id"] == forged["id"]
    assert problem["errors"][0]["pointer"].startswith("/extensions/")
    refused(node.aurora.post("objects/", canonicalize(aurora.indicator())), 422, "signature-missing")
    signed = sign(aurora.indicator(), stranger.signing, int(datetime.now(UTC).timestamp()))
    refused(node.aurora.post("objects/", canonicalize(signed)), 422, "signature-key-unknown")
    assert stored_versions() == before


def test_a_lab_publishes_nothing_of_another_lab(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    theirs = aurora.indicator()
    before = stored_versions()
    refused(node.borealis.publish(aurora.signed(theirs)), 403, "foreign-key")
    response = node.borealis.publish(borealis.signed(theirs))
    assert response.status_code in (403, 422)
    assert stored_versions() == before


def test_what_the_policy_or_the_agreement_forbids_is_refused_with_its_place(node: RestNode) -> None:
    aurora = node.community.aurora
    problem = refused(node.aurora.publish(aurora.signed(aurora.indicator(x_prompt="Write me a poem"))), 422)
    assert problem["errors"][0]["pointer"] == "/x_prompt"
    unmarked = aurora.signed(aurora.indicator(label=None))
    problem = refused(node.aurora.publish(unmarked, aurora.signed(aurora.indicator(x_a="b"))), 422, "objects-refused")
    assert [error["index"] for error in problem["errors"]] == [0, 1]


def test_conflicts_with_what_is_stored_are_409(node: RestNode) -> None:
    aurora = node.community.aurora
    first = aurora.indicator()
    assert node.aurora.publish(aurora.signed(first)).status_code == 201
    refused(node.aurora.publish(aurora.signed({**first, "name": "Another"})), 409, "version-conflict")
    revoked = aurora.next_version(first, revoked=True)
    assert node.aurora.publish(aurora.signed(revoked)).status_code == 201
    later = aurora.next_version(revoked, revoked=None)
    refused(node.aurora.publish(aurora.signed(later)), 409, "version-after-revocation")


def test_a_body_over_the_limit_is_refused_however_it_is_sent(node: RestNode) -> None:
    ApiRoot.objects.update(max_content_bytes=10_000)
    over = b"[" + b" " * 9_999 + b"]"
    refused(node.aurora.post("objects/", over), 413, "body-too-large")
    refused(node.aurora.post("objects/", iter([over])), 413)
    refused(node.aurora.post("objects/", gzip.compress(over), headers={"Content-Encoding": "gzip"}), 413)
    bomb = gzip.compress(b" " * 50_000_000)
    refused(node.aurora.post("objects/", bomb, headers={"Content-Encoding": "gzip"}), 413)


def test_an_object_over_its_own_limit_is_too_large(node: RestNode) -> None:
    aurora = node.community.aurora
    huge = canonicalize({**aurora.indicator(), "description": "x" * 5_000_000})
    refused(node.aurora.publish(huge), 413, "too-large")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_another_media_type_is_refused(node: RestNode, content_type: str | None) -> None:
    refused(node.aurora.post("objects/", b"{}", headers={"Content-Type": content_type}), 415)


def test_another_content_coding_is_refused(node: RestNode) -> None:
    response = node.aurora.post("objects/", b"{}", headers={"Content-Encoding": "br"})
    refused(response, 415)
    assert "gzip" in response.headers["Accept-Encoding"]


@pytest.mark.parametrize(
    "query", ["?dry_run=yes", "?dry_run=", "?dry_run=true&dry_run=true", "?dryrun=true", "?x=%00", "?x=" + "a" * 8000]
)
def test_a_malformed_query_is_refused(node: RestNode, query: str) -> None:
    refused(node.aurora.publish(query=query), 400)


def test_who_may_not_publish_is_told_so(node: RestNode) -> None:
    aurora, _, cobalt = node.community.labs
    body = aurora.signed(aurora.indicator())
    refused(RestClient(node.url, aurora.client_token).publish(body), 403, "scope-missing")
    refused(node.nobody.publish(body), 401)
    refused(node.aurora.publish(body, query="?collection=all"), 403)
    refused(node.aurora.publish(body, query="?collection=nothing"), 404)
    refused(node.aurora.publish(body, query="?sign=true"), 403, "scope-missing")
    Grant.objects.filter(lab=cobalt.lab, collection__alias="signatures").update(can_write=False)
    refused(node.cobalt.publish(cobalt.signed(cobalt.indicator())), 403, "not-writable")


def test_a_repeated_key_answers_again_and_does_nothing(node: RestNode) -> None:
    aurora = node.community.aurora
    body = aurora.signed(aurora.indicator())
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    first = node.aurora.publish(body, headers=headers)
    again = node.aurora.publish(body, headers=headers)
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert node.aurora.publish(body).status_code == 200


def test_a_key_belongs_to_one_request_of_one_lab(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    headers = {"Idempotency-Key": "a-key"}
    body = aurora.signed(aurora.indicator())
    assert node.aurora.publish(body, headers=headers).status_code == 201
    refused(node.aurora.publish(body, query="?dry_run=true", headers=headers), 422, "idempotency-key-reused")
    other = aurora.signed(aurora.indicator())
    refused(node.aurora.publish(other, headers=headers), 422, "idempotency-key-reused")
    theirs = borealis.signed(borealis.indicator())
    assert node.borealis.publish(theirs, headers=headers).status_code == 201


def test_a_refusal_is_kept_too_but_not_a_malformed_request(node: RestNode) -> None:
    aurora = node.community.aurora
    unmarked, headers = aurora.signed(aurora.indicator(label=None)), {"Idempotency-Key": "refused"}
    first, again = (node.aurora.publish(unmarked, headers=headers) for _ in range(2))
    assert first.content == again.content
    refused(again, 422, "unmarked")
    headers = {"Idempotency-Key": "malformed"}
    refused(node.aurora.post("objects/", b"{", headers=headers), 400)
    assert node.aurora.publish(aurora.signed(aurora.indicator()), headers=headers).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "with space"])
def test_a_key_of_another_form_is_refused(node: RestNode, key: str) -> None:
    body = node.community.aurora.signed(node.community.aurora.indicator())
    refused(node.aurora.publish(body, headers={"Idempotency-Key": key}), 400, "idempotency-key")


def test_a_key_whose_request_is_at_work_is_a_conflict(node: RestNode) -> None:
    aurora = node.community.aurora
    body, headers = aurora.signed(aurora.indicator()), {"Idempotency-Key": "at-work"}
    assert node.aurora.publish(body, headers=headers).status_code == 201
    IdempotentRequest.objects.update(status=None, body=None)
    refused(node.aurora.publish(body, headers=headers), 409, "request-in-progress")
    IdempotentRequest.objects.update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert node.aurora.publish(body, headers=headers).status_code == 200


def test_of_identical_requests_at_once_none_fails_and_one_stores(node: RestNode) -> None:
    aurora = node.community.aurora
    body = aurora.signed(aurora.indicator())
    answers: list[requests.Response] = []

    def publish() -> None:
        client = RestClient(node.url, aurora.token)
        answers.append(client.publish(body))

    threads = [threading.Thread(target=publish) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]


def test_an_endless_body_is_answered_while_it_still_comes(node: RestNode) -> None:
    ApiRoot.objects.update(max_content_bytes=10_000)
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        for number in range(2_000):
            sent.append(number)
            yield b" " * 65_536

    try:
        status = node.aurora.post("objects/", endless()).status_code
    except requests.ConnectionError:
        # The node answered and closed while the body was on its way; then a client may not see the answer.
        status = 413
    assert status == 413
    assert len(sent) < 2_000
