"""What /metrics says: counters of the web processes, and totals read from the database.

With PROMETHEUS_MULTIPROC_DIR set, counters of all web processes of this machine are summed; without it, each process
answers for itself. Labels are codes, doors, types and operators' names of peers; never a lab, an object or an address.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from threading import Lock

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from exchange.services.database import writing
from exchange.web.peer_metrics import read_peer_families

REQUESTS = Counter("commonwatch_requests", "Answers, by door, method and status", ["door", "method", "status"])
SECONDS = Histogram("commonwatch_request_seconds", "Time until the answer began, by door", ["door"])

DOORS = frozenset({"taxii2", "exchange", "api", "admin", "log", "healthz", "readyz", "metrics", "static"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
TOTALS_LIFE_S = 15.0
"""Counting objects by type reads an index of them all: once a scrape interval is enough, whoever asks."""

_OBJECTS = "SELECT type, state, count(*) FROM object GROUP BY type, state ORDER BY type, state"
_ROWS = """
SELECT (SELECT last_seq FROM sequencer WHERE id = 1),
       (SELECT count(*) FROM held),
       (SELECT count(*) FROM lab WHERE kind = 'lab' AND status = 'active'),
       (SELECT count(*) FROM lab WHERE kind = 'lab' AND status = 'suspended'),
       (SELECT count(*) FROM token WHERE revoked_at IS NULL AND expires_at > now()),
       (SELECT count(*) FROM staged_envelope), (SELECT coalesce(sum(octets), 0) FROM staged_envelope)
"""


class RequestMetrics:
    """Middleware that counts answers and times them; the outermost, so that it sees every refusal."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self._get_response(request)
        door = door_of(request.path_info)
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(door, method, response.status_code).inc()
        SECONDS.labels(door).observe(time.perf_counter() - began)
        return response


def door_of(path: str) -> str:
    """The first part of a path if it names a door: paths from outside are no labels, there would be no end of them."""
    first = path.lstrip("/").partition("/")[0]
    return first if first in DOORS else "web"


class NodeTotals(Collector):
    """Totals from the database, kept for `TOTALS_LIFE_S`. `commonwatch_database_up` is 0 when it does not answer."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._read_at = 0.0
        self._families: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if not self._families or time.monotonic() - self._read_at > TOTALS_LIFE_S:
                self._families = _read_families()
                self._read_at = time.monotonic()
            return list(self._families)


def _read_families() -> list[Metric]:
    up = GaugeMetricFamily("commonwatch_database_up", "Whether the database answered this scrape")
    try:
        with writing(), connection.cursor() as cursor:
            cursor.execute(_OBJECTS)
            objects = cursor.fetchall()
            cursor.execute(_ROWS)
            last_seq, held, active, suspended, tokens, envelopes, octets = cursor.fetchone()
            peers = read_peer_families()
    except DatabaseError:
        up.add_metric([], 0)
        return [up]
    up.add_metric([], 1)
    by_type = GaugeMetricFamily("commonwatch_objects", "Objects stored, by type and state", labels=["type", "state"])
    for type_, state, count in objects:
        by_type.add_metric([type_, state], count)
    labs = GaugeMetricFamily("commonwatch_labs", "Member labs, by status", labels=["status"])
    labs.add_metric(["active"], active)
    labs.add_metric(["suspended"], suspended)
    return [
        up,
        by_type,
        labs,
        GaugeMetricFamily("commonwatch_last_seq", "Newest number of the sequence", value=last_seq),
        GaugeMetricFamily("commonwatch_held_versions", "Versions that wait for their marking", value=held),
        GaugeMetricFamily("commonwatch_valid_tokens", "Tokens neither expired nor revoked", value=tokens),
        GaugeMetricFamily("commonwatch_staged_envelopes", "Large envelopes that wait or are arriving", value=envelopes),
        GaugeMetricFamily(
            "commonwatch_staged_bytes", "Bytes of their objects, published ones among them", value=octets
        ),
        *peers,
    ]


_totals = NodeTotals()


def render_metrics() -> bytes:
    """The whole answer of /metrics."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        own: CollectorRegistry = REGISTRY
    else:
        own = CollectorRegistry()
        MultiProcessCollector(own)  # type: ignore[no-untyped-call]  # prometheus_client has gaps in its types
    totals = CollectorRegistry()
    totals.register(_totals)
    return generate_latest(own) + generate_latest(totals)
