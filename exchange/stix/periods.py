"""Times of an object: each must exist, and what ends must not end before it begins (STIX 2.1 sections 3 to 6)."""

from collections.abc import Mapping
from typing import Any, Final

from exchange.stix.errors import ObjectInvalidError
from exchange.stix.timestamps import ordering_key, parse_timestamp

# Begin, end, and whether both may be the same moment.
_PERIODS: Final = (
    ("created", "modified", True),
    ("valid_from", "valid_until", False),
    ("first_seen", "last_seen", True),
    ("start_time", "stop_time", False),
    ("first_observed", "last_observed", True),
    ("start", "end", True),
    ("analysis_started", "analysis_ended", True),
    ("validity_not_before", "validity_not_after", True),
)
# STIX 2.1 section 3.2 asks for milliseconds there; the JSON schema of marking-definition does not.
_PRECISE: Final = ("created", "modified")


def check_times(members: Mapping[str, Any], names: frozenset[str]) -> None:
    """Accept the timestamps under `names` of an object that fits its schema.

    Raises: ObjectInvalidError (`timestamp`, `order`) with the pointer of the one that is wrong.
    """
    for name in names:
        parse_timestamp(members[name], f"/{name}")
        if name in _PRECISE and len(members[name]) < len("2026-01-01T00:00:00.000Z"):
            raise ObjectInvalidError("timestamp", "At least three digits of a second are expected.", f"/{name}")
    if len(names) > 1:
        _check_periods(members, names)
    if members.get("is_active") is True and "end" in names:
        raise ObjectInvalidError("order", "Traffic that is still active has no end.", "/end")


def _check_periods(members: Mapping[str, Any], names: frozenset[str]) -> None:
    for begin, end, may_be_same in _PERIODS:
        if begin in names and end in names:
            begins, ends = ordering_key(members[begin]), ordering_key(members[end])
            if ends < begins or (ends == begins and not may_be_same):
                relation = "before" if may_be_same else "at or before"
                raise ObjectInvalidError("order", f"{end} lies {relation} {begin}.", f"/{end}")
