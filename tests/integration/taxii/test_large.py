"""A collection with a great many versions costs a page no more than a small one, and a full pull no memory.

What a page costs is counted by PostgreSQL: the rows and the blocks that it touched for the request. The rows are made
in SQL and are no signed objects, so nothing else uses them. Sixty thousand versions with each run of the tests, and a
million with `make faults`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from pytest_django import DjangoDbBlocker

from exchange.models import Sequencer
from exchange.stix.timestamps import format_taxii
from tests.integration.taxii.walking import MANIFEST, OBJECTS, ask
from tests.support.database import TestServices, close_connections, empty_tables
from tests.support.labs import Community, make_community
from tests.support.server import WebServer
from tests.support.taxii import TAXII, client_of

VERSIONS_EACH = 2
BODY = b'{"id":"x","padding":"' + b"x" * 977 + b'"}'
"""A thousand bytes."""

LIMITS = (5, 6, 7)
"""Each asks anew, and the least counts: what another process did may be noted while one of them is counted."""

PAGE, WARM_PAGES, MOST_GROWTH_MB = 1_000, 10, 8.0
"""A page is a megabyte, and the processes have come to size after ten: eight more are far fewer than are pulled."""
MOST_ROWS, MOST_BLOCKS = 300, 1_000
"""For such a page: far more than it needs, far less than a thousandth of what there is."""

MAKE = """
WITH home AS (SELECT id FROM collection WHERE alias = 'signatures'),
     lab AS (SELECT id FROM lab WHERE slug = 'aurora'),
     green AS (SELECT id FROM audience WHERE every_client AND NOT anonymous AND label = 1),
     start AS (SELECT last_seq, last_date_added FROM sequencer),
made AS (
    INSERT INTO object (producer_id, stix_id, type, home_collection_id, created_text, newest_version_id,
                        newest_audience_id, state, state_since)
    SELECT lab.id, 'indicator--' || gen_random_uuid(), 'indicator', home.id, '2026-01-01T00:00:00.000Z', 0, green.id,
           'current', now() FROM lab, home, green, generate_series(1, %(objects)s)
    RETURNING id
), versions AS (
    SELECT nextval('version_id_seq') AS id, made.id AS object_id, number,
           row_number() OVER (ORDER BY number, made.id) AS seq
    FROM made, generate_series(1, %(versions)s) AS number
), stored AS (
    INSERT INTO version (id, object_id, version_text, body, digest, label, audience_id, distribution, kid, received_at)
    SELECT v.id, v.object_id, '2026-01-0' || number || 'T00:00:00.000Z', %(body)s, ''::bytea, 1, green.id, '', '', now()
    FROM versions v, green
)
INSERT INTO entry (seq, collection_id, date_added, version_id, object_id, type, audience_id, newest_audience_id,
                   is_newest, is_first, is_late, is_shared)
SELECT start.last_seq + v.seq, home.id, start.last_date_added + v.seq * interval '1 microsecond', v.id, v.object_id,
       'indicator', green.id, green.id, v.number = %(versions)s, v.number = 1, false, false
FROM versions v, home, green, start
"""


_TOUCHED = """
SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes),
       (SELECT sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0)
                   + coalesce(toast_blks_read + toast_blks_hit + tidx_blks_read + tidx_blks_hit, 0))
        FROM pg_statio_user_tables)
"""


@dataclass(frozen=True, slots=True)
class Touched:
    """Rows, entries of indexes among them, and blocks of 8 KiB."""

    rows: int
    blocks: int

    def __sub__(self, other: Touched) -> Touched:
        return Touched(self.rows - other.rows, self.blocks - other.blocks)


def touched_so_far() -> Touched:
    """By everybody in this database; all that this process's connection did is among it."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    with connections["owner"].cursor() as cursor:
        cursor.execute(_TOUCHED)
        return Touched(*map(int, cursor.fetchone()))


A_MILLION = pytest.param(500_000, marks=[pytest.mark.faults, pytest.mark.timeout(1_800)])


@pytest.fixture(scope="module", params=[30_000, A_MILLION])
def large_node(
    request: pytest.FixtureRequest, _migrated: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Community]:
    """A community with so many objects, each in two versions."""
    with django_db_blocker.unblock():
        empty_tables()
        community = make_community()
        lab = community.aurora
        assert lab.publish(lab.signed(lab.indicator()))[0].error is None
        fill(request.param)
        yield community
        empty_tables()
        close_connections()


def fill(objects: int) -> None:
    with connections["owner"].cursor() as cursor:
        count = objects * VERSIONS_EACH
        cursor.execute(MAKE, {"objects": objects, "versions": VERSIONS_EACH, "body": BODY})
        cursor.execute(
            "UPDATE sequencer SET last_seq = last_seq + %s, last_date_added = greatest(clock_timestamp(),"
            " last_date_added + %s * interval '1 microsecond')",
            [count, count],
        )
        cursor.execute("VACUUM (ANALYZE) entry, version, object")


@pytest.fixture
def fresh_server(services: TestServices, tmp_path: Path) -> Iterator[WebServer]:
    """A web process that has served nothing so far, so its memory is what the test made of it."""
    server = WebServer(services, tmp_path / "web.log")
    server.start()
    yield server
    server.stop()


def test_a_full_pull_of_very_many_leaves_no_memory_behind(large_node: Community, fresh_server: WebServer) -> None:
    client = client_of(fresh_server.url, large_node.borealis)
    query, pulled, early_mb = f"limit={PAGE}&match[version]=all", 0, 0.0
    page = ask(client, OBJECTS, query)
    while (envelope := page.json())["more"]:
        pulled += len(envelope["objects"])
        if pulled == WARM_PAGES * PAGE:
            early_mb = fresh_server.memory_mb("VmHWM")
        page = ask(client, OBJECTS, f"{query}&next={envelope['next']}")
    assert pulled >= 59 * PAGE
    assert fresh_server.memory_mb("VmHWM") - early_mb <= MOST_GROWTH_MB


QUERIES = (
    "",
    "added_after=2020-01-01T00:00:00Z",
    "added_after={middle}",
    "added_after={end}",
    "match[type]=indicator",
    "match[version]=first",
    "match[version]=all",
    "match[version]=first,last",
)


@pytest.mark.parametrize("collection", ["signatures", "all"])
@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("path", [OBJECTS, MANIFEST])
def test_five_of_very_many_touch_few_rows(large_node: Community, collection: str, query: str, path: str) -> None:
    last = Sequencer.objects.get().last_date_added
    middle, end = last - timedelta(microseconds=30_000), last - timedelta(microseconds=10)
    query = query.format(middle=format_taxii(middle), end=format_taxii(end))
    client = Client(headers={"Accept": TAXII, "Authorization": f"Bearer {large_node.borealis.token}"})
    costs = []
    for limit in LIMITS:
        before = touched_so_far()
        found = client.get(f"{path.replace('signatures', collection)}?limit={limit}&{query}")
        costs.append(touched_so_far() - before)
        assert found.status_code == 200
        assert found.content == b"{}" or len(found.json()["objects"]) == limit
    assert min(cost.rows for cost in costs) <= MOST_ROWS
    assert min(cost.blocks for cost in costs) <= MOST_BLOCKS
