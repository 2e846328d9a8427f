"""taxii2-client, the reference client of OASIS, finds its way from discovery to a stored object."""

from __future__ import annotations

import json

from taxii2client.v21 import Server, as_pages

from tests.support.taxii import Node


def test_the_reference_client_publishes_and_pages(node: Node) -> None:
    aurora, borealis, _ = node.community.labs
    members = [json.loads(aurora.signed(aurora.indicator())) for _ in range(5)]
    with Server(f"{node.url}/taxii2/", user="aurora", password=aurora.token) as server:
        root = server.default
        assert root.max_content_length > 0
        collection = next(each for each in root.collections if each.alias == "signatures")
        status = collection.add_objects({"objects": members})
        assert status.status == "complete"
        assert status.success_count == 5
        assert root.get_status(status.id).success_count == 5
    with Server(f"{node.url}/taxii2/", user="borealis", password=borealis.token) as server:
        collection = next(each for each in server.default.collections if each.alias == "signatures")
        pages = list(as_pages(collection.get_objects, per_request=2))
        found = [each for page in pages for each in page.get("objects", [])]
        assert [each for each in found if each in members] == members
        assert all(len(page.get("objects", [])) <= 2 for page in pages)
