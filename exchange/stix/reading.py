"""From bytes to syntactically sound JSON objects (I-JSON, RFC 7493), each with the exact bytes it came in.

What would take long is counted first and refused: values, numbers with a fraction, members beside the objects.
Then the fast path decides: orjson parses and writes back, and one comparison shows duplicate names. Only when
something is wrong, or cannot be ruled out, `faults.py` reads again, slowly, to say what and where.
Nothing here knows what a STIX object means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import orjson

from exchange.stix.canonical import canonicalize, is_canonical_dump, may_hold_noncharacter, sorted_dump
from exchange.stix.counting import count_fractions, count_quotes, exceeds_values
from exchange.stix.errors import MalformedJsonError, pointer_to
from exchange.stix.faults import find_fault, is_deeper_than, path_beyond_depth
from exchange.stix.limits import (
    MAX_DEPTH,
    MAX_ENVELOPE_MEMBER_BYTES,
    MAX_FRACTIONS_PER_OBJECT,
    MAX_OBJECT_BYTES,
    MAX_OBJECTS_PER_ENVELOPE,
    MAX_VALUES_PER_ENVELOPE,
    MAX_VALUES_PER_OBJECT,
)

__all__ = [
    "Envelope",
    "RawObject",
    "count_quotes",
    "parse_value",
    "read_object",
    "split_body",
    "split_envelope",
    "too_deep",
]

_JSON_WHITESPACE: Final = b" \t\n\r"
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class RawObject:
    """A syntactically sound I-JSON object; nothing about its meaning is known.

    raw: exactly the slice received. members: parsed; not to be changed.
    canonical: RFC 8785 bytes of the whole object, signature included.
    """

    raw: bytes
    members: Mapping[str, Any]
    canonical: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A TAXII envelope or STIX bundle, cut up: exact bytes of each object, other top-level members parsed."""

    objects: list[bytes]
    members: Mapping[str, Any]


def read_object(raw: bytes) -> RawObject:
    """Parse the bytes of one object.

    Raises: MalformedJsonError with a pointer to broken syntax, duplicate names, lone surrogates, numbers
    beyond 2^53 - 1, more than `MAX_DEPTH` levels, `MAX_OBJECT_BYTES` bytes, `MAX_VALUES_PER_OBJECT` values or
    `MAX_FRACTIONS_PER_OBJECT` numbers with a fraction.
    """
    if len(raw) > MAX_OBJECT_BYTES:
        raise MalformedJsonError("too-large", f"The object has more than {MAX_OBJECT_BYTES} bytes.")
    _check_values(raw, MAX_VALUES_PER_OBJECT)
    members, canonical = _parse(raw)
    if not isinstance(members, dict):
        raise MalformedJsonError("not-an-object", "A JSON object is expected here.")
    return RawObject(raw, members, canonical)


def split_envelope(body: bytes, *, max_objects: int = MAX_OBJECTS_PER_ENVELOPE) -> Envelope:
    """Cut `{"objects": [...], ...}` (TAXII 2.1 section 3.7, or a STIX bundle) into the bytes of its objects.

    Raises: MalformedJsonError for broken syntax around the objects, duplicate top-level names, an `objects`
    that is no list, too many objects or values, more than `MAX_ENVELOPE_MEMBER_BYTES` beside the objects. What is
    inside an object is left to `read_object`.
    """
    _check_values(body, MAX_VALUES_PER_ENVELOPE)
    return _envelope_of(_top_members(body), max_objects)


def split_body(body: bytes, *, max_values: int = MAX_VALUES_PER_ENVELOPE) -> list[bytes]:
    """Cut one object, a list of objects, or a bundle or envelope into the bytes of its objects.

    max_values: more for a file of one's own, which need not fit into one envelope.

    Raises: MalformedJsonError as `split_envelope`.
    """
    _check_values(body, max_values)
    if body.lstrip(_JSON_WHITESPACE)[:1] == b"[":
        return _items_of(body, "", MAX_OBJECTS_PER_ENVELOPE)
    members = _top_members(body)
    # observed-data has a deprecated member `objects` of its own, hence the look at the type.
    kind = members.get("type")
    is_bundle = "objects" in members if kind is None else bytes(kind) == b'"bundle"'
    if is_bundle:
        return _envelope_of(members, MAX_OBJECTS_PER_ENVELOPE).objects
    return [body.strip(_JSON_WHITESPACE)]


def parse_value(raw: bytes) -> Any:
    """Parse one value that stands beside the objects.

    Raises: MalformedJsonError as `read_object`, which bounds what it takes; here the caller does.
    """
    return _parse(raw)[0]


def _parse(raw: bytes) -> tuple[Any, bytes]:
    """Return the parsed value and its canonical bytes."""
    try:
        value = orjson.loads(raw)
        if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and is_deeper_than(value, MAX_DEPTH):
            raise too_deep(pointer_to(path_beyond_depth(value, MAX_DEPTH) or ()))
        dumped = sorted_dump(value)
    except (orjson.JSONDecodeError, TypeError):
        raise find_fault(raw) from None
    if count_quotes(raw) != count_quotes(dumped):
        raise find_fault(raw)
    if is_canonical_dump(dumped) and not may_hold_noncharacter(dumped):
        return value, dumped
    if count_fractions(dumped) > MAX_FRACTIONS_PER_OBJECT:
        message = f"At most {MAX_FRACTIONS_PER_OBJECT} numbers with a fraction are read."
        raise MalformedJsonError("too-many-fractions", message)
    fault = find_fault(raw, or_none=True)
    if fault is not None:
        raise fault
    return value, canonicalize(value)


def _check_values(text: bytes, most: int) -> None:
    if exceeds_values(text, most):
        raise MalformedJsonError("too-many-values", f"The JSON has more than {most} values.")


def too_deep(pointer: str) -> MalformedJsonError:
    """The refusal of what nests deeper than any STIX object."""
    return MalformedJsonError("too-deep", f"The JSON has more than {MAX_DEPTH} levels.", pointer)


def _top_members(body: bytes) -> dict[str, msgspec.Raw]:
    """Return the top-level members of a JSON object, unparsed and without surrounding whitespace."""
    try:
        members = _MEMBERS.decode(body)
    except RecursionError:
        raise too_deep("") from None
    except msgspec.ValidationError:
        raise MalformedJsonError("not-an-object", "A JSON object is expected here.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise find_fault(body) from None
    if len(members) > MAX_VALUES_PER_OBJECT:
        raise MalformedJsonError("too-many-values", f"The JSON has more than {MAX_VALUES_PER_OBJECT} members.")
    inside = sum(count_quotes(bytes(value)) for value in members.values())
    if count_quotes(body) != inside + 2 * len(members):
        raise find_fault(body)
    return members


def _envelope_of(members: dict[str, msgspec.Raw], max_objects: int) -> Envelope:
    beside = {name: value for name, value in members.items() if name != "objects"}
    if sum(len(name) + len(bytes(value)) for name, value in beside.items()) > MAX_ENVELOPE_MEMBER_BYTES:
        message = f"The members beside `objects` have more than {MAX_ENVELOPE_MEMBER_BYTES} bytes."
        raise MalformedJsonError("too-large", message)
    others = {name: _parse_member(name, value) for name, value in beside.items()}
    listed = members.get("objects")
    return Envelope([] if listed is None else _items_of(bytes(listed), "/objects", max_objects), others)


def _parse_member(name: str, value: msgspec.Raw) -> Any:
    try:
        return parse_value(bytes(value))
    except MalformedJsonError as error:
        raise error.within(pointer_to([name])) from None


def _items_of(listed: bytes, pointer: str, max_objects: int) -> list[bytes]:
    try:
        items = _ITEMS.decode(listed)
    except RecursionError:
        raise too_deep(pointer) from None
    except msgspec.ValidationError:
        raise MalformedJsonError("not-a-list", "A list of objects is expected here.", pointer) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise find_fault(listed).within(pointer) from None
    if len(items) > max_objects:
        raise MalformedJsonError("too-many-objects", f"At most {max_objects} objects fit in one request.", pointer)
    return [bytes(item) for item in items]
