"""Timestamps of STIX 2.1 (section 2.16) and of TAXII 2.1: RFC 3339 in UTC, always with `Z`.

Reading keeps every digit: `ordering_key` compares what a `datetime` (microseconds) cannot tell apart.
"""

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from exchange.stix.errors import ObjectInvalidError, shown

# wire-format: nanoseconds. A version is a timestamp and stands in indexes and file names, so it must stay short.
MAX_FRACTION_DIGITS: Final = 9

_TIMESTAMP: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?Z")


def parse_timestamp(text: str, pointer: str = "") -> datetime:
    """Return an aware UTC time; digits beyond microseconds are cut off, never rounded up.

    Raises: ObjectInvalidError (`timestamp`) for another form, more than `MAX_FRACTION_DIGITS` digits after the
    point, or a time that does not exist. A leap second (`:60`) is refused: neither Python nor PostgreSQL keeps it
    apart from the next second.
    """
    matched = _TIMESTAMP.fullmatch(text)
    if matched is None:
        message = f"{shown(text)} is no timestamp of the form 2026-01-31T23:59:59.000Z."
        raise ObjectInvalidError("timestamp", message, pointer)
    if len(matched[2] or "") > MAX_FRACTION_DIGITS:
        message = f"{shown(text)} has more than {MAX_FRACTION_DIGITS} digits after the point."
        raise ObjectInvalidError("timestamp", message, pointer)
    try:
        whole = datetime.fromisoformat(matched[1])
    except ValueError:
        raise ObjectInvalidError("timestamp", f"{shown(text)} is no time that exists.", pointer) from None
    return whole.replace(microsecond=int((matched[2] or "0").ljust(6, "0")[:6]), tzinfo=UTC)


def ordering_key(text: str) -> str:
    """Return a text that sorts as the time does, at its full precision; equal for equal times.

    Expects a timestamp that `parse_timestamp` accepts.
    """
    seconds, _point, fraction = text[:-1].partition(".")
    return f"{seconds}.{fraction.rstrip('0')}"


def without_trailing_zeros(text: str) -> str:
    """Return the shortest text for the same time, as stix2 writes it before hashing."""
    return ordering_key(text).rstrip(".") + "Z"


def format_stix(moment: datetime) -> str:
    """Return an aware time as STIX writes `created` and `modified`: UTC, three digits, cut off."""
    return _in_utc(moment).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


_UTC_ZONES: Final = (UTC, ZoneInfo("UTC"))
"""UTC as Python and as PostgreSQL's driver name it: what is in it need not be asked for its offset, time and again."""


def format_taxii(moment: datetime) -> str:
    """Return an aware time as TAXII writes `date_added` (section 1.6.1): UTC, six digits."""
    aware = moment if moment.tzinfo in _UTC_ZONES else _in_utc(moment)
    return aware.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone has no UTC form")
    return moment.astimezone(UTC)
