"""Cuts the objects out of an envelope while it arrives, whatever the chunks: memory holds one object and one chunk.

Says the same as `split_envelope` of the same bytes, but for two things: an object of more than `MAX_OBJECT_BYTES` ends
the reading, because its end would have to be kept to name it, and of several faults the first to arrive is named. Each
byte is looked at a fixed number of times. What is inside an object is left to `read_object`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from exchange.stix.counting import count_values
from exchange.stix.errors import MalformedJsonError, pointer_to, shown
from exchange.stix.faults import find_fault
from exchange.stix.limits import (
    MAX_ENVELOPE_MEMBER_BYTES,
    MAX_OBJECT_BYTES,
    MAX_OBJECTS_PER_ENVELOPE,
    MAX_VALUES_PER_ENVELOPE,
)
from exchange.stix.reading import parse_value, too_deep
from exchange.stix.streaming_text import END, StreamedText, ValueTooLargeError

_RAW: Final = msgspec.json.Decoder(msgspec.Raw)
_NAME: Final = msgspec.json.Decoder(str)
_OBJECTS: Final = "objects"
_QUOTE, _COLON, _COMMA = b'":,'
_OPEN_OBJECT, _CLOSE_OBJECT, _OPEN_LIST, _CLOSE_LIST = b"{}[]"
_BEGINNINGS_OF_OTHERS: Final = frozenset(b'["-0123456789tfn')
_BYTE_ORDER_MARK: Final = 0xEF


@dataclass(frozen=True, slots=True)
class EnvelopeBounds:
    """How much one envelope may hold; what is beside the objects always has `MAX_ENVELOPE_MEMBER_BYTES`."""

    max_objects: int = MAX_OBJECTS_PER_ENVELOPE
    max_values: int = MAX_VALUES_PER_ENVELOPE
    max_object_bytes: int = MAX_OBJECT_BYTES


def stream_objects(chunks: Iterable[bytes], bounds: EnvelopeBounds | None = None) -> Iterator[bytes]:
    """The bytes of each member of `objects` of an envelope or bundle, as soon as it is there.

    What came before a fault has been answered when it is found: nothing counts before the iterator has ended.

    Raises: MalformedJsonError as `split_envelope`, and for an object of more than `max_object_bytes`.
    """
    return _Envelope(StreamedText(chunks), bounds or EnvelopeBounds()).objects()


class _Envelope:
    """The reading of one envelope."""

    def __init__(self, text: StreamedText, bounds: EnvelopeBounds) -> None:
        self._text = text
        self._bounds = bounds
        self._names: set[str] = set()
        self._beside_bytes = 0
        self._objects = 0
        self._values = 0

    def objects(self) -> Iterator[bytes]:
        """Read the members one after the other; answers what is in `objects`."""
        self._expect_beginning()
        following = self._text.peek()
        while following != _CLOSE_OBJECT:
            name = self._name(following)
            self._expect(_COLON, "a colon after the name")
            if name == _OBJECTS and self._text.peek() == _OPEN_LIST:
                yield from self._listed()
            else:
                self._member(name)
            following = self._after_value(_CLOSE_OBJECT)
        self._text.skip_one()
        if self._text.peek() != END:
            raise _syntax("something follows the envelope")

    def _expect_beginning(self) -> None:
        first = self._text.peek()
        if first == _OPEN_OBJECT:
            self._text.skip_one()
        elif first in _BEGINNINGS_OF_OTHERS:
            raise MalformedJsonError("not-an-object", "A JSON object is expected here.")
        elif first == _BYTE_ORDER_MARK:
            raise MalformedJsonError("byte-order-mark", "JSON must not begin with a byte order mark.")
        else:
            raise _syntax("an object is expected at the beginning")

    def _name(self, following: int) -> str:
        if following != _QUOTE:
            raise _syntax("a name in quotation marks is expected")
        raw = self._beside()
        try:
            name = _NAME.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise find_fault(raw) from None
        if name in self._names:
            message = f"The name {shown(name)} occurs twice in one object."
            raise MalformedJsonError("duplicate-name", message, pointer_to([name]))
        self._names.add(name)
        return name

    def _member(self, name: str) -> None:
        """A value beside the objects: sound, and otherwise of no meaning."""
        raw = self._beside()
        try:
            parse_value(raw)
        except MalformedJsonError as error:
            raise error.within(pointer_to([name])) from None
        if name == _OBJECTS:
            raise MalformedJsonError("not-a-list", "A list of objects is expected here.", f"/{_OBJECTS}")

    def _beside(self) -> bytes:
        """The next value or name, counted among what is beside the objects."""
        try:
            raw = self._text.take_value(MAX_ENVELOPE_MEMBER_BYTES - self._beside_bytes)
        except ValueTooLargeError:
            message = f"The members beside `objects` have more than {MAX_ENVELOPE_MEMBER_BYTES} bytes."
            raise MalformedJsonError("too-large", message) from None
        self._beside_bytes += len(raw)
        return raw

    def _listed(self) -> Iterator[bytes]:
        """The members of the list that begins here."""
        self._text.skip_one()
        following = self._text.peek()
        while following != _CLOSE_LIST:
            yield self._object()
            following = self._after_value(_CLOSE_LIST)
        self._text.skip_one()

    def _object(self) -> bytes:
        place = f"/{_OBJECTS}/{self._objects}"
        if self._objects == self._bounds.max_objects:
            message = f"At most {self._bounds.max_objects} objects fit in one request."
            raise MalformedJsonError("too-many-objects", message, f"/{_OBJECTS}")
        self._objects += 1
        try:
            raw = self._text.take_value(self._bounds.max_object_bytes)
            _RAW.decode(raw)
        except ValueTooLargeError:
            message = f"The object has more than {self._bounds.max_object_bytes} bytes."
            raise MalformedJsonError("too-large", message, place) from None
        except RecursionError:
            raise too_deep(place) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise find_fault(raw).within(place) from None
        self._values += count_values(raw)
        if self._values > self._bounds.max_values:
            raise MalformedJsonError("too-many-values", f"The JSON has more than {self._bounds.max_values} values.")
        return raw

    def _after_value(self, closing: int) -> int:
        """What follows a value: `closing`, or after a comma the beginning of the next value."""
        following = self._text.peek()
        if following == closing:
            return following
        self._expect(_COMMA, "a comma or the end")
        following = self._text.peek()
        if following == closing:
            raise _syntax("something is expected after the comma")
        return following

    def _expect(self, wanted: int, said: str) -> None:
        if self._text.peek() != wanted:
            raise _syntax(f"{said} is expected")
        self._text.skip_one()


def _syntax(said: str) -> MalformedJsonError:
    return MalformedJsonError("syntax", f"Not JSON: {said}.")
