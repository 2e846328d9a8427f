"""POST objects and status (TAXII 2.1 sections 4.3 and 5.5), with good and with hostile bodies."""

from __future__ import annotations

import base64
import gzip
import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from exchange.labtool.keygen import make_lab
from exchange.models import ApiRoot, Grant, Version
from exchange.services.database import writing
from exchange.stix.canonical import canonicalize
from exchange.stix.fixed import SIGNATURE_EXTENSION
from exchange.stix.markings import Tlp
from exchange.stix.signature import sign
from tests.support.taxii import TAXII, Node, TaxiiClient

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def stored_versions() -> int:
    with writing():
        return Version.objects.count()


def assert_agrees(status: dict[str, Any]) -> None:
    """The identities of section 4.3.1."""
    total = 0
    for name, listed in (("success", "successes"), ("failure", "failures"), ("pending", "pendings")):
        assert len(status.get(listed, [])) == status[f"{name}_count"]
        assert status.get(listed) != []
        total += status[f"{name}_count"]
    assert status["total_count"] == total
    for detail in status.get("successes", []) + status.get("failures", []):
        assert detail["id"]
        assert detail["version"]


def refused(response: requests.Response, status: int, code: str = "") -> dict[str, Any]:
    """The error resource of a refusal; nothing of what was posted is stored."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == TAXII
    resource: dict[str, Any] = response.json()
    assert resource["http_status"] == str(status)
    assert resource["title"]
    if code:
        codes = {resource["error_code"]}
        codes |= {failure["error_code"] for failure in resource.get("details", {}).get("failures", [])}
        assert code in codes, resource
    return resource


def test_a_posted_envelope_is_accepted_and_its_status_can_be_read(node: Node) -> None:
    aurora = node.community.aurora
    members = [aurora.indicator() for _ in range(3)]
    response = node.aurora.post(*map(aurora.signed, members))
    assert response.status_code == 202, response.text
    status = response.json()
    assert_agrees(status)
    assert status["status"] == "complete"
    assert status["success_count"] == 3
    assert uuid.UUID(status["id"]).version == 4
    assert DATE.fullmatch(status["request_timestamp"])
    assert [each["id"] for each in status["successes"]] == [each["id"] for each in members]
    assert [each["version"] for each in status["successes"]] == [each["modified"] for each in members]
    path = f"/exchange/status/{status['id']}/"
    assert node.aurora.get(path).json() == status
    assert node.borealis.get(path).status_code == 404
    assert node.nobody.get(path).status_code == 401


def test_posting_again_is_no_failure_and_changes_nothing(node: Node) -> None:
    body = node.community.aurora.signed(node.community.aurora.indicator())
    assert node.aurora.post(body).json()["success_count"] == 1
    before = node.borealis.objects().content
    again = node.aurora.post(body).json()
    assert again["success_count"] == 1
    assert again["failure_count"] == 0
    assert node.borealis.objects().content == before


def test_good_objects_of_a_mixed_envelope_are_stored_and_bad_ones_named(node: Node) -> None:
    aurora = node.community.aurora
    good, bad = aurora.indicator(), aurora.indicator(label=None)
    response = node.aurora.post(aurora.signed(good), aurora.signed(bad))
    assert response.status_code == 202
    status = response.json()
    assert_agrees(status)
    assert [each["id"] for each in status["successes"]] == [good["id"]]
    assert [each["id"] for each in status["failures"]] == [bad["id"]]
    assert "unmarked" in status["failures"][0]["message"]


def test_a_bundle_is_taken_as_an_envelope(node: Node) -> None:
    aurora = node.community.aurora
    body = b'{"type":"bundle","id":"bundle--%s","objects":[%s]}' % (
        str(uuid.uuid4()).encode(),
        aurora.signed(aurora.indicator()),
    )
    assert node.aurora.post(data=body).status_code == 202


def test_chunked_and_gzip_bodies_are_taken(node: Node) -> None:
    aurora = node.community.aurora

    def chunks() -> Iterator[bytes]:
        yield b'{"objects":['
        yield aurora.signed(aurora.indicator())
        yield b"]}"

    assert node.aurora.post(data=chunks()).status_code == 202
    body = gzip.compress(b'{"objects":[' + aurora.signed(aurora.indicator()) + b"]}")
    assert node.aurora.post(data=body, headers={"Content-Encoding": "gzip"}).status_code == 202


def test_an_object_stays_where_it_was_posted_whatever_its_type(node: Node) -> None:
    aurora = node.community.aurora
    members = aurora.indicator()
    assert node.aurora.post(aurora.signed(members), collection="attribution").status_code == 202
    query = f"match[id]={members['id']}"
    assert node.borealis.objects("attribution", query=query).json()["objects"][0]["id"] == members["id"]
    assert node.borealis.objects("signatures", query=query).content == b"{}"


@pytest.mark.parametrize("content_type", ["application/json", "application/taxii+json;version=2.0", "text/plain", None])
def test_another_content_type_is_refused(node: Node, content_type: str | None) -> None:
    body = node.community.aurora.signed(node.community.aurora.indicator())
    refused(node.aurora.post(body, headers={"Content-Type": content_type}), 415)


@pytest.mark.parametrize("content_type", ["application/taxii+json", 'application/taxii+json; version="2.1"'])
def test_the_version_of_the_content_type_may_be_left_out(node: Node, content_type: str) -> None:
    body = node.community.aurora.signed(node.community.aurora.indicator())
    assert node.aurora.post(body, headers={"Content-Type": content_type}).status_code == 202


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b'{"objects":[{"id":NaN}]}', 400),
        (b'{"objects":[],"objects":[]}', 400),
        (b"[" * 100_000, 422),
        (b"[]", 422),
        (b"1", 422),
        (b"{}", 422),
        (b'{"objects":[]}', 422),
        (b'{"objects":{}}', 422),
        (b'{"objects":[1]}', 422),
        (b'{"objects":[{"type":"indicator"}]}', 422),
        (b'{"objects":[{"id":7}]}', 422),
        (b'{"type":"indicator","id":"indicator--6b0f0a34-5a3e-4c9e-9c0e-3f0d6a9d7f11"}', 422),
        (b'{"objects":[{"id":"x","id":"x"}]}', 422),
        (b'{"objects":[{"id":"\\ud800"}]}', 400),
        (b'{"objects":[' + b'{"id":"x","a":' * 200 + b"1" + b"}" * 200 + b"]}", 422),
    ],
)
def test_a_body_that_is_no_envelope_of_objects_is_refused(node: Node, body: bytes, status: int) -> None:
    before = stored_versions()
    refused(node.aurora.post(data=body), status)
    assert stored_versions() == before


def test_a_body_over_the_limit_is_refused_however_it_is_sent(node: Node) -> None:
    ApiRoot.objects.update(max_content_bytes=10_000)
    just = b'{"objects":[],"x_padding":"' + b"x" * (10_000 - 29) + b'"}'
    assert len(just) == 10_000
    refused(node.aurora.post(data=just), 422)
    over = just[:-2] + b'x"}'
    refused(node.aurora.post(data=over), 413)
    refused(node.aurora.post(data=iter([over])), 413)
    refused(node.aurora.post(data=gzip.compress(over), headers={"Content-Encoding": "gzip"}), 413)
    refused(node.aurora.post(data=gzip.compress(b"\0" * 50_000_000), headers={"Content-Encoding": "gzip"}), 413)


def test_a_large_body_over_the_limit_is_answered_while_it_still_comes(node: Node) -> None:
    ApiRoot.objects.update(max_content_bytes=10_000)
    sent = []

    def endless() -> Iterator[bytes]:
        for number in range(2_000):
            sent.append(number)
            yield b"x" * 65_536

    try:
        status = node.aurora.post(data=endless()).status_code
    except requests.ConnectionError:
        # The node answered and closed while the body was on its way; then a client may not see the answer.
        status = 413
    assert status == 413
    assert len(sent) < 2_000


def test_other_content_codings_are_refused(node: Node) -> None:
    response = node.aurora.post(data=b"{}", headers={"Content-Encoding": "br"})
    refused(response, 415)
    assert "gzip" in response.headers["Accept-Encoding"]


def test_a_forged_signature_is_refused(node: Node) -> None:
    aurora = node.community.aurora
    members = json.loads(aurora.signed(aurora.indicator()))
    forged = {**members, "name": "Another name"}
    before = stored_versions()
    resource = refused(node.aurora.post(canonicalize(forged)), 422, "signature-wrong")
    assert resource["details"]["failures"][0]["pointer"].startswith("/objects/0")
    flipped = json.loads(json.dumps(members))
    entry = flipped["extensions"][SIGNATURE_EXTENSION]["signatures"][0]
    signature = bytearray(base64.urlsafe_b64decode(entry["signature"] + "=="))
    signature[0] ^= 1
    entry["signature"] = base64.urlsafe_b64encode(bytes(signature)).decode().rstrip("=")
    refused(node.aurora.post(canonicalize(flipped)), 422, "signature-wrong")
    assert stored_versions() == before


def test_an_unsigned_object_and_one_under_an_unknown_key_are_refused(node: Node) -> None:
    aurora = node.community.aurora
    stranger = make_lab("Stranger", now=datetime.now(UTC))
    signed = canonicalize(sign(aurora.indicator(), stranger.signing, int(datetime.now(UTC).timestamp())))
    before = stored_versions()
    refused(node.aurora.post(canonicalize(aurora.indicator())), 422, "signature-missing")
    refused(node.aurora.post(signed), 422, "signature-key-unknown")
    assert stored_versions() == before


def test_a_lab_publishes_nothing_of_another_lab(node: Node) -> None:
    """Its object posted by a reader, its id under another signature, its name as creator."""
    aurora, borealis, _ = node.community.labs
    theirs = aurora.indicator()
    before = stored_versions()
    refused(node.borealis.post(aurora.signed(theirs)), 422, "foreign-key")
    refused(node.borealis.post(borealis.signed(theirs)), 422)
    assert stored_versions() == before


def test_another_labs_id_gives_no_way_into_its_objects(node: Node) -> None:
    """The key of an object is (producer, id): what another lab signs under an id never becomes a version of it."""
    aurora, borealis, _ = node.community.labs
    theirs = aurora.indicator()
    body = aurora.signed(theirs)
    assert node.aurora.post(body).status_code == 202
    node.borealis.post(borealis.signed({**theirs, "created_by_ref": borealis.identity, "revoked": True}))
    found = node.cobalt.objects(query=f"match[id]={theirs['id']}").json()["objects"]
    assert [each for each in found if each["created_by_ref"] == aurora.identity] == [json.loads(body)]


def test_what_the_policy_or_the_agreement_forbids_is_refused_with_its_place(node: Node) -> None:
    aurora = node.community.aurora
    before = stored_versions()
    resource = refused(node.aurora.post(aurora.signed(aurora.indicator(label=None))), 422, "unmarked")
    assert resource["details"]["failures"][0]["pointer"] == "/objects/0/object_marking_refs"
    unknown = aurora.indicator(x_prompt="Write me a poem")
    resource = refused(node.aurora.post(aurora.signed(unknown)), 422)
    assert resource["details"]["failures"][0]["pointer"] == "/objects/0/x_prompt"
    assert stored_versions() == before


def test_a_recipient_cannot_narrow_or_widen_with_another_labs_distribution(node: Node) -> None:
    aurora, borealis, cobalt = node.community.labs
    marking = aurora.distribution(borealis.identity, cobalt.identity)
    assert node.aurora.post(aurora.signed(marking), collection="identities").status_code == 202
    members = borealis.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    refused(node.borealis.post(borealis.signed(members)), 422, "foreign-marking")


def test_a_version_after_a_revocation_and_another_payload_are_conflicts(node: Node) -> None:
    aurora = node.community.aurora
    first = aurora.indicator()
    assert node.aurora.post(aurora.signed(first)).status_code == 202
    refused(node.aurora.post(aurora.signed({**first, "name": "Another"})), 422, "version-conflict")
    revoked = aurora.next_version(first, revoked=True)
    assert node.aurora.post(aurora.signed(revoked)).status_code == 202
    refused(
        node.aurora.post(aurora.signed(aurora.next_version(revoked, revoked=None))), 422, "version-after-revocation"
    )


def test_who_may_not_write_is_told_so_without_learning_more(node: Node) -> None:
    aurora, _, cobalt = node.community.labs
    body = aurora.signed(aurora.indicator())
    assert TaxiiClient(node.url, aurora.client_token).post(body).status_code == 403
    assert node.aurora.post(body, collection="all").status_code == 403
    assert node.aurora.post(body, collection="nothing").status_code == 404
    assert node.nobody.post(body).status_code == 401
    Grant.objects.filter(lab=cobalt.lab, collection__alias="signatures").update(can_write=False)
    own = cobalt.signed(cobalt.indicator())
    assert node.cobalt.post(own).status_code == 403
    Grant.objects.filter(lab=cobalt.lab, collection__alias="signatures").delete()
    assert node.cobalt.post(own).status_code == 404
