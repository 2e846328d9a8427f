"""A page costs the same number of statements whatever its length, counted on the wire to PostgreSQL."""

from __future__ import annotations

import re
from pathlib import Path

from django.db import connection
from django.test import Client

from tests.support.labs import Community
from tests.support.taxii import TAXII, objects_path

_STATEMENT = re.compile(r"\tF\t\d+\t(?:Query|Execute)\b")


def statements_of_page(client: Client, trace: Path, limit: int) -> tuple[int, int]:
    """Objects of a page, and statements that the whole request sent."""
    connection.ensure_connection()
    server = connection.connection.pgconn
    with trace.open("wb") as sink:
        server.trace(sink.fileno())
        response = client.get(objects_path("signatures"), {"limit": limit})
        server.untrace()
    assert response.status_code == 200
    found = len(response.json().get("objects", []))
    return found, len(_STATEMENT.findall(trace.read_text(errors="replace")))


def test_a_page_costs_the_same_number_of_statements_whatever_its_length(community: Community, tmp_path: Path) -> None:
    aurora = community.aurora
    outcomes = aurora.publish(*(aurora.signed(aurora.indicator()) for _ in range(60)))
    assert all(outcome.error is None for outcome in outcomes)
    headers = {"Accept": TAXII, "Authorization": f"Bearer {community.borealis.token}"}
    client = Client(headers=headers)
    statements_of_page(client, tmp_path / "warm.txt", 1)
    one, few = statements_of_page(client, tmp_path / "one.txt", 1)
    sixty, many = statements_of_page(client, tmp_path / "sixty.txt", 60)
    assert (one, sixty) == (1, 60)
    assert few == many
    assert 0 < many <= 12
