"""Members of objects about which nothing is known: of the type that was asked for, or nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from exchange.stix.errors import StixError
from exchange.stix.timestamps import ordering_key, parse_timestamp


def text_in(members: Mapping[str, Any], name: str) -> str:
    """A text, "" if there is none."""
    value = members.get(name)
    return value if isinstance(value, str) else ""


def texts_in(members: Mapping[str, Any], name: str) -> list[str]:
    """The texts of a list."""
    value = members.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def maps_in(members: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    value = members.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def time_in(members: Mapping[str, Any], name: str) -> datetime | None:
    """A time in UTC, None if it is none."""
    try:
        return parse_timestamp(text_in(members, name)).astimezone(UTC)
    except StixError:
        return None


def version_key(members: Mapping[str, Any]) -> str:
    """Orders the versions of an object; "" for one whose version nobody can read."""
    return ordering_key(text_in(members, "modified")) if time_in(members, "modified") is not None else ""
