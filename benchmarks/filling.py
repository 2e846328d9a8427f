"""Fills a node's tables by COPY, past the services: many versions quickly, for measuring reads.

The bodies are those of `corpus.py` and there are no leaves: nothing here verifies. The database is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from benchmarks.corpus import FIRST_DATE, TYPE, date_of, object_body, stix_id
from exchange.services.sharing import audience_for, intern_audiences
from exchange.stix.markings import Tlp

CHUNK_ROWS = 10_000
KEY = "2026-01-01T00:00:00.000000"
_DIGEST = "\\\\x" + "00" * 32

COLUMNS = {
    "object": "(id, producer_id, stix_id, type, home_collection_id, created_text, newest_version_id,"
    " newest_audience_id, state, state_since)",
    "version": "(id, object_id, version_text, body, digest, label, audience_id, distribution, kid, received_at)",
    "version_key": "(object_id, version_key, version_id, digest)",
    "entry": "(seq, collection_id, date_added, version_id, object_id, type, audience_id, newest_audience_id, is_newest,"
    " is_first, is_shared)",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Whose the versions are, in which collection, under which label: ids of rows of the node."""

    producer: int
    collection: int
    label: Tlp = Tlp.GREEN


def fill(owner_url: str, place: Place, *, first: int, last: int) -> None:
    """Add versions `first` to `last` of as many objects to one place; the numbers are free so far and are their ids.

    owner_url: address of the role that owns the tables. The sequencer is set behind them. AMBER means every lab that
    may read the collection.
    """
    rule = audience_for(place.label, "", None)
    audience = intern_audiences([rule])[rule.digest]
    with psycopg.connect(owner_url) as connection:
        for table, columns in COLUMNS.items():
            with connection.cursor().copy(f"COPY {table} {columns} FROM STDIN") as copy:
                for chunk in _chunks(_ROWS[table], place, audience, range(first, last + 1)):
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


def _chunks(row: Callable[[int, Place, int], str], place: Place, audience: int, numbers: range) -> Iterator[bytes]:
    for start in range(0, len(numbers), CHUNK_ROWS):
        yield "".join([row(number, place, audience) for number in numbers[start : start + CHUNK_ROWS]]).encode()


def _object(number: int, place: Place, audience: int) -> str:
    return (
        f"{number}\t{place.producer}\t{stix_id(number)}\t{TYPE}\t{place.collection}\t{KEY}\t{number}\t{audience}"
        f"\tcurrent\t{FIRST_DATE}\n"
    )


def _version(number: int, place: Place, audience: int) -> str:
    body = object_body(number, place.label).hex()
    return f"{number}\t{number}\t{KEY}Z\t\\\\x{body}\t{_DIGEST}\t{int(place.label)}\t{audience}\t\t\t{FIRST_DATE}\n"


def _version_key(number: int, _place: Place, _audience: int) -> str:
    return f"{number}\t{KEY}\t{number}\t{_DIGEST}\n"


def _entry(number: int, place: Place, audience: int) -> str:
    return (
        f"{number}\t{place.collection}\t{date_of(number)}\t{number}\t{number}\t{TYPE}\t{audience}\t{audience}"
        "\tt\tt\tf\n"
    )


_ROWS = {"object": _object, "version": _version, "version_key": _version_key, "entry": _entry}
