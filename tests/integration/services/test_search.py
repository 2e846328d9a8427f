"""Search by its service: the ways to the same pages, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connections

from exchange.services.collections import create_collection, find_collection, grant_access
from exchange.services.database import execute
from exchange.services.errors import AccessDeniedError, InvalidRequestError, NotReadyError
from exchange.services.facets import refill_facets
from exchange.services.principals import OPERATOR
from exchange.services.publishing import publish_objects
from exchange.services.query import Filters, PageRequest, Search, search_page
from exchange.services.query import search as search_module
from exchange.services.query.sight import places_of
from exchange.services.sharing import reading_as
from exchange.stix.markings import Tlp
from tests.integration.services.views import as_owner, ids_of, marked, store
from tests.support.labs import Community, LabHandle


def pages(reader: LabHandle, filters: Filters, *, limit: int, newest_first: bool) -> list[list[str]]:
    """Ids of every page, one after the other."""
    view, cursor, found = find_collection(reader.principal, "all"), "", []
    while True:
        search = Search(PageRequest(limit=limit, cursor=cursor), filters, newest_first=newest_first)
        page = search_page(principal=reader.principal, collection=view, search=search, door="test")
        found.append(ids_of(page))
        if not page.more:
            return found
        cursor = page.next


@pytest.mark.parametrize("newest_first", [False, True], ids=["oldest", "newest"])
@pytest.mark.parametrize(("many", "stretch"), [(10_000, 50_000), (1, 50_000), (1, 4), (3, 9)])
def test_however_many_there_are_the_pages_are_the_same(
    community: Community, monkeypatch: pytest.MonkeyPatch, many: int, stretch: int, newest_first: bool
) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    store(aurora, marking)
    expected = []
    for number in range(12):
        name = "Quasar" if number % 3 else "Other"
        members = aurora.indicator(name=name) if number % 4 else marked(aurora, Tlp.AMBER, marking, name=name)
        store(aurora, members)
        if name == "Quasar" and number % 4:
            expected.append(members["id"])
    monkeypatch.setattr(search_module, "MANY", many)
    monkeypatch.setattr(search_module, "STRETCH", stretch)
    ordered = expected[::-1] if newest_first else expected
    for limit in (1, 2, 100):
        found = pages(cobalt, Filters(text="quasar"), limit=limit, newest_first=newest_first)
        assert [each for page in found for each in page] == ordered
        assert all(len(page) == limit for page in found[:-1])


def test_a_search_that_takes_too_long_is_stopped_and_says_so(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(*_arguments: Any) -> list[tuple[int, int]]:
        return execute("SELECT 1, 1 FROM pg_sleep(20)", {}).fetchall()

    view = find_collection(community.aurora.principal, "all")
    search = Search(PageRequest(limit=1), Filters(text="quasar"))
    monkeypatch.setattr(search_module, "SEARCH_TIMEOUT_MS", 50)
    monkeypatch.setattr(search_module, "_find", sleep)
    with pytest.raises(NotReadyError) as caught:
        search_page(principal=community.aurora.principal, collection=view, search=search, door="test")
    assert caught.value.code == "search-too-long"
    assert as_owner("SELECT count(*) FROM delivery")[0][0] == 0


def test_a_database_that_is_away_is_not_called_a_long_search(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(*_arguments: Any) -> list[tuple[int, int]]:
        raise OperationalError("gone")

    view = find_collection(community.aurora.principal, "all")
    monkeypatch.setattr(search_module, "_find", vanish)
    with pytest.raises(OperationalError, match="gone"):
        search_page(principal=community.aurora.principal, collection=view, search=Search(PageRequest(1)), door="test")


def test_a_collection_that_may_not_be_read_is_not_searched_and_a_page_has_one_object_at_least(
    community: Community,
) -> None:
    aurora = community.aurora
    view = find_collection(aurora.principal, "signatures")
    with pytest.raises(InvalidRequestError):
        search_page(principal=aurora.principal, collection=view, search=Search(PageRequest(0)), door="test")
    collection = community.aurora.lab.grants.get(collection__alias="signatures").collection
    grant_access(actor=OPERATOR, collection=collection, lab=aurora.lab, can_read=False, can_write=True)
    written = find_collection(aurora.principal, "signatures")
    with pytest.raises(AccessDeniedError):
        search_page(principal=aurora.principal, collection=written, search=Search(PageRequest(1)), door="test")


def test_what_was_stored_before_there_were_facets_gets_them(community: Community) -> None:
    store(community.aurora, community.aurora.indicator(name="Quasar", labels=["relay"]))
    places = "array(SELECT unnest(places) ORDER BY 1)"  # a set: nothing promises an order
    columns = f"version_id, object_id, audience_id, {places}, tags, words, modified, valid_from, valid_until"
    before = as_owner(f"SELECT {columns} FROM facet ORDER BY version_id")
    as_owner("DELETE FROM facet")
    assert pages(community.cobalt, Filters(text="quasar"), limit=1, newest_first=False) == [[]]
    owner = connections["owner"]
    owner.ensure_connection()
    assert refill_facets(owner) == len(before)
    assert refill_facets(owner) == 0
    assert as_owner(f"SELECT {columns} FROM facet ORDER BY version_id") == before


def test_fixed_objects_are_found_in_every_collection_and_once_in_the_view(community: Community) -> None:
    reader = community.cobalt.principal
    create_collection(actor=OPERATOR, alias="later", title="Later", readers=[community.cobalt.lab])
    for name in ("identities", "signatures", "later", "all"):
        view = find_collection(reader, name)
        search = Search(PageRequest(limit=100), Filters(text="tlp green"))
        found = search_page(principal=reader, collection=view, search=search, door="test")
        assert Tlp.GREEN.marking_id in ids_of(found), name
        assert len(ids_of(found)) == len(set(ids_of(found)))


def test_what_stands_in_a_collection_without_a_grant_is_not_looked_at(community: Community) -> None:
    """An index that finds first and is asked for the grant later would tell by its time how much there is."""
    aurora, _, cobalt = community.labs
    create_collection(actor=OPERATOR, alias="closed", title="Closed", readers=[aurora.lab], writers=[aurora.lab])
    closed = find_collection(aurora.principal, "closed")
    members = aurora.indicator(name="Quasar")
    outcome = publish_objects(
        principal=aurora.principal, bodies=[aurora.signed(members)], collection=closed, door="test"
    )[0]
    assert outcome.error is None
    view = find_collection(cobalt.principal, "all")
    search = Search(PageRequest(limit=10), Filters(text="quasar"))
    with reading_as(cobalt.principal) as readable:
        asked = {"places": places_of(view.granted_sources, view.open_sources, readable), "text": "quasar"}
        found = "SELECT FROM facet_in_sight WHERE words @@ websearch_to_tsquery('english', %(text)s)"
        assert execute(found, asked).rowcount == 1, "by its label alone it is in sight"
        assert execute(f"{found} AND places && %(places)s::bigint[]", asked).rowcount == 0
    assert ids_of(search_page(principal=cobalt.principal, collection=view, search=search, door="test")) == []
    mine = find_collection(aurora.principal, "all")
    assert ids_of(search_page(principal=aurora.principal, collection=mine, search=search, door="test")) == [
        members["id"]
    ]
