"""Strict reading of the members of one JSON object of ours.

Every reader takes the members, the name wanted and the JSON pointer of the object, and answers with the typed value or
an :class:`ObjectInvalidError` that points at the member. It knows JSON types and limits, not what a member means.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from exchange.stix.errors import ObjectInvalidError, StixError, pointer_to
from exchange.stix.timestamps import ordering_key, parse_timestamp

JsonObject = Mapping[str, object]

#: Seconds since 1970 that still are a date everywhere: the end of the year 9999.
MAX_UNIX_SECONDS = 253_402_300_799

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_IDENTITY_ID = re.compile(f"identity--{_UUID}")
_NOTE_ID = re.compile(f"note--{_UUID}")
_OBJECT_ID = re.compile(f"[a-z][a-z0-9-]{{1,248}}[a-z0-9]--{_UUID}")
_SHA256_HEX = re.compile("[0-9a-f]{64}")


def members_of(value: object, pointer: str, *, required: Collection[str], optional: Collection[str] = ()) -> JsonObject:
    """The value as an object with all of the required, any of the optional, and no other members.

    Raises:
        ObjectInvalidError: extension-not-an-object, extension-member-missing, extension-member-unknown.
    """
    if not isinstance(value, dict):
        raise ObjectInvalidError("extension-not-an-object", "A JSON object is expected here.", pointer)
    for name in required:
        if name not in value:
            raise ObjectInvalidError("extension-member-missing", f"The member {name} is missing.", pointer)
    if len(value) > len(required):
        for name in value:
            if name not in required and name not in optional:
                where = pointer + pointer_to([name])
                raise ObjectInvalidError("extension-member-unknown", "There is no such member here.", where)
    return value


def _wrong(name: str, pointer: str, expected: str) -> ObjectInvalidError:
    return ObjectInvalidError("extension-value", f"The value must be {expected}.", f"{pointer}/{name}")


def list_of(members: JsonObject, name: str, pointer: str, *, most: int) -> list[object]:
    """A list of 1 to ``most`` items. Raises: ObjectInvalidError: extension-value."""
    value = members[name]
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise _wrong(name, pointer, f"a list of 1 to {most} items")
    return value


def one_of(members: JsonObject, name: str, pointer: str, words: Collection[str]) -> str:
    """One word of a closed list. Raises: ObjectInvalidError: extension-value."""
    value = members[name]
    if not isinstance(value, str) or value not in words:
        raise _wrong(name, pointer, f"one of {', '.join(sorted(words))}")
    return value


def whole_number(members: JsonObject, name: str, pointer: str, low: int, high: int) -> int:
    """An integer from low to high, both included. Raises: ObjectInvalidError: extension-value."""
    value = members[name]
    if type(value) is not int or not low <= value <= high:
        raise _wrong(name, pointer, f"an integer from {low} to {high}")
    return value


def truth(members: JsonObject, name: str, pointer: str) -> bool:
    """True or false. Raises: ObjectInvalidError: extension-value."""
    value = members[name]
    if not isinstance(value, bool):
        raise _wrong(name, pointer, "true or false")
    return value


def matching(members: JsonObject, name: str, pointer: str, form: re.Pattern[str], what: str) -> str:
    """Text that has the form from end to end. Raises: ObjectInvalidError: extension-value."""
    value = members[name]
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise _wrong(name, pointer, what)
    return value


def identity_id(members: JsonObject, name: str, pointer: str) -> str:
    """The id of an identity. Raises: ObjectInvalidError: extension-value."""
    return matching(members, name, pointer, _IDENTITY_ID, "the id of an identity")


def note_id(members: JsonObject, name: str, pointer: str) -> str:
    """The id of a note. Raises: ObjectInvalidError: extension-value."""
    return matching(members, name, pointer, _NOTE_ID, "the id of a note")


def object_id(members: JsonObject, name: str, pointer: str) -> str:
    """The id of any STIX object. Raises: ObjectInvalidError: extension-value."""
    return matching(members, name, pointer, _OBJECT_ID, "the id of a STIX object")


def sha256_hex(members: JsonObject, name: str, pointer: str) -> str:
    """64 lower-case hexadecimal digits. Raises: ObjectInvalidError: extension-value."""
    return matching(members, name, pointer, _SHA256_HEX, "64 lower-case hexadecimal digits")


def timestamp(members: JsonObject, name: str, pointer: str) -> str:
    """The ordering key of a STIX timestamp (STIX 2.1 section 2.16). Raises: ObjectInvalidError: extension-value."""
    value = members[name]
    key = _ordering_key(value) if isinstance(value, str) else None
    if key is None:
        raise _wrong(name, pointer, "a STIX timestamp")
    return key


# The entries of one object mostly share a few days: the same text is read once.
@lru_cache(maxsize=4096)
def _ordering_key(text: str) -> str | None:
    try:
        parse_timestamp(text)
    except StixError:
        return None
    return ordering_key(text)
