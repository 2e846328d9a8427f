"""One sequence: whoever follows it while many write misses nothing and gets nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.db import connections

from exchange.services.publishing import OutcomeStatus
from exchange.stix.markings import Tlp
from tests.integration.services.views import as_owner, ids_of, page_of
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
