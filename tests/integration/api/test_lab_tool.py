"""The lab tool's client and the node's two doors understand each other."""

from __future__ import annotations

import pytest

from exchange.labtool.client import NodeClient
from exchange.labtool.errors import RefusedError
from tests.support.rest import RestNode


def test_the_lab_tool_publishes_and_reads_at_both_doors(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    bodies = [aurora.signed(aurora.indicator()) for _ in range(5)]
    with NodeClient(node.url, aurora.token) as publisher:
        assert publisher.whoami().identity == aurora.identity
        assert {lab.slug for lab in publisher.labs()} >= {"aurora", "borealis", "cobalt"}
        assert [result.status for result in publisher.publish(bodies, dry_run=True)] == ["valid"] * 5
        assert [result.status for result in publisher.publish(bodies)] == ["stored"] * 5
        refused = publisher.publish([aurora.signed(aurora.indicator(label=None))])
        assert refused[0].error is not None
        assert refused[0].error.code == "unmarked"
    with NodeClient(node.url, borealis.token) as reader:
        assert {collection.alias for collection in reader.collections()} >= {"signatures", "all"}
        assert reader.get_object("indicator--6b0f0a34-5a3e-4c9e-9c0e-3f0d6a9d7f11") == []
        pulled = [body for page in reader.feed().pages("signatures", page_objects=2) for body in page.objects]
        assert [body for body in pulled if body in bodies] == bodies


def test_the_lab_tool_is_told_what_it_may_not(node: RestNode) -> None:
    with NodeClient(node.url, node.community.aurora.client_token) as reader, pytest.raises(RefusedError):
        reader.publish([node.community.aurora.signed(node.community.aurora.indicator())])
    with NodeClient(node.url, "cwt_00000000_wrong") as stranger, pytest.raises(RefusedError):
        stranger.whoami()
