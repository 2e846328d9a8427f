"""Another exchange posts what it has: taken as if it had been pulled, with nothing said of what is here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from exchange.models import Collection, Lab, QuarantinedObject, StixObject, Version
from exchange.services.access import authenticate_token
from exchange.services.collections import find_collection, grant_access
from exchange.services.database import writing
from exchange.services.deletion import delete_object
from exchange.services.errors import AccessDeniedError, InvalidRequestError
from exchange.services.principals import OPERATOR
from exchange.services.publishing import publish_objects
from exchange.services.tokens import issue_token
from exchange.stix.markings import Tlp
from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerHandle, make_exchange, make_feed, pin_stranger, stranger
from tests.support.taxii import TAXII, TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Door:
    """The node as the exchange `harbour` posts to it, and a lab of there."""

    url: str
    token: str
    peer: PeerHandle
    community: Community
    dorado: LabHandle

    def post(self, *bodies: bytes, alias: str = "signatures", token: str = "") -> requests.Response:
        return requests.post(
            f"{self.url}/exchange/collections/{alias}/objects/",
            data=b'{"objects":[' + b",".join(bodies) + b"]}",
            headers={"Authorization": f"Bearer {token or self.token}", "Content-Type": TAXII, "Accept": TAXII},
            timeout=TIMEOUT_S,
        )


@pytest.fixture
def door(exchange_server: tuple[str, Community]) -> Door:
    url, community = exchange_server
    peer, dorado = make_exchange(community=True), pin_stranger(stranger())
    for alias in ("identities", "signatures"):
        collection = Collection.objects.get(alias=alias, api_root__slug="exchange")
        grant_access(actor=OPERATOR, collection=collection, lab=peer.peer.lab, can_read=True, can_write=True)
    token = issue_token(actor=OPERATOR, lab=peer.peer.lab, scopes=["read", "publish"]).secret
    made = Door(url, token, peer, community, dorado)
    assert made.post(dorado.keys.identity_bytes, alias="identities").status_code == 202
    dorado.lab.refresh_from_db()
    return made


def status_of(response: requests.Response) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    found: dict[str, Any] = response.json()
    return found


def test_what_a_lab_signed_is_taken_byte_for_byte_whoever_posts_it(door: Door) -> None:
    body = door.dorado.signed(door.dorado.indicator())
    status = status_of(door.post(body))
    assert (status["status"], status["success_count"]) == ("complete", 1)
    with writing():
        stored = Version.objects.get(object__stix_id=json.loads(body)["id"])
        assert bytes(stored.body) == body
        assert stored.origin_peer_id == door.peer.peer.pk
        assert stored.object.producer.slug == "dorado"
    assert status_of(door.post(body))["success_count"] == 1


def test_of_what_was_not_taken_the_sender_learns_nothing_and_operators_the_reason(door: Door) -> None:
    ours = door.community.aurora.indicator()
    assert door.community.aurora.publish(door.community.aurora.signed(ours))[0].error is None
    squatting = door.dorado.signed({**door.dorado.indicator(), "id": ours["id"]})
    forged = door.dorado.signed(door.dorado.indicator()).replace(b"indicator", b"indicators", 1)
    unknown = stranger("elsewhere")
    foreign = unknown.signed(unknown.indicator())
    strict = door.dorado.signed(door.dorado.indicator(Tlp.RED))
    good = door.dorado.signed(door.dorado.indicator())
    status = status_of(door.post(squatting, foreign, strict, good))
    assert (status["success_count"], status["failure_count"]) == (1, 3)
    assert {each["message"] for each in status["failures"]} == {
        "it was not taken; the operators of this exchange can say why [not-taken]"
    }
    reasons = set(QuarantinedObject.objects.values_list("reason", flat=True))
    assert reasons >= {"foreign-id", "label-red"}
    assert len(reasons) == 3
    refused = door.post(forged)
    assert refused.status_code == 422
    assert "foreign-id" not in refused.text


def test_a_note_that_is_posted_takes_back_what_came_from_there(door: Door) -> None:
    members = door.dorado.indicator()
    status_of(door.post(door.dorado.signed(members)))
    status_of(door.post(door.peer.note(members["id"], door.dorado.identity, "narrowed")))
    with writing():
        assert StixObject.objects.get(stix_id=members["id"]).newest_audience_id is None


def test_a_peer_publishes_nothing_of_its_own_and_deletes_nothing(door: Door) -> None:
    principal = authenticate_token(door.token, source_address="127.0.0.1")
    view = find_collection(principal, "signatures")
    body = door.dorado.signed(door.dorado.indicator())
    with pytest.raises(AccessDeniedError):
        publish_objects(principal=principal, bodies=[body], collection=view, door="test")
    with pytest.raises(AccessDeniedError):
        delete_object(principal=principal, stix_id=json.loads(body)["id"], collection=view)
    headers = {"Authorization": f"Bearer {door.token}", "Content-Type": "application/json"}
    assert (
        requests.post(f"{door.url}/api/v1/objects/", data=body, headers=headers, timeout=TIMEOUT_S).status_code == 403
    )
    assert not StixObject.objects.filter(stix_id=json.loads(body)["id"]).exists()


def test_rights_to_post_are_those_of_this_moment(door: Door) -> None:
    body = door.dorado.signed(door.dorado.indicator())
    reads = issue_token(actor=OPERATOR, lab=door.peer.peer.lab, scopes=["read"]).secret
    assert door.post(body, token=reads).status_code == 403
    feed = make_feed("gazette")
    with pytest.raises(InvalidRequestError, match="only reads"):
        issue_token(actor=OPERATOR, lab=feed.peer.lab, scopes=["read", "publish"])
    collection = Collection.objects.get(alias="signatures", api_root__slug="exchange")
    grant_access(actor=OPERATOR, collection=collection, lab=door.peer.peer.lab, can_read=True, can_write=False)
    assert door.post(body).status_code == 403
    grant_access(actor=OPERATOR, collection=collection, lab=door.peer.peer.lab, can_read=True, can_write=True)
    Lab.objects.filter(pk=door.peer.peer.lab_id).update(status="suspended")
    assert door.post(body).status_code == 401
