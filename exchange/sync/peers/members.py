"""Members of what a peer answers, one by one: typed, bounded, and what is meant for people made printable.

Each function raises PeerError (`malformed`) for another type or a text that is too long.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from exchange.stix.counting import exceeds_values
from exchange.stix.errors import MalformedJsonError
from exchange.stix.limits import MAX_VALUES_PER_ENVELOPE
from exchange.stix.reading import parse_value
from exchange.sync.peers.errors import PeerError, PeerFault, printable

MAX_TITLE_CHARS: Final = 250

MAX_SHORT_CHARS: Final = 250
"""Media types, ids of objects, versions: STIX has none that is longer."""

MAX_MESSAGE_CHARS: Final = 500

MAX_LISTED: Final = 100
"""Versions of a root and media types of a collection."""


def read_resource(body: bytes) -> Mapping[str, Any]:
    """The members of any resource: I-JSON, of bounded depth and number of values."""
    if exceeds_values(body, MAX_VALUES_PER_ENVELOPE):
        raise PeerError(PeerFault.TOO_LARGE, f"the answer has more than {MAX_VALUES_PER_ENVELOPE} values")
    try:
        value = parse_value(body)
    except MalformedJsonError as error:
        # Its message may quote the peer; its code is one of ours.
        raise PeerError(PeerFault.MALFORMED, f"the answer is no JSON that is read here ({error.code})") from None
    return mapping_of(value, "answer")


def message_in(members: Mapping[str, Any]) -> str:
    """`message`, for people; "" if there is none, or no text."""
    message = members.get("message", "")
    return printable(message, MAX_MESSAGE_CHARS) if isinstance(message, str) else ""


def title_in(members: Mapping[str, Any]) -> str:
    """`title`, for people; "" if there is none."""
    title = members.get("title", "")
    return printable(title, MAX_TITLE_CHARS) if isinstance(title, str) else malformed("title")


def short_in(members: Mapping[str, Any], name: str) -> str:
    """A text for programs, "" if there is none: never cut, as it would be another then."""
    text = members.get(name, "")
    if not isinstance(text, str) or len(text) > MAX_SHORT_CHARS or not text.isprintable():
        malformed(name)
    return text


def texts_in(members: Mapping[str, Any], name: str, *, required: bool = False) -> tuple[str, ...]:
    """A short list of texts for programs; none if it is missing and need not be there."""
    listed = list_in(members, name)
    if len(listed) > MAX_LISTED or (required and not listed):
        malformed(name)
    return tuple(short_in({name: each}, name) for each in listed)


def list_in(members: Mapping[str, Any], name: str) -> list[Any]:
    """A list of anything, empty if it is missing (an empty one may not be written, section 2)."""
    listed = members.get(name, [])
    return listed if isinstance(listed, list) else malformed(name)


def mapping_of(value: object, name: str) -> Mapping[str, Any]:
    """The value, which must be an object; `name` says where it stands."""
    return value if isinstance(value, dict) else malformed(name)


def flag_in(members: Mapping[str, Any], name: str) -> bool:
    """A boolean that must be there."""
    flag = members.get(name)
    return flag if isinstance(flag, bool) else malformed(name)


def count_in(members: Mapping[str, Any], name: str, otherwise: int) -> int:
    """A number of things; `otherwise` if it is missing."""
    count = members.get(name, otherwise)
    return count if type(count) is int and count >= 0 else malformed(name)


def uuid_of(value: object) -> str:
    """A UUID as the peer writes it: it is asked for in the same letters."""
    try:
        is_uuid = isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        is_uuid = False
    return value if isinstance(value, str) and is_uuid else malformed("id")


def malformed(name: str) -> NoReturn:
    """Give the whole answer up. Raises: PeerError (`malformed`): always."""
    raise PeerError(PeerFault.MALFORMED, f"the answer is no such TAXII resource: {name}")
