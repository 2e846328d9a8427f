"""Whatever changes a right acts at the next request, though the web process remembers rights between requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from exchange.models import ApiRoot, Collection, Lab, Token
from exchange.services.clock import now
from exchange.services.collections import create_collection, grant_access
from exchange.services.labs import resume_lab, suspend_lab
from exchange.services.principals import OPERATOR
from exchange.stix.markings import Tlp
from tests.integration.taxii.walking import OBJECTS, ROOT
from tests.support.taxii import Node, TaxiiClient


def warm(client: TaxiiClient) -> None:
    """Let every process and thread remember."""
    for _ in range(8):
        assert client.get(f"{OBJECTS}?limit=2").status_code == 200


def status(client: TaxiiClient) -> int:
    return client.get(f"{OBJECTS}?limit=2").status_code


def token_of(node: Node) -> Any:
    prefix = node.community.cobalt.principal.token_prefix
    return Token.objects.filter(prefix=prefix)


def revoke(node: Node) -> None:
    token_of(node).update(revoked_at=now())


def expire(node: Node) -> None:
    token_of(node).update(expires_at=now() - timedelta(seconds=1))


def bind(node: Node) -> None:
    token_of(node).update(bounds={"networks": ["203.0.113.0/24"]})


def suspend(node: Node) -> None:
    suspend_lab(actor=OPERATOR, slug="cobalt")


def take_the_grant(node: Node) -> None:
    signatures = Collection.objects.get(alias="signatures")
    lab = Lab.objects.get(slug="cobalt")
    grant_access(actor=OPERATOR, collection=signatures, lab=lab, can_read=False, can_write=True)


def take_the_scope(node: Node) -> None:
    token_of(node).update(scopes=["publish"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [(revoke, 401), (expire, 401), (bind, 401), (suspend, 401), (take_the_grant, 403), (take_the_scope, 403)],
)
def test_a_right_that_is_taken_is_gone_at_once(node: Node, change: Callable[[Node], None], expected: int) -> None:
    warm(node.cobalt)
    change(node)
    assert [status(node.cobalt) for _ in range(8)] == [expected] * 8
    assert status(node.borealis) == 200


def test_a_token_that_expires_by_itself_is_refused_from_then_on(node: Node) -> None:
    token_of(node).update(expires_at=now() + timedelta(seconds=1.5))
    warm(node.cobalt)
    end = token_of(node).get().expires_at
    while now() < end:
        assert status(node.cobalt) in {200, 401}
    assert status(node.cobalt) == 401


def test_what_is_given_is_there_at_once(node: Node) -> None:
    suspend(node)
    assert status(node.cobalt) == 401
    resume_lab(actor=OPERATOR, slug="cobalt")
    warm(node.cobalt)
    create_collection(actor=OPERATOR, alias="fresh", title="Fresh", readers=[Lab.objects.get(slug="cobalt")])
    assert node.cobalt.get(f"{ROOT}/collections/fresh/").status_code == 200
    assert node.borealis.get(f"{ROOT}/collections/fresh/").status_code == 404
    Collection.objects.filter(alias="fresh").update(title="Another title", page_limit=1)
    assert node.cobalt.get(f"{ROOT}/collections/fresh/").json()["title"] == "Another title"
    assert len(node.cobalt.get(f"{ROOT}/collections/fresh/objects/").json()["objects"]) == 1
    ApiRoot.objects.update(max_content_bytes=4_321)
    assert node.cobalt.get(f"{ROOT}/").json()["max_content_length"] == 4_321


def test_a_new_audience_is_seen_at_once_by_those_who_are_in_it(node: Node) -> None:
    aurora, borealis, _ = node.community.labs
    warm(node.borealis)
    for _ in range(3):
        marking = aurora.distribution(borealis.identity)
        node.aurora.post(aurora.signed(marking), collection="identities")
        secret = aurora.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
        assert node.aurora.post(aurora.signed(secret)).json()["success_count"] == 1
        assert secret["id"] in node.borealis.get(OBJECTS).text
        assert secret["id"] not in node.cobalt.get(OBJECTS).text
