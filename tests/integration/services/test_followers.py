"""One sequence: whoever follows it while many write misses nothing and gets nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.db import connections

from exchange.models import Collection
from exchange.services.collections import create_collection, find_collection, grant_access
from exchange.services.delivery import find_recipients
from exchange.services.principals import OPERATOR
from exchange.services.publishing import OutcomeStatus, publish_objects
from exchange.stix.markings import Tlp
from tests.integration.services.views import as_owner, ids_of, marked, page_of, store
from tests.support.labs import Community, LabHandle

WRITERS = 6
REQUESTS_PER_WRITER = 6


def write(lab: LabHandle, number: int, start: threading.Barrier) -> list[str]:
    """Publish in batches of changing size, with a RED object in each; answers the ids of the GREEN ones."""
    try:
        start.wait()
        written = []
        for request in range(REQUESTS_PER_WRITER):
            greens = [lab.indicator() for _ in range(1 + (number + request) % 3)]
            bodies = [lab.signed(members) for members in [*greens, lab.indicator(Tlp.RED)]]
            outcomes = lab.publish(*bodies)
            assert {each.status for each in outcomes} == {OutcomeStatus.STORED}, outcomes
            written += [members["id"] for members in greens]
        return written
    finally:
        connections["default"].close()


def follow(lab: LabHandle, is_over: Callable[[], bool]) -> list[str]:
    """Ask again and again for what was added after the last that came."""
    found: list[str] = []
    last: datetime | None = None
    while True:
        over = is_over()
        page = page_of(lab.principal, "signatures", limit=4, added_after=last, types=("indicator",))
        found += ids_of(page)
        if page.entries:
            last = page.entries[-1].date_added
        elif over:
            return found


def test_a_follower_gets_everything_once_while_many_write(community: Community) -> None:
    start = threading.Barrier(WRITERS)
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, community.labs[number % 2], number, start) for number in range(WRITERS)]
        found = follow(community.cobalt, lambda: all(writer.done() for writer in writers))
        written = [stix_id for writer in writers for stix_id in writer.result()]
    assert sorted(found) == sorted(written)
    in_order = as_owner("SELECT date_added FROM entry ORDER BY seq")
    assert in_order == sorted(set(in_order))


def test_many_who_publish_the_same_new_objects_store_each_once(community: Community) -> None:
    aurora = community.aurora
    bodies = [aurora.signed(aurora.indicator()) for _ in range(5)]
    start = threading.Barrier(WRITERS)

    def publish(number: int) -> list[OutcomeStatus]:
        try:
            start.wait()
            turned = bodies[number % 5 :] + bodies[: number % 5]
            return [each.status for each in aurora.publish(*turned)]
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(WRITERS) as pool:
        statuses = [status for answer in pool.map(publish, range(WRITERS)) for status in answer]
    assert statuses.count(OutcomeStatus.STORED) == len(bodies)
    assert statuses.count(OutcomeStatus.EXISTS) == len(bodies) * (WRITERS - 1)


def test_two_versions_of_one_object_at_once_end_with_one_newest(community: Community) -> None:
    aurora, _, cobalt = community.labs
    versions = [aurora.indicator()]
    for _ in range(WRITERS - 1):
        versions.append(aurora.next_version(versions[-1]))
    start = threading.Barrier(WRITERS)

    def publish(members: dict[str, object]) -> OutcomeStatus:
        try:
            start.wait()
            return aurora.publish(aurora.signed(members))[0].status
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(WRITERS) as pool:
        assert set(pool.map(publish, versions)) == {OutcomeStatus.STORED}
    found = page_of(cobalt.principal, ids=(versions[0]["id"],)).entries
    assert [entry.version for entry in found] == [versions[-1]["modified"]]


def places(alias: str) -> dict[int, int]:
    """The place of each version in a collection."""
    rows = as_owner(
        "SELECT e.version_id, e.seq FROM entry e JOIN collection c ON c.id = e.collection_id"
        " WHERE c.alias = %s AND NOT e.is_shared",
        alias,
    )
    return dict(rows)


def test_a_follower_by_dates_meets_what_is_older_than_its_labs_grant(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    home = Collection.objects.get(alias="signatures")
    marking = aurora.distribution(borealis.identity)
    first, clear, foreign = aurora.indicator(), aurora.indicator(Tlp.CLEAR), marked(aurora, Tlp.AMBER, marking)
    newer, revoked = aurora.next_version(first), aurora.next_version(clear, revoked=True)
    grant_access(actor=OPERATOR, collection=home, lab=cobalt.lab, can_read=False, can_write=False)
    store(aurora, marking, first, clear, foreign, newer, revoked)
    store(aurora, aurora.address("203.0.113.77"))
    follower = page_of(cobalt.principal).entries[-1].date_added
    before = places("signatures")

    grant_access(actor=OPERATOR, collection=home, lab=cobalt.lab, can_read=True, can_write=False)

    news = page_of(cobalt.principal, added_after=follower)
    assert [entry.version for entry in news.entries] == [newer["modified"], revoked["modified"]]
    assert ids_of(news) == [first["id"], clear["id"]]
    assert ids_of(page_of(cobalt.principal, added_after=news.entries[-1].date_added)) == []
    after = places("signatures")
    assert sum(after[version] == place for version, place in before.items()) == 1, "what is not for it stays"
    assert sorted(before, key=before.__getitem__) != sorted(after, key=after.__getitem__)


def test_a_grant_that_changes_nothing_about_reading_moves_nothing(community: Community) -> None:
    aurora, _, cobalt = community.labs
    home = Collection.objects.get(alias="signatures")
    store(aurora, aurora.indicator())
    before = places("signatures")
    for can_write in (False, True):
        grant_access(actor=OPERATOR, collection=home, lab=cobalt.lab, can_read=True, can_write=can_write)
    grant_access(actor=OPERATOR, collection=home, lab=cobalt.lab, can_read=False, can_write=True)
    assert places("signatures") == before


def test_a_grant_on_a_public_collection_moves_what_was_not_for_anybody(community: Community) -> None:
    aurora, _, cobalt = community.labs
    feed = create_collection(
        actor=OPERATOR, alias="feed", title="Feed", public=True, readers=[aurora.lab], writers=[aurora.lab]
    )
    view = find_collection(aurora.principal, "feed")
    clear, green = aurora.indicator(Tlp.CLEAR), aurora.indicator(Tlp.GREEN)
    for members in (green, clear):
        published = publish_objects(
            principal=aurora.principal, bodies=[aurora.signed(members)], collection=view, door="test"
        )
        assert published[0].status is OutcomeStatus.STORED
    follower = page_of(cobalt.principal, "feed").entries[-1].date_added
    grant_access(actor=OPERATOR, collection=feed, lab=cobalt.lab, can_read=True, can_write=False)
    assert ids_of(page_of(cobalt.principal, "feed", added_after=follower)) == [green["id"]]


def test_a_grant_while_many_write_loses_nothing(community: Community) -> None:
    cobalt = community.cobalt
    home = Collection.objects.get(alias="signatures")
    grant_access(actor=OPERATOR, collection=home, lab=cobalt.lab, can_read=False, can_write=False)
    start = threading.Barrier(3)
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, community.labs[number], number, start) for number in range(2)]
        start.wait()
        grant_access(actor=OPERATOR, collection=home, lab=cobalt.lab, can_read=True, can_write=False)
        found = follow(cobalt, lambda: all(writer.done() for writer in writers))
        written = [stix_id for writer in writers for stix_id in writer.result()]
    assert sorted(found) == sorted(written)


def test_a_producer_is_still_told_who_received_what_moved(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    home = Collection.objects.get(alias="signatures")
    grant_access(actor=OPERATOR, collection=home, lab=cobalt.lab, can_read=False, can_write=False)
    first = aurora.indicator(Tlp.AMBER)
    second = aurora.next_version(first)
    store(aurora, first)
    page_of(borealis.principal)
    store(aurora, second)
    page_of(borealis.principal)
    before = find_recipients(principal=aurora.principal, stix_id=first["id"])
    assert [(each.lab, each.version) for each in before] == [
        ("borealis", first["modified"]),
        ("borealis", second["modified"]),
    ]
    grant_access(actor=OPERATOR, collection=home, lab=cobalt.lab, can_read=True, can_write=False)
    assert find_recipients(principal=aurora.principal, stix_id=first["id"]) == before
