"""A community's root is known to those alone who may use something in it, at once and without a restart."""

from __future__ import annotations

import pytest

from exchange.models import Lab
from exchange.services.collections import grant_access
from exchange.services.communities import collection_named, create_root, update_collection
from exchange.services.errors import InvalidRequestError
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token
from tests.integration.taxii.walking import OBJECTS
from tests.support.labs import Community
from tests.support.taxii import TAXII, Node, TaxiiClient


def knows(client: TaxiiClient) -> bool:
    listed = any("/second/" in root for root in client.get("/taxii2/").json()["api_roots"])
    assert (client.get("/second/").status_code == 200) is listed
    return listed


def test_root_is_known_from_the_grant_on_and_absent_without_one(node: Node) -> None:
    create_root(actor=OPERATOR, slug="second", title="Second", with_collections=True)
    assert not knows(node.aurora)
    hidden, absent = node.aurora.get("/second/collections/"), node.aurora.get("/secone/collections/")
    assert (hidden.status_code, hidden.content) == (404, absent.content)
    theirs = collection_named("signatures", api_root="second")
    aurora = Lab.objects.get(slug="aurora")
    grant_access(actor=OPERATOR, collection=theirs, lab=aurora, can_read=True, can_write=False)
    assert knows(node.aurora)
    assert not knows(node.cobalt)
    grant_access(actor=OPERATOR, collection=theirs, lab=aurora, can_read=False, can_write=False)
    assert not knows(node.aurora)


def test_page_limit_acts_at_the_next_request(node: Node) -> None:
    for limit in (1, 2):
        update_collection(actor=OPERATOR, collection=collection_named("signatures"), page_limit=limit)
        assert len(node.aurora.get(OBJECTS).json()["objects"]) == limit


def test_a_token_bound_to_a_collection_of_a_root_publishes_there_and_nowhere_else(node: Node) -> None:
    create_root(actor=OPERATOR, slug="second", title="Second", with_collections=True)
    aurora = node.community.aurora
    theirs = collection_named("signatures", api_root="second")
    grant_access(actor=OPERATOR, collection=theirs, lab=aurora.lab, can_read=True, can_write=True)
    bounds = {"collections": ["second/signatures"]}
    issued = issue_token(actor=OPERATOR, lab=aurora.lab, scopes=["read", "publish"], bounds=bounds)
    bound, body = TaxiiClient(node.url, issued.secret), b'{"objects":[' + aurora.signed(aurora.indicator()) + b"]}"
    posted = [
        bound.request("POST", f"/{root}/collections/signatures/objects/", data=body, headers={"Content-Type": TAXII})
        for root in ("second", "exchange")
    ]
    assert [each.status_code for each in posted] == [202, 404]


@pytest.mark.parametrize("slug", ["api", "log", "signatures", "taxii2"])
def test_no_root_takes_an_address_of_the_node(community: Community, slug: str) -> None:
    with pytest.raises(InvalidRequestError, match=slug):
        create_root(actor=OPERATOR, slug=slug, title="Mine")
