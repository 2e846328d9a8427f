"""taxii2-client, the reference client of OASIS, and the TAXII source and sink of stix2, against a real node."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
import requests
import stix2
from django.db import connection
from stix2.datastore.filters import Filter
from stix2.datastore.taxii import TAXIICollectionSink, TAXIICollectionSource
from taxii2client.v21 import Collection, Server, as_pages

from exchange.models import PublishingStatus
from exchange.services.clock import now
from tests.integration.taxii.walking import Members, history, key
from tests.support.labs import LabHandle
from tests.support.taxii import Node


def collection_of(node: Node, lab: LabHandle, alias: str = "signatures") -> Collection:
    """The collection as the client finds it, from discovery on."""
    server = Server(f"{node.url}/taxii2/", user=lab.lab.slug, password=lab.token)
    return next(each for each in server.default.collections if each.alias == alias)


def signed(lab: LabHandle, members: Members) -> Members:
    found: Members = json.loads(lab.signed(members))
    return found


def test_the_reference_client_publishes_and_pages(shared_node: Node) -> None:
    aurora, borealis, _ = shared_node.community.labs
    members = [signed(aurora, aurora.indicator()) for _ in range(5)]
    with Server(f"{shared_node.url}/taxii2/", user="aurora", password=aurora.token) as server:
        root = server.default
        assert root.max_content_length > 0
        collection = next(each for each in root.collections if each.alias == "signatures")
        status = collection.add_objects({"objects": members})
        assert status.status == "complete"
        assert status.success_count == 5
        assert root.get_status(status.id).success_count == 5
    with Server(f"{shared_node.url}/taxii2/", user="borealis", password=borealis.token) as server:
        collection = next(each for each in server.default.collections if each.alias == "signatures")
        pages = list(as_pages(collection.get_objects, per_request=2))
        found = [each for page in pages for each in page.get("objects", [])]
        assert [each for each in found if each in members] == members
        assert all(len(page.get("objects", [])) <= 2 for page in pages)


def test_the_reference_client_pages_manifests_and_filters(shared_node: Node) -> None:
    aurora, borealis, _ = shared_node.community.labs
    members = history(aurora)
    collection_of(shared_node, aurora).add_objects({"objects": [signed(aurora, each) for each in members]})
    collection = collection_of(shared_node, borealis)
    whole = collection.get_manifest(version="all")["objects"]
    pages = list(as_pages(collection.get_manifest, per_request=3, version="all"))
    assert [record for page in pages for record in page["objects"]] == whole
    records = collection.get_manifest(id=members[0]["id"], version=["first", "last"])["objects"]
    assert [(each["id"], each["version"]) for each in records] == [key(members[0]), key(members[2])]
    after = collection.get_manifest(id=members[0]["id"], version="all", added_after=records[0]["date_added"])
    assert [each["version"] for each in after["objects"]] == [members[1]["modified"], members[2]["modified"]]


def test_the_reference_client_reads_lists_and_deletes_one_object(shared_node: Node) -> None:
    aurora, borealis, _ = shared_node.community.labs
    members = history(aurora)
    own, theirs = collection_of(shared_node, aurora), collection_of(shared_node, borealis)
    own.add_objects({"objects": [signed(aurora, each) for each in members]})
    stix_id = members[0]["id"]
    assert [key(each) for each in theirs.get_object(stix_id)["objects"]] == [key(members[2])]
    assert theirs.object_versions(stix_id)["versions"] == [each["modified"] for each in members]
    with pytest.raises(requests.HTTPError, match="403"):
        theirs.delete_object(stix_id)
    own.delete_object(stix_id, version=members[1]["modified"])
    assert theirs.object_versions(stix_id)["versions"] == [members[0]["modified"], members[2]["modified"]]
    own.delete_object(stix_id)
    with pytest.raises(requests.HTTPError, match="404"):
        theirs.get_object(stix_id)


def test_the_reference_client_waits_until_a_status_is_final(shared_node: Node) -> None:
    aurora = shared_node.community.aurora
    collection = collection_of(shared_node, aurora)
    status = collection.add_objects({"objects": [signed(aurora, aurora.indicator())]}, wait_for_completion=False)
    PublishingStatus.objects.filter(pk=status.id).update(completed_at=None)
    status.refresh()
    assert status.status == "pending"
    finish = threading.Timer(0.3, complete, [status.id])
    finish.start()
    status.wait_until_final(poll_interval=0.1, timeout=20)
    finish.join()
    assert status.status == "complete"
    assert status.success_count == 1


def complete(status_id: str) -> None:
    """What a worker does at the end of its work, on a connection of its own."""
    PublishingStatus.objects.filter(pk=status_id).update(completed_at=now())
    connection.close()


def test_stix2_reads_through_its_taxii_source(shared_node: Node) -> None:
    aurora, borealis, _ = shared_node.community.labs
    members = history(aurora)
    other = aurora.indicator()
    bodies = [signed(aurora, each) for each in (*members, other)]
    collection_of(shared_node, aurora).add_objects({"objects": bodies})
    source = TAXIICollectionSource(collection_of(shared_node, borealis), items_per_page=4)
    newest = source.get(members[0]["id"])
    assert newest.name == members[2]["name"]
    assert source.get("indicator--00000000-0000-4000-8000-000000000000") is None
    assert versions_of(source.all_versions(members[0]["id"])) == {key(each) for each in members}
    wanted = [Filter("type", "=", "indicator"), Filter("id", "=", f"{members[0]['id']},{other['id']}")]
    assert versions_of(source.query(wanted)) == {key(members[2]), key(other)}
    everything = versions_of(source.query([Filter("type", "=", "indicator"), Filter("version", "=", "all")]))
    assert {key(each) for each in (*members, other)} <= everything


def versions_of(found: list[Any]) -> set[tuple[str, str]]:
    return {(each.id, stix2.utils.format_datetime(each.modified)) for each in found}


def test_stix2_publishes_through_its_taxii_sink(shared_node: Node) -> None:
    aurora = shared_node.community.aurora
    sink = TAXIICollectionSink(collection_of(shared_node, aurora), allow_custom=True)
    one, two, three = (aurora.indicator(name=f"By the sink {number}") for number in range(3))
    sink.add(signed(aurora, one))
    sink.add([signed(aurora, two), aurora.signed(three).decode()])
    source = TAXIICollectionSource(collection_of(shared_node, shared_node.community.cobalt))
    assert [source.get(each["id"]).name for each in (one, two, three)] == [each["name"] for each in (one, two, three)]
