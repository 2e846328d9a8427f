"""Onward sharing through the real door: borealis asks aurora that cobalt, or its own clients, may see an object."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import requests
from django.db import ProgrammingError

from attribution.models import OnwardRequest
from attribution.models.onward import OPEN_FOR
from attribution.onward import expire_requests
from attribution.onward.asking import MAX_ASKED
from attribution.onward.parties import seeing_as
from attribution.tasks import expire_onward_requests
from exchange.models import AuditEvent, Lab
from exchange.services.database import writing
from exchange.services.held_keys import create_exchange_key
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token
from exchange.stix.extension_ids import SIGNATURE_EXTENSION
from exchange.stix.fixed import DISTRIBUTION_EXTENSION
from exchange.stix.markings import Tlp
from tests.integration.services.chains import next_identity
from tests.integration.services.views import seconds_now
from tests.support.forms import assert_form
from tests.support.labs import LabHandle
from tests.support.rest import RestClient, RestNode

Members = dict[str, Any]

REASON = "The same relays serve accounts of both labs."


def narrowed(lab: LabHandle, *recipients: str, label: Tlp = Tlp.AMBER) -> Members:
    """An object for these recipients alone, published."""
    marking = lab.distribution(*recipients)
    members = lab.indicator(label, object_marking_refs=[label.marking_id, marking["id"]])
    outcomes = lab.publish(lab.signed(marking), lab.signed(members))
    assert [outcome.error for outcome in outcomes] == [None, None]
    return members


def ask(client: RestClient, members: Members | str, for_whom: str = "cobalt", **changes: Any) -> requests.Response:
    stix_id = members if isinstance(members, str) else members["id"]
    return client.post("onward/", orjson.dumps({"object": stix_id, "for": for_whom, "reason": REASON, **changes}))


def asked(client: RestClient, members: Members, for_whom: str = "cobalt") -> Members:
    answer = ask(client, members, for_whom)
    assert answer.status_code == 201, answer.text
    assert_form(answer.json(), "OnwardAnswer")
    request: Members = answer.json()["request"]
    return request


def decide(
    client: RestClient, request: Members, decision: str = "grant", query: str = "", reason: str = "Agreed."
) -> Any:
    body = orjson.dumps({"decision": decision, "reason": reason})
    return client.post(f"onward/{request['id']}/decision/{query}", body)


def refused(response: requests.Response, status: int, code: str) -> Members:
    assert response.status_code == status, response.text
    problem: Members = response.json()
    assert problem["type"].removeprefix("urn:commonwatch:problem:") == code, problem
    return problem


def listed(client: RestClient, query: str = "") -> list[Members]:
    answer = client.get(f"onward/{query}")
    assert answer.status_code == 200, answer.text
    assert_form(answer.json(), "OnwardPage")
    found: list[Members] = answer.json()["requests"]
    return found


def publish_drafts(node: RestNode, drafts: list[Members]) -> None:
    answer = node.aurora.publish(*(node.community.aurora.signed(draft) for draft in drafts))
    assert [each["status"] for each in answer.json()["results"]] == ["stored"] * len(drafts), answer.text


def audit_of(request: Members) -> list[str]:
    events = AuditEvent.objects.filter(detail__request=request["id"]).order_by("id")
    assert all(REASON not in str(event.detail) and "Agreed" not in str(event.detail) for event in events)
    return [event.action for event in events]


def clients_of(lab: LabHandle, node: RestNode) -> RestClient:
    return RestClient(node.url, lab.client_token)


@pytest.fixture
def shared(node: RestNode) -> Members:
    """An AMBER object of aurora's for borealis alone."""
    return narrowed(node.community.aurora, node.community.borealis.identity)


def test_a_grant_of_a_lab_that_signs_itself_is_a_version_that_it_signs(node: RestNode, shared: Members) -> None:
    _, borealis, cobalt = node.community.labs
    request = asked(node.borealis, shared)
    assert (request["state"], request["producer"], request["asked_by"], request["for"]) == (
        "asked", "aurora", "borealis", "cobalt",
    )  # fmt: skip
    assert request["version"] == shared["modified"]
    assert listed(node.aurora, "?role=received&state=asked") == [request] == listed(node.borealis, "?role=asked")
    assert node.cobalt.get(f"objects/{shared['id']}/").status_code == 404

    answer = decide(node.aurora, request)
    assert answer.status_code == 200, answer.text
    assert_form(answer.json(), "OnwardDecided")
    marking, draft = answer.json()["objects"]
    recipients = [borealis.identity, cobalt.identity]
    assert marking["extensions"][DISTRIBUTION_EXTENSION]["recipients"] == recipients
    assert draft["object_marking_refs"] == [Tlp.AMBER.marking_id, marking["id"]]
    assert {**draft, "modified": "", "object_marking_refs": []} == {**shared, "modified": "", "object_marking_refs": []}
    assert answer.json()["grant"]["replaces"] == shared["modified"] < draft["modified"]
    # Nobody sees more until the version is there, and the request waits for it.
    assert node.cobalt.get(f"objects/{shared['id']}/").status_code == 404
    waiting = listed(node.borealis)[0]
    assert (waiting["state"], waiting["decision"], waiting["decision_reason"]) == ("asked", "grant", "Agreed.")

    publish_drafts(node, [marking, draft])
    for client in (node.cobalt, node.borealis, clients_of(cobalt, node)):
        assert client.get(f"objects/{shared['id']}/").json()["objects"][0]["version"] == draft["modified"]
    granted = listed(node.borealis, "?state=granted")[0]
    assert granted["granting_version"] == draft["modified"]
    assert audit_of(request) == ["onward-asked", "onward-grant-decided", "onward-granted"]
    refused(decide(node.aurora, request), 409, "onward-settled")
    assert ask(node.borealis, shared).json() == {"outcome": "in-audience", "request": None}


def test_a_grant_of_a_lab_whose_key_the_node_holds_is_published_at_once(node: RestNode) -> None:
    aurora, borealis, cobalt = node.community.labs
    key = create_exchange_key(actor=OPERATOR, lab=aurora.lab)
    named = key.public(nbf=seconds_now() - 1, custody="exchange")
    assert aurora.publish(next_identity(aurora, add=[named], signers=[aurora.keys.root, key]))[0].error is None
    bounds = {
        "collections": ["signatures", "identities"], "highest_label": "TLP:AMBER+STRICT",
        "networks": ["127.0.0.0/8"], "daily_quota": 9,
    }  # fmt: skip
    secret = issue_token(actor=OPERATOR, lab=aurora.lab, scopes=["publish", "sign", "read"], bounds=bounds).secret
    signer = RestClient(node.url, secret)
    members = narrowed(aurora, borealis.identity, label=Tlp.AMBER_STRICT)
    request = asked(node.borealis, members)

    refused(decide(node.aurora, request, query="?sign=true"), 403, "scope-missing")
    answer = decide(signer, request, query="?sign=true", reason="")
    assert answer.status_code == 201, answer.text
    assert_form(answer.json(), "OnwardDecided")
    assert all(SIGNATURE_EXTENSION in each["extensions"] for each in answer.json()["objects"])
    assert answer.json()["grant"]["label"] == "TLP:AMBER+STRICT"
    assert node.cobalt.get(f"objects/{members['id']}/").status_code == 200
    assert clients_of(cobalt, node).get(f"objects/{members['id']}/").status_code == 404
    assert listed(node.aurora)[0]["state"] == "granted"


def test_clients_see_an_amber_strict_object_once_its_label_is_amber(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    members = narrowed(aurora, borealis.identity, label=Tlp.AMBER_STRICT)
    client = clients_of(borealis, node)
    request = asked(node.borealis, members, "clients")
    answer = decide(node.aurora, request).json()
    (draft,) = answer["objects"]
    assert draft["object_marking_refs"] == [Tlp.AMBER.marking_id, members["object_marking_refs"][1]]
    assert (answer["grant"]["label"], answer["grant"]["recipients"]) == ("TLP:AMBER", [borealis.identity])
    assert client.get(f"objects/{members['id']}/").status_code == 404
    publish_drafts(node, [draft])
    assert client.get(f"objects/{members['id']}/").status_code == 200
    assert node.cobalt.get(f"objects/{members['id']}/").status_code == 404
    assert listed(node.borealis)[0]["state"] == "granted"


def test_a_label_that_a_part_makes_stricter_is_not_loosened(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    part = {"marking_ref": Tlp.AMBER_STRICT.marking_id, "selectors": ["description"]}
    members = aurora.indicator(object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]], granular_markings=[part])
    assert [each.error for each in aurora.publish(aurora.signed(marking), aurora.signed(members))] == [None, None]
    request = asked(node.borealis, members, "clients")
    refused(decide(node.aurora, request), 422, "onward-not-shareable")
    assert audit_of(request) == ["onward-asked"]


def test_a_producer_that_widens_by_itself_has_granted(node: RestNode, shared: Members) -> None:
    request = asked(node.borealis, shared)
    aurora = node.community.aurora
    wider = aurora.next_version(shared, object_marking_refs=[Tlp.GREEN.marking_id])
    assert aurora.publish(aurora.signed(wider))[0].error is None
    found = listed(node.borealis)[0]
    assert (found["state"], found["decision"], found["granting_version"]) == ("granted", None, wider["modified"])
    assert audit_of(request) == ["onward-asked", "onward-granted"]


def test_a_refusal_is_told_and_not_asked_about_again_at_once(node: RestNode, shared: Members) -> None:
    request = asked(node.borealis, shared)
    refused(decide(node.aurora, request, "refuse", reason=""), 400, "onward-order")
    answer = decide(node.aurora, request, "refuse", reason="<script>alert('no')</script>")
    assert answer.status_code == 200, answer.text
    assert_form(answer.json(), "OnwardDecided")
    found = node.borealis.get("onward/?state=refused")
    assert found.json()["requests"] == [answer.json()["request"]]
    assert found.json()["requests"][0]["decision_reason"] == "<script>alert('no')</script>"
    assert (found.headers["Content-Type"], found.headers["X-Content-Type-Options"]) == ("application/json", "nosniff")
    refused(decide(node.aurora, request), 409, "onward-settled")
    refused(ask(node.borealis, shared), 409, "onward-refused-before")
    assert audit_of(request) == ["onward-asked", "onward-refused"]


def test_absent_and_forbidden_objects_answer_the_same_bytes(node: RestNode, shared: Members) -> None:
    absent = ask(node.cobalt, f"indicator--{uuid.uuid4()}", "cobalt")
    forbidden = ask(node.cobalt, shared, "cobalt")
    assert (absent.status_code, absent.content) == (forbidden.status_code, forbidden.content)
    refused(forbidden, 404, "object-not-found")
    # So does a wrong producer of an object that is there.
    assert ask(node.borealis, shared, producer="cobalt").content == absent.content


def test_requests_between_others_are_absent(node: RestNode, shared: Members) -> None:
    request = asked(node.borealis, shared)
    assert listed(node.cobalt) == []
    for path, act in (("/decision/", decide), ("/", None)):
        unknown = {"id": str(uuid.uuid4())}
        pair = [act(node.cobalt, each) if act else node.cobalt.delete(f"onward/{each['id']}{path}")
                for each in (request, unknown)]  # fmt: skip
        assert pair[0].content == pair[1].content
        refused(pair[0], 404, "onward-not-found")
    refused(node.cobalt.get(f"onward/?cursor={request['id']}"), 400, "cursor")
    # The other party sees the request, and may not do what is its opponent's.
    refused(decide(node.borealis, request), 403, "onward-other-party")
    refused(node.aurora.delete(f"onward/{request['id']}/"), 403, "onward-other-party")


def test_clients_and_readers_neither_ask_nor_decide(node: RestNode, shared: Members) -> None:
    request = asked(node.borealis, shared)
    for lab in (node.community.borealis, node.community.aurora):
        client = clients_of(lab, node)
        refused(ask(client, shared), 403, "not-for-clients")
        refused(client.get("onward/"), 403, "not-for-clients")
        refused(decide(client, request), 403, "not-for-clients")
        refused(client.delete(f"onward/{request['id']}/"), 403, "not-for-clients")
        reader = RestClient(node.url, issue_token(actor=OPERATOR, lab=lab.lab, scopes=["read"]).secret)
        refused(ask(reader, shared), 403, "scope-missing")
        refused(decide(reader, request), 403, "scope-missing")
        writer = RestClient(node.url, issue_token(actor=OPERATOR, lab=lab.lab, scopes=["publish"]).secret)
        refused(ask(writer, shared), 403, "scope-missing")
        refused(decide(writer, request), 403, "scope-missing")
        refused(reader.delete(f"onward/{request['id']}/"), 403, "scope-missing")
        assert listed(reader) == [request]
    refused(ask(node.nobody, shared), 401, "not-authenticated")


def test_who_may_see_it_already_is_not_asked_for(node: RestNode, shared: Members) -> None:
    aurora = node.community.aurora
    green, amber = aurora.indicator(Tlp.GREEN), aurora.indicator(Tlp.AMBER)
    aurora.publish(aurora.signed(green), aurora.signed(amber))
    for members, for_whom in ((green, "cobalt"), (amber, "clients"), (shared, "clients"), (shared, "aurora"),
                              (shared, "borealis")):  # fmt: skip
        answer = ask(node.borealis, members, for_whom)
        assert (answer.status_code, answer.json()) == (200, {"outcome": "in-audience", "request": None})
    assert listed(node.borealis) == []


def test_only_active_labs_are_asked_for(node: RestNode, shared: Members) -> None:
    Lab.objects.filter(slug="cobalt").update(status=Lab.Status.SUSPENDED)
    suspended, unknown, exchange = (ask(node.borealis, shared, name) for name in ("cobalt", "nowhere", "node"))
    assert suspended.content == unknown.content == exchange.content
    refused(suspended, 404, "lab-not-found")


def test_the_same_request_again_is_the_same(node: RestNode, shared: Members) -> None:
    request = asked(node.borealis, shared)
    again = ask(node.borealis, shared, reason="Another reason.")
    assert (again.status_code, again.json()) == (200, {"outcome": "asked-before", "request": request})
    assert node.borealis.delete(f"onward/{request['id']}/").status_code == 204
    assert node.borealis.delete(f"onward/{request['id']}/").status_code == 204
    assert listed(node.aurora, "?state=withdrawn")[0]["id"] == request["id"]
    refused(decide(node.aurora, request), 409, "onward-settled")
    assert asked(node.borealis, shared)["id"] != request["id"]
    assert audit_of(request) == ["onward-asked", "onward-withdrawn"]


def test_a_request_ends_after_thirty_days_before_the_task_has_come_by(node: RestNode, shared: Members) -> None:
    request = asked(node.borealis, shared)
    with writing():
        OnwardRequest.objects.update(asked_at=datetime.now(UTC) - OPEN_FOR - timedelta(seconds=1))
    assert listed(node.aurora, "?state=asked") == []
    assert [each["state"] for each in listed(node.aurora, "?state=expired")] == ["expired"]
    refused(decide(node.aurora, request), 409, "onward-settled")
    aurora = node.community.aurora
    wider = aurora.next_version(shared, object_marking_refs=[Tlp.GREEN.marking_id])
    assert aurora.publish(aurora.signed(wider))[0].error is None
    expire_onward_requests()
    assert expire_requests() == 0
    assert [each["state"] for each in listed(node.borealis, "?state=expired")] == ["expired"]
    assert audit_of(request) == ["onward-asked", "onward-expired"]


def test_what_was_revoked_or_deleted_meanwhile_is_not_granted(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    for end in ("revoke", "delete"):
        members = narrowed(aurora, borealis.identity)
        request = asked(node.borealis, members)
        if end == "revoke":
            revocation = aurora.next_version(members, revoked=True, object_marking_refs=[Tlp.GREEN.marking_id])
            assert aurora.publish(aurora.signed(revocation))[0].error is None
        else:
            assert node.aurora.delete(f"objects/{members['id']}/").status_code == 204
        assert listed(node.borealis)[0]["state"] == "asked"
        refused(decide(node.aurora, request), 422, "onward-not-shareable")
        assert decide(node.aurora, request, "refuse", reason="It is no more.").status_code == 200


def test_what_is_revoked_is_not_asked_for(node: RestNode, shared: Members) -> None:
    aurora = node.community.aurora
    assert aurora.publish(aurora.signed(aurora.next_version(shared, revoked=True)))[0].error is None
    refused(ask(node.borealis, shared), 422, "onward-not-shareable")


def test_what_was_narrowed_meanwhile_is_not_granted(node: RestNode, shared: Members) -> None:
    aurora, _, cobalt = node.community.labs
    request = asked(node.borealis, shared)
    marking = aurora.distribution(cobalt.identity)
    narrower = aurora.next_version(shared, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    aurora.publish(aurora.signed(marking), aurora.signed(narrower))
    # Cobalt sees it now, and borealis, who does not any more, is not told so.
    assert node.cobalt.get(f"objects/{shared['id']}/").status_code == 200
    assert listed(node.borealis)[0]["state"] == "asked"
    refused(decide(node.aurora, request), 422, "onward-not-shareable")


def test_what_became_red_meanwhile_is_not_granted(node: RestNode, shared: Members) -> None:
    aurora = node.community.aurora
    request = asked(node.borealis, shared)
    red = aurora.next_version(shared, object_marking_refs=[Tlp.RED.marking_id])
    assert aurora.publish(aurora.signed(red))[0].error is None
    refused(decide(node.aurora, request), 422, "onward-not-shareable")
    assert ask(node.borealis, shared).status_code == 404


def test_drafts_are_held_against_what_the_object_refers_to(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    target = narrowed(aurora, borealis.identity)
    link: Members = {
        "type": "relationship", "spec_version": "2.1", "id": f"relationship--{uuid.uuid4()}",
        "created_by_ref": aurora.identity, "created": target["created"], "modified": target["created"],
        "relationship_type": "related-to", "source_ref": target["id"], "target_ref": target["id"],
        "object_marking_refs": target["object_marking_refs"],
    }  # fmt: skip
    assert aurora.publish(aurora.signed(link))[0].error is None
    request = asked(node.borealis, link)
    refused(decide(node.aurora, request), 422, "wider-than-reference")
    assert audit_of(request) == ["onward-asked"]
    grant = decide(node.aurora, asked(node.borealis, target)).json()
    publish_drafts(node, grant["objects"])
    publish_drafts(node, decide(node.aurora, request).json()["objects"])
    assert {each["state"] for each in listed(node.borealis)} == {"granted"}


def test_an_observable_is_granted_under_its_id(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    address = aurora.address("198.51.100.9") | {"object_marking_refs": [Tlp.AMBER.marking_id, marking["id"]]}
    now = seconds_now()
    outcomes = aurora.publish(aurora.signed(marking), aurora.signed(address, iat=now - 5))
    assert [outcome.error for outcome in outcomes] == [None, None]
    request = asked(node.borealis, address)
    drafts = decide(node.aurora, request).json()["objects"]
    assert drafts[1]["id"] == address["id"]
    publish_drafts(node, drafts)
    assert node.cobalt.get(f"objects/{address['id']}/").status_code == 200
    assert listed(node.borealis)[0]["state"] == "granted"


MALFORMED: list[tuple[Members, int, str]] = [
    ({"reason": ""}, 400, "onward-order"),
    ({"reason": " "}, 400, "onward-order"),
    ({"reason": "x" * 501}, 400, "onward-order"),
    ({"reason": "two\nlines"}, 400, "onward-order"),
    ({"reason": "turned \u202e round"}, 400, "onward-order"),
    ({"reason": "un\u200bseen"}, 400, "onward-order"),
    ({"reason": "Ask ada.lovelace@example.com about it."}, 422, "out-of-scope-personal-data"),
    ({"for": "not a slug"}, 400, "onward-order"),
    ({"object": "indicator--\x00"}, 400, "onward-order"),
    ({"more": True}, 400, "onward-order"),
    ({"producer": "aurora'"}, 400, "onward-order"),
]


def test_a_malformed_request_is_refused_and_nothing_is_kept(node: RestNode, shared: Members) -> None:
    for changes, status, code in MALFORMED:
        refused(ask(node.borealis, shared, **changes), status, code)
    for body in (b"{", b"[]", b'{"object":'):
        assert node.borealis.post("onward/", body).status_code == 400
    answer = node.borealis.post("onward/", b"{}", headers={"Content-Type": "text/plain"})
    refused(answer, 415, "unsupported-media-type")
    refused(node.borealis.get("onward/?role=both"), 400, "parameter-malformed")
    refused(node.borealis.get("onward/?state=open"), 400, "parameter-malformed")
    refused(node.borealis.get("onward/?cursor=1"), 400, "cursor")
    assert listed(node.borealis) == []


def test_a_lab_asks_so_often_and_not_more(node: RestNode, shared: Members) -> None:
    request = asked(node.borealis, shared)
    with writing():
        row = OnwardRequest.objects.get(public_id=request["id"])
        OnwardRequest.objects.bulk_create(
            OnwardRequest(
                object_id=row.object_id + count, stix_id=row.stix_id, version_text="", producer_id=row.producer_id,
                asker_id=row.asker_id, reason=REASON, state="withdrawn", asked_at=row.asked_at,
            )
            for count in range(1, MAX_ASKED)
        )  # fmt: skip
    strict = narrowed(node.community.aurora, node.community.borealis.identity)
    answer = ask(node.borealis, strict)
    refused(answer, 429, "onward-limit")
    assert int(answer.headers["Retry-After"]) > 29 * 24 * 3600
    pages, query = [], "?limit=40"
    while True:
        page = node.aurora.get(f"onward/{query}").json()
        pages += [each["id"] for each in page["requests"]]
        if page["next"] is None:
            break
        query = f"?limit=40&cursor={page['next']}"
    assert len(pages) == len(set(pages)) == MAX_ASKED


def test_rows_exist_for_their_parties_alone(node: RestNode, shared: Members) -> None:
    asked(node.borealis, shared)
    assert OnwardRequest.objects.count() == 0
    counts = []
    for lab in node.community.labs:
        with seeing_as(lab.lab.id):
            counts.append(OnwardRequest.objects.count())
    assert counts == [1, 1, 0]
    with pytest.raises(ProgrammingError), writing():
        OnwardRequest.objects.all().delete()
    with writing():
        assert OnwardRequest.objects.count() == 1
