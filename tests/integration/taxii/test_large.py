"""A collection with a great many versions answers at once, whatever is asked of it.

The rows are made in SQL and are no signed objects, so nothing else uses them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from exchange.models import Sequencer
from exchange.stix.timestamps import format_taxii
from tests.integration.taxii.conftest import node_of
from tests.integration.taxii.walking import MANIFEST, OBJECTS, ROOT, ask, items
from tests.support.database import close_connections, empty_tables
from tests.support.labs import make_community
from tests.support.server import WebServer
from tests.support.taxii import Node

OBJECTS_MADE, VERSIONS_EACH = 30_000, 2
MOST_S = 0.5
"""Some twenty times what a page takes on an idle machine."""

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


@pytest.fixture(scope="module")
def large_node(web_server: WebServer, django_db_blocker: DjangoDbBlocker) -> Iterator[Node]:
    with django_db_blocker.unblock():
        empty_tables()
        node = node_of(web_server.url, make_community())
        lab = node.community.aurora
        assert node.aurora.post(lab.signed(lab.indicator())).status_code == 202
        with connections["owner"].cursor() as cursor:
            count = OBJECTS_MADE * VERSIONS_EACH
            cursor.execute(MAKE, {"objects": OBJECTS_MADE, "versions": VERSIONS_EACH, "body": b'{"id":"x"}'})
            cursor.execute(
                "UPDATE sequencer SET last_seq = last_seq + %s, last_date_added = greatest(clock_timestamp(),"
                " last_date_added + %s * interval '1 microsecond')",
                [count, count],
            )
            cursor.execute("ANALYZE entry, version, object")
        yield node
        empty_tables()
        close_connections()


@pytest.mark.parametrize("collection", ["signatures", "all"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "added_after=2020-01-01T00:00:00Z",
        "added_after={middle}",
        "added_after={end}",
        "match[type]=indicator",
        "match[version]=first",
    ],
)
def test_five_of_very_many_come_at_once(large_node: Node, collection: str, query: str) -> None:
    last = Sequencer.objects.get().last_date_added
    middle = last - timedelta(microseconds=OBJECTS_MADE)
    query = "limit=5&" + query.format(middle=format_taxii(middle), end=format_taxii(last - timedelta(microseconds=10)))
    for path in (OBJECTS, MANIFEST):
        path = path.replace("signatures", collection)
        ask(large_node.borealis, path, query)
        started = time.perf_counter()
        found = ask(large_node.borealis, path, query)
        assert time.perf_counter() - started < MOST_S
        assert found.content == b"{}" or len(items(found)) == 5
    assert ask(large_node.borealis, f"{ROOT}/collections/").status_code == 200
