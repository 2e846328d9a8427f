"""Reading over HTTP: polls for ten new objects at two sizes, long pulls in pages of a thousand, memory, queries."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.db import connection
from django.test import Client

from benchmarks.filling import date_of, fill
from benchmarks.load import TAXII, Connection, make_request
from benchmarks.node import Node, running_node
from benchmarks.report import Row, percentile
from exchange.models import Collection
from exchange.stix.timestamps import format_taxii

FIRST_NUMBER = 1_001
"""Numbers below are the node's own: identities, fixed objects."""

SMALL, LARGE = 10_000, 1_000_000
POLLS = 300
WARM_UP_POLLS = 30
NEW_OBJECTS = 10
PAGE_OBJECTS = 1_000
PAGES = 100
ADDRESS = "/exchange/collections/attribution/objects/"

_RAW_PAGE = """
SELECT e.seq, v.body FROM entry e JOIN version v ON v.id = e.version_id
WHERE e.collection_id = %(collection)s AND e.seq > %(after)s AND e.is_newest ORDER BY e.seq LIMIT %(limit)s
"""


def main() -> None:
    """Run alone and print."""
    with running_node(workers=1) as node:
        measure(node)


def measure(node: Node) -> list[Row]:
    """Print and answer the rows about reading. Fills the node with a million versions."""
    collection = Collection.objects.get(alias="attribution")
    rows, medians = [], []
    first = FIRST_NUMBER
    for size in (SMALL, LARGE):
        last = FIRST_NUMBER + size - 1
        fill(
            node.services.owner_url,
            producer_id=node.community.aurora.lab.pk,
            collection_id=collection.pk,
            first=first,
            last=last,
        )
        first = last + 1
        before = sum(node.cpu_s())
        times = poll(node, last)
        cost_ms = (sum(node.cpu_s()) - before) / (POLLS + WARM_UP_POLLS) * 1e3
        medians.append(percentile(times, 50))
        against = f"processor time of one {cost_ms:.1f} ms"
        against += f"; p50 is {medians[-1] / medians[0]:.2f} of the first" if len(medians) > 1 else ""
        rows.append(_shown(Row(f"poll for {NEW_OBJECTS} new objects among {size:,}", _milliseconds(times), against)))
    rows += measure_pages(node, collection.pk)
    rows += measure_queries(node)
    return rows


def poll(node: Node, last: int) -> list[float]:
    """Seconds of each of `POLLS` requests for what was added last."""
    path = f"{ADDRESS}?limit={PAGE_OBJECTS}&added_after={format_taxii(date_of(last - NEW_OBJECTS))}"
    request = make_request("GET", path, node.community.borealis.token)
    link = Connection(node.server.port)
    times = []
    for number in range(-WARM_UP_POLLS, POLLS):
        began = time.perf_counter()
        answer = link.send(request)
        if number >= 0:
            times.append(time.perf_counter() - began)
    link.close()
    if answer.body.count(b'"type":"indicator"') != NEW_OBJECTS:
        raise AssertionError(f"the poll answered {answer.status}: {answer.body[:200]!r}")
    return times


def measure_pages(node: Node, collection_id: int) -> list[Row]:
    """Rows a second of a long pull, against the bare query; and what it does to the memory of the web process."""
    pull(node, 2)
    before_mb = peak_memory_mb(node)
    began = time.perf_counter()
    pulled_bytes = pull(node, PAGES)
    rate = PAGES * PAGE_OBJECTS / (time.perf_counter() - began)
    raw = raw_pages(node, collection_id)
    grown_mb = peak_memory_mb(node) - before_mb
    page_mb = pulled_bytes / PAGES / 1e6
    what = f"pull in pages of {PAGE_OBJECTS:,}, one connection"
    return [
        _shown(
            Row(what, f"{rate:,.0f} objects/s", f"{rate / raw:.0%} of PostgreSQL's bare keyset pages ({raw:,.0f}/s)")
        ),
        _shown(
            Row(
                f"memory that {PAGES} pages add to the peak of 2 pages",
                f"{grown_mb:.1f} MB",
                f"a page has {page_mb:.1f} MB, all of them {pulled_bytes / 1e6:.0f} MB",
            )
        ),
    ]


def pull(node: Node, pages: int) -> int:
    """Follow `next` for so many pages; answers the bytes of their bodies."""
    link, cursor, total_bytes = Connection(node.server.port), "", 0
    for _ in range(pages):
        path = f"{ADDRESS}?limit={PAGE_OBJECTS}" + (f"&next={quote(cursor)}" if cursor else "")
        answer = link.send(make_request("GET", path, node.community.borealis.token))
        total_bytes += len(answer.body)
        # The members before the objects: the client need not parse a megabyte to find the cursor.
        cursor = json.loads(answer.body[: answer.body.index(b',"objects"')] + b"}")["next"]
    link.close()
    return total_bytes


def raw_pages(node: Node, collection_id: int) -> float:
    """Rows a second of the same pages, by the owner role and without Python doing anything with them."""
    with psycopg.connect(node.services.owner_url) as link:
        after = 0
        began = time.perf_counter()
        for _ in range(PAGES):
            params = {"collection": collection_id, "after": after, "limit": PAGE_OBJECTS}
            rows = link.execute(_RAW_PAGE, params, prepare=True, binary=True).fetchall()
            after = rows[-1][0]
        return PAGES * PAGE_OBJECTS / (time.perf_counter() - began)


def peak_memory_mb(node: Node) -> float:
    """The highest resident memory so far of the web server's largest process."""
    group = node.server.process.pid if node.server.process is not None else 0
    peaks = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
        except OSError:
            continue  # ended meanwhile
        if int(fields.get("NSpgid", "0").split()[-1]) == group:
            peaks.append(int(fields["VmHWM"].split()[0]))
    return max(peaks) / 1024


def measure_queries(node: Node) -> list[Row]:
    """Statements that one page costs, whatever its length: counted on the wire."""
    settings.ALLOWED_HOSTS = ["testserver"]
    counts = {limit: _count_statements(node, limit) for limit in (1, PAGE_OBJECTS)}
    figure = " and ".join(str(count) for count in counts.values())
    return [_shown(Row(f"statements for a page of 1 and of {PAGE_OBJECTS:,}", figure, "BEGIN and COMMIT included"))]


def _count_statements(node: Node, limit: int) -> int:
    client = Client()
    headers = {"Authorization": f"Bearer {node.community.borealis.token}", "Accept": TAXII}
    connection.ensure_connection()
    with tempfile.NamedTemporaryFile() as trace:
        connection.connection.pgconn.trace(trace.fileno())
        answer = client.get(f"{ADDRESS}?limit={limit}", headers=headers)
        connection.connection.pgconn.untrace()
        trace.seek(0)
        sent = [line.split("\t")[1:4] for line in trace.read().decode("utf-8", "replace").splitlines()]
    if answer.status_code != 200:
        raise AssertionError(f"the page answered {answer.status_code}")
    return sum(
        fields[0] == "F" and fields[2].split(" ")[0] in ("Query", "Execute") for fields in sent if len(fields) == 3
    )


def _milliseconds(times: list[float]) -> str:
    return f"p50 {percentile(times, 50) * 1e3:.2f} ms, p99 {percentile(times, 99) * 1e3:.2f} ms"


def _shown(row: Row) -> Row:
    row.show()
    return row


if __name__ == "__main__":
    main()
