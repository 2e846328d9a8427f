"""A page costs the same number of statements whatever its length, counted on the wire to PostgreSQL."""

from __future__ import annotations

import re
from pathlib import Path

from django.db import connection
from django.test import Client

from tests.integration.taxii.walking import MANIFEST, OBJECTS, history, object_path, versions_path
from tests.support.labs import Community
from tests.support.taxii import TAXII

_STATEMENT = re.compile(r"\tF\t\d+\t(?:Query|Execute)\b")
MOST_STATEMENTS = 12


def statements_of_page(client: Client, trace: Path, path: str, query: str) -> tuple[int, int]:
    """Items of a page, and statements that the whole request sent."""
    connection.ensure_connection()
    server = connection.connection.pgconn
    with trace.open("wb") as sink:
        server.trace(sink.fileno())
        response = client.get(f"{path}?{query}")
        server.untrace()
    assert response.status_code == 200
    found = response.json()
    return len(found.get("objects", found.get("versions", []))), len(
        _STATEMENT.findall(trace.read_text(errors="replace"))
    )


def test_a_page_costs_the_same_number_of_statements_whatever_its_length(community: Community, tmp_path: Path) -> None:
    aurora = community.aurora
    versions = history(aurora, 60)
    bodies = [aurora.signed(aurora.indicator()) for _ in range(60)] + [aurora.signed(each) for each in versions]
    assert all(outcome.error is None for outcome in aurora.publish(*bodies))
    client = Client(headers={"Accept": TAXII, "Authorization": f"Bearer {community.borealis.token}"})
    one_object, its_versions = object_path(versions[0]["id"]), versions_path(versions[0]["id"])
    for path, query in (
        (OBJECTS, ""),
        (MANIFEST, ""),
        (OBJECTS, "&match[version]=all"),
        (OBJECTS, "&match[version]=first,last"),
        (OBJECTS, "&added_after=2020-01-01T00:00:00Z"),
        (one_object, "&match[version]=all"),
        (its_versions, ""),
    ):
        statements_of_page(client, tmp_path / "warm.txt", path, f"limit=2{query}")
        one, few = statements_of_page(client, tmp_path / "one.txt", path, f"limit=1{query}")
        sixty, many = statements_of_page(client, tmp_path / "sixty.txt", path, f"limit=60{query}")
        assert (one, sixty) == (1, 60)
        assert few == many
        assert 0 < many <= MOST_STATEMENTS
