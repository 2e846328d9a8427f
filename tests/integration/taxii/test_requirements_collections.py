"""TAXII 2.1, collections as their readers see them (requirements 24-32)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from exchange.models import Collection, Grant
from exchange.services.collections import create_collection
from exchange.services.errors import ConflictError
from exchange.services.principals import OPERATOR
from tests.integration.taxii.walking import ROOT, ask, items, store
from tests.support.labs import admit_lab
from tests.support.taxii import Node, TaxiiClient

COLLECTIONS = f"{ROOT}/collections/"
READS = ("manifest/", "objects/", "objects/{id}/", "objects/{id}/versions/")


@pytest.fixture
def cobalt_grant(shared_node: Node) -> Iterator[Grant]:
    """Cobalt's grant on `signatures`, which comes back as it was."""
    kept = Grant.objects.get(lab=shared_node.community.cobalt.lab, collection__alias="signatures")
    yield Grant.objects.get(pk=kept.pk)
    kept.save()


def listed(client: TaxiiClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(client, COLLECTIONS).json().get("collections", [])
    return found


def test_requirement_24_no_collection_in_sight_is_an_empty_object(shared_node: Node) -> None:
    dune = admit_lab("dune")
    Grant.objects.filter(lab=dune.lab).delete()
    response = ask(TaxiiClient(shared_node.url, dune.token), COLLECTIONS)
    assert response.content == b"{}"


def test_requirement_25_collections_come_in_one_order(shared_node: Node) -> None:
    answers = [listed(shared_node.aurora) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]) == 6


def test_requirement_26_a_collection_has_its_required_members(shared_node: Node) -> None:
    for each in listed(shared_node.aurora):
        assert uuid.UUID(str(each["id"])).version == 4
        assert each["title"]
        assert type(each["can_read"]) is bool
        assert type(each["can_write"]) is bool


def test_requirement_27_rights_are_those_of_the_caller(shared_node: Node, cobalt_grant: Grant) -> None:
    path = f"{COLLECTIONS}signatures/"
    cobalt_grant.can_write = False
    cobalt_grant.save()
    assert ask(shared_node.aurora, path).json()["can_write"] is True
    assert ask(shared_node.cobalt, path).json()["can_write"] is False
    cobalt_grant.can_read, cobalt_grant.can_write = False, True
    cobalt_grant.save()
    assert ask(shared_node.cobalt, path).json()["can_read"] is False
    assert ask(shared_node.cobalt, path).json()["can_write"] is True


def test_requirement_28_an_alias_is_unique_in_its_root_and_serves_as_an_address(shared_node: Node) -> None:
    aliases = [each["alias"] for each in listed(shared_node.aurora)]
    assert len(set(aliases)) == len(aliases)
    for each in listed(shared_node.aurora):
        by_id, by_alias = (ask(shared_node.aurora, f"{COLLECTIONS}{each[name]}/") for name in ("id", "alias"))
        assert by_id.content == by_alias.content
        for part in ("objects/", "manifest/"):
            by_id, by_alias = (ask(shared_node.aurora, f"{COLLECTIONS}{each[name]}/{part}") for name in ("id", "alias"))
            assert by_id.content == by_alias.content
    with pytest.raises(ConflictError):
        create_collection(actor=OPERATOR, alias="signatures", title="Again")
    root = Collection.objects.get(alias="signatures").api_root
    with pytest.raises(IntegrityError), transaction.atomic():
        Collection.objects.create(api_root=root, alias="signatures", title="Again")


def test_requirement_29_media_types_of_a_manifest_are_those_of_the_collection(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    store(shared_node.aurora, lab, lab.indicator())
    for each in listed(shared_node.aurora):
        records = items(ask(shared_node.aurora, f"{COLLECTIONS}{each['id']}/manifest/"))
        assert records
        assert {record["media_type"] for record in records} <= set(each["media_types"])


@pytest.mark.parametrize("unknown", ["nothing", "0f2d1c52-5c0e-4c34-9d35-3f6f4f4d7a01", "%00", "1" * 30])
def test_requirement_30_an_unknown_collection_is_not_found(shared_node: Node, unknown: str) -> None:
    for part in ("", *READS):
        path = f"{COLLECTIONS}{unknown}/{part.format(id='indicator--x')}"
        assert shared_node.aurora.get(path).status_code == 404
    lab = shared_node.community.aurora
    assert shared_node.aurora.post(lab.signed(lab.indicator()), collection=unknown).status_code == 404
    assert shared_node.aurora.request("DELETE", f"{COLLECTIONS}{unknown}/objects/x/").status_code == 404


def test_requirement_31_what_may_not_be_read_is_403_or_404(shared_node: Node, cobalt_grant: Grant) -> None:
    lab = shared_node.community.aurora
    members = lab.indicator()
    store(shared_node.aurora, lab, members)
    for can_write, status in ((True, 403), (False, 404)):
        cobalt_grant.can_read, cobalt_grant.can_write = False, can_write
        cobalt_grant.save()
        for part in READS:
            path = f"{COLLECTIONS}signatures/{part.format(id=members['id'])}"
            assert shared_node.aurora.get(path).status_code == 200
            response = shared_node.cobalt.get(path)
            assert response.status_code == status
            assert not re.search(rb"indicator--", response.content)


def test_requirement_32_what_may_not_be_written_is_403_or_404(shared_node: Node, cobalt_grant: Grant) -> None:
    lab = shared_node.community.cobalt
    body = lab.signed(lab.indicator())
    for can_read, status in ((True, 403), (False, 404)):
        cobalt_grant.can_read, cobalt_grant.can_write = can_read, False
        cobalt_grant.save()
        assert shared_node.cobalt.post(body).status_code == status
    assert shared_node.cobalt.post(body, collection="all").status_code == 403
