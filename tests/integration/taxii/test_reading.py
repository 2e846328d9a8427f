"""GET objects, collections, discovery: what a reader gets, page by page (TAXII 2.1 sections 3.3 to 3.5, 4, 5)."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest

from exchange.models import Collection, Grant
from exchange.stix.markings import Tlp
from tests.support.labs import LabHandle
from tests.support.taxii import Node, TaxiiClient

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def published(lab: LabHandle, count: int, label: Tlp = Tlp.GREEN) -> list[bytes]:
    """Signed indicators of a lab, in the order of their publication."""
    bodies = [lab.signed(lab.indicator(label)) for _ in range(count)]
    outcomes = lab.publish(*bodies)
    assert all(outcome.error is None for outcome in outcomes), outcomes
    return bodies


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.text
    return [each["id"] for each in response.json().get("objects", [])]


def id_of(body: bytes) -> str:
    return str(json.loads(body)["id"])


def indicators(response: Any) -> list[str]:
    return [each for each in ids(response) if each.startswith("indicator--")]


def test_discovery_leads_to_the_root_and_the_root_to_its_collections(node: Node) -> None:
    discovery = node.aurora.get("/taxii2/").json()
    assert discovery["title"]
    assert discovery["default"] == "/exchange/"
    assert discovery["api_roots"] == ["/exchange/"]
    root = node.aurora.get(discovery["default"]).json()
    assert root["versions"] == ["application/taxii+json;version=2.1"]
    assert root["max_content_length"] == 50 * 1024 * 1024
    collections = node.aurora.get("/exchange/collections/").json()["collections"]
    assert {each["alias"] for each in collections} == {
        "signatures",
        "playbooks",
        "attribution",
        "feedback",
        "identities",
        "all",
    }
    assert [each["id"] for each in collections] == sorted(each["id"] for each in collections)
    assert all(uuid.UUID(each["id"]).version == 4 for each in collections)
    for each in collections:
        assert each == node.aurora.get(f"/exchange/collections/{each['id']}/").json()
        assert each == node.aurora.get(f"/exchange/collections/{each['alias']}/").json()
        assert each["can_read"] is True
        assert each["can_write"] is (each["alias"] != "all")


def test_what_a_collection_allows_is_said_as_the_reader_may(node: Node) -> None:
    client = TaxiiClient(node.url, node.community.aurora.client_token)
    assert client.get("/exchange/collections/signatures/").json()["can_write"] is False
    grant = Grant.objects.get(lab=node.community.cobalt.lab, collection__alias="signatures")
    grant.can_read = False
    grant.save()
    assert node.cobalt.get("/exchange/collections/signatures/").json()["can_read"] is False
    assert node.cobalt.objects().status_code == 403
    Grant.objects.filter(lab=node.community.cobalt.lab).delete()
    assert node.cobalt.get("/exchange/collections/").json() == {}
    assert node.cobalt.objects().status_code == 404


def test_an_empty_page_is_an_empty_object_without_dates(node: Node) -> None:
    response = node.aurora.objects(query="match[type]=malware")
    assert response.content == b"{}"
    assert "X-TAXII-Date-Added-First" not in response.headers
    assert "X-TAXII-Date-Added-Last" not in response.headers


def test_objects_come_back_byte_for_byte(node: Node) -> None:
    bodies = published(node.community.aurora, 3)
    content = node.borealis.objects().content
    for body in bodies:
        assert body in content
    assert node.borealis.objects().json()["more"] is False


def test_following_next_gives_every_object_once_and_in_order(node: Node) -> None:
    expected = [id_of(body) for body in published(node.community.aurora, 11)]
    query, found, dates = "limit=4&match[type]=indicator", [], []
    cursor = ""
    while True:
        response = node.borealis.objects(query=query + (f"&next={cursor}" if cursor else ""))
        assert len(ids(response)) <= 4
        found += ids(response)
        for name in ("X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"):
            assert DATE.fullmatch(response.headers[name])
            dates.append(response.headers[name])
        if not response.json()["more"]:
            break
        cursor = response.json()["next"]
    assert found == expected
    assert dates == sorted(dates)


def test_following_added_after_alone_gives_the_same(node: Node) -> None:
    expected = [id_of(body) for body in published(node.community.aurora, 11)]
    found, added_after = [], "2020-01-01T00:00:00Z"
    while True:
        response = node.borealis.objects(query=f"limit=4&match[type]=indicator&added_after={added_after}")
        found += ids(response)
        if not response.json().get("more"):
            break
        added_after = response.headers["X-TAXII-Date-Added-Last"]
    assert found == expected


def test_added_after_may_come_along_with_next(node: Node) -> None:
    expected = [id_of(body) for body in published(node.community.aurora, 5)]
    start = "added_after=2020-01-01T00:00:00Z&match[type]=indicator"
    first = node.borealis.objects(query=f"{start}&limit=2")
    rest = node.borealis.objects(query=f"{start}&limit=100&next={first.json()['next']}")
    assert ids(first) + ids(rest) == expected


def test_added_after_is_strict(node: Node) -> None:
    published(node.community.aurora, 3)
    last = node.aurora.objects().headers["X-TAXII-Date-Added-Last"]
    assert node.aurora.objects(query=f"added_after={last}").content == b"{}"


def test_filters_are_lists_and_go_together(node: Node) -> None:
    one, two, three = (id_of(body) for body in published(node.community.aurora, 3))
    assert ids(node.borealis.objects(query=f"match[id]={one},{three}")) == [one, three]
    assert ids(node.borealis.objects(query=f"match[id]={two}&match[type]=indicator,malware")) == [two]
    assert ids(node.borealis.objects(query=f"match[id]={two}&match[type]=malware")) == []
    assert ids(node.borealis.objects(query=f"match[id]={two}&match[spec_version]=2.0")) == []
    assert ids(node.borealis.objects(query=f"match[id]={two}&match[spec_version]=2.0,2.1")) == [two]
    assert ids(node.borealis.objects(query=f"match[id]={two}&match[version]=last")) == [two]


def test_every_type_of_stix_may_be_asked_for(node: Node) -> None:
    for name in ("language-content", "extension-definition", "x-something", "url", "relationship"):
        assert node.aurora.objects(query=f"match[type]={name}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=x", "limit=1&limit=1", "limit=123456789012345678901234567890",
        "added_after=yesterday", "added_after=%00", "match[type]=a,a%00", "match[id]=", "match[version]=all,last",
        "match[version]=now", "next=%00", "next=forged", "next=" + "A" * 200, "x=" + "a" * 8000, "%00=1", "x=%ff",
    ],
)  # fmt: skip
def test_a_malformed_query_is_refused_by_name(node: Node, query: str) -> None:
    response = node.aurora.objects(query=query)
    assert response.status_code == 400, response.text
    assert response.json()["http_status"] == "400"
    assert response.json()["description"]


def test_a_cursor_serves_its_reader_its_collection_and_its_filters_alone(node: Node) -> None:
    published(node.community.aurora, 3)
    cursor = node.aurora.objects(query="limit=1").json()["next"]
    assert node.aurora.objects(query=f"limit=2&next={cursor}").status_code == 200
    assert node.borealis.objects(query=f"next={cursor}").status_code == 400
    assert node.aurora.objects("all", query=f"next={cursor}").status_code == 400
    assert node.aurora.objects(query=f"match[type]=indicator&next={cursor}").status_code == 400
    middle = len(cursor) // 2
    forged = cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :]
    assert node.aurora.objects(query=f"next={forged}").status_code == 400


def test_amber_for_one_lab_is_absent_for_another_to_the_byte(node: Node) -> None:
    aurora, borealis, cobalt = node.community.labs
    marking = aurora.distribution(borealis.identity)
    hidden = aurora.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    before = node.cobalt.objects("all").content
    outcomes = aurora.publish(aurora.signed(marking), aurora.signed(hidden))
    assert all(outcome.error is None for outcome in outcomes)
    assert indicators(node.aurora.objects()) == indicators(node.borealis.objects()) == [hidden["id"]]
    assert node.cobalt.objects("all").content == before
    query = f"match[id]={hidden['id']}"
    unknown = f"match[id]=indicator--{uuid.uuid4()}"
    assert node.cobalt.objects(query=query).content == node.cobalt.objects(query=unknown).content == b"{}"
    assert TaxiiClient(node.url, cobalt.client_token).objects().status_code == 200
    assert hidden["id"] in ids(TaxiiClient(node.url, borealis.client_token).objects())


def test_amber_strict_never_reaches_client_tokens_and_red_no_token_but_none(node: Node) -> None:
    aurora, borealis, _ = node.community.labs
    strict, red = (aurora.indicator(label) for label in (Tlp.AMBER_STRICT, Tlp.RED))
    for members in (strict, red):
        assert aurora.publish(aurora.signed(members))[0].error is None
    assert strict["id"] in ids(node.borealis.objects())
    assert indicators(TaxiiClient(node.url, borealis.client_token).objects()) == []
    for client in (node.aurora, node.borealis, node.cobalt):
        assert red["id"] not in ids(client.objects())


def test_what_is_clear_in_a_public_collection_is_for_everybody(node: Node) -> None:
    clear, green = (node.community.aurora.indicator(label) for label in (Tlp.CLEAR, Tlp.GREEN))
    for members in (clear, green):
        assert node.community.aurora.publish(node.community.aurora.signed(members))[0].error is None
    assert node.nobody.get("/taxii2/").status_code == 401
    Collection.objects.filter(alias="signatures").update(public=True)
    assert node.nobody.get("/taxii2/").json()["api_roots"] == ["/exchange/"]
    assert node.nobody.get("/exchange/").status_code == 200
    seen = node.nobody.get("/exchange/collections/").json()["collections"]
    assert {each["alias"]: each["can_write"] for each in seen} == {"signatures": False, "all": False}
    assert indicators(node.nobody.objects()) == indicators(node.nobody.objects("all")) == [clear["id"]]
    assert node.nobody.objects("playbooks").status_code == 401
    assert node.nobody.objects(query="limit=0").status_code == 400


def test_only_the_newest_version_is_delivered(node: Node) -> None:
    aurora = node.community.aurora
    first = aurora.indicator()
    second = aurora.next_version(first, name="Template family, second look")
    for members in (first, second):
        assert aurora.publish(aurora.signed(members))[0].error is None
    found = node.borealis.objects(query=f"match[id]={first['id']}").json()["objects"]
    assert [each["name"] for each in found] == ["Template family, second look"]
