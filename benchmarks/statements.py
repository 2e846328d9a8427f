"""Statements that one page costs, whatever its length: counted on the wire."""

from __future__ import annotations

import tempfile

from django.conf import settings
from django.db import connection
from django.test import Client

from benchmarks.connection import TAXII
from benchmarks.report import Report, Row


def measure(report: Report, *, path: str, token: str, limits: tuple[int, int]) -> None:
    """Add a row. path: of the objects of a collection; token: of a reader."""
    settings.ALLOWED_HOSTS = ["testserver"]
    # What a process does once: it knows the reader and the statements afterwards.
    _count(f"{path}?limit={limits[1] - 1}", token)
    counts = " and ".join(str(_count(f"{path}?limit={limit}", token)) for limit in limits)
    report.add(Row(f"statements for a page of {limits[0]} and of {limits[1]:,}", counts, "BEGIN and COMMIT included"))


def _count(path: str, token: str) -> int:
    client = Client()
    headers = {"Authorization": f"Bearer {token}", "Accept": TAXII}
    connection.ensure_connection()
    with tempfile.NamedTemporaryFile() as trace:
        connection.connection.pgconn.trace(trace.fileno())
        answer = client.get(path, headers=headers)
        connection.connection.pgconn.untrace()
        trace.seek(0)
        sent = [line.split("\t")[1:4] for line in trace.read().decode("utf-8", "replace").splitlines()]
    if answer.status_code != 200:
        raise AssertionError(f"the page answered {answer.status_code}")
    return sum(
        fields[0] == "F" and fields[2].split(" ")[0] in ("Query", "Execute") for fields in sent if len(fields) == 3
    )
