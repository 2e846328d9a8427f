"""Fills a node's tables by COPY, past the services: many versions quickly, for measuring reads.

The bodies are filler of the usual size without a signature, and there are no leaves: nothing here verifies. The
database is thrown away.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg

from exchange.services.sharing import AudienceRule, audience_for, intern_audiences
from exchange.stix.markings import Tlp

CHUNK_ROWS = 10_000
BODY_BYTES = 900
FIRST_DATE = datetime(2026, 1, 1, tzinfo=UTC)

_FILLER = (b'","description":"' + b"x" * BODY_BYTES)[:BODY_BYTES].hex()
_DIGEST = "\\\\x" + "00" * 32

COLUMNS = {
    "object": "(id, producer_id, stix_id, type, home_collection_id, created_text, newest_version_id,"
    " newest_audience_id, state, state_since)",
    "version": "(id, object_id, version_text, body, digest, label, audience_id, distribution, kid, received_at)",
    "version_key": "(object_id, version_key, version_id, digest)",
    "entry": "(seq, collection_id, date_added, version_id, object_id, type, audience_id, newest_audience_id, is_newest,"
    " is_first, is_shared)",
}
KEY = "2026-01-01T00:00:00.000000"


def date_of(number: int) -> datetime:
    """`date_added` of the version with this number."""
    return FIRST_DATE + timedelta(milliseconds=number)


def fill(owner_url: str, *, producer_id: int, collection_id: int, first: int, last: int) -> None:
    """Add versions `first` to `last` of as many objects, GREEN, to one collection; the numbers are free so far.

    owner_url: address of the role that owns the tables. The sequencer is set behind them.
    """
    audience = _audience(audience_for(Tlp.GREEN, "", None))
    with psycopg.connect(owner_url) as connection:
        for table, columns in COLUMNS.items():
            with connection.cursor().copy(f"COPY {table} {columns} FROM STDIN") as copy:
                for chunk in _chunks(table, producer_id, collection_id, audience, first, last):
                    copy.write(chunk)
        connection.execute(
            "UPDATE sequencer SET last_seq = greatest(last_seq, %(last)s),"
            " last_date_added = greatest(last_date_added, %(date)s)",
            {"last": last, "date": date_of(last)},
        )
        for sequence in ("version_id_seq", "object_id_seq"):
            connection.execute("SELECT setval(%s::regclass, %s)", [sequence, last])
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) object, version, version_key, entry")


def _audience(rule: AudienceRule) -> int:
    return intern_audiences([rule])[rule.digest]


def _chunks(table: str, producer: int, collection: int, audience: int, first: int, last: int) -> Iterator[bytes]:
    make = {"object": _object, "version": _version, "version_key": _version_key, "entry": _entry}[table]
    for start in range(first, last + 1, CHUNK_ROWS):
        numbers = range(start, min(start + CHUNK_ROWS, last + 1))
        yield "".join([make(number, producer, collection, audience) for number in numbers]).encode()


def _stix_id(number: int) -> str:
    return f"indicator--{uuid.UUID(int=number, version=4)}"


def _object(number: int, producer: int, collection: int, audience: int) -> str:
    return (
        f"{number}\t{producer}\t{_stix_id(number)}\tindicator\t{collection}\t{KEY}\t{number}\t{audience}\tcurrent"
        f"\t{FIRST_DATE}\n"
    )


def _version(number: int, _producer: int, _collection: int, audience: int) -> str:
    head = f'{{"type":"indicator","id":"{_stix_id(number)}"'.encode().hex()
    tail = b'"}'.hex()
    return (
        f"{number}\t{number}\t{KEY}Z\t\\\\x{head}{_FILLER}{tail}\t{_DIGEST}\t{int(Tlp.GREEN)}\t{audience}\t\t\t"
        f"{FIRST_DATE}\n"
    )


def _version_key(number: int, _producer: int, _collection: int, _audience: int) -> str:
    return f"{number}\t{KEY}\t{number}\t{_DIGEST}\n"


def _entry(number: int, _producer: int, collection: int, audience: int) -> str:
    return (
        f"{number}\t{collection}\t{date_of(number)}\t{number}\t{number}\tindicator\t{audience}\t{audience}\tt\tt\tf\n"
    )
