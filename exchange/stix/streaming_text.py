"""A JSON text that arrives in chunks: skips white space, and takes one value after the other as bytes.

Finds where a value ends and no more: by its quotation marks and brackets, in jumps. Whether it is JSON, a parser says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from exchange.stix.errors import MalformedJsonError

END: Final = -1
"""What `peek` answers where the text has ended."""

_SPACE: Final = re.compile(rb"[ \t\n\r]*+")
_INSIDE: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
# Whole strings and what is between them; stops before a bracket, a string that is not whole yet, or the end.
_UP_TO_BRACKET: Final = re.compile(rb'[^][{}"]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^][{}"]*+)*+', re.DOTALL)
_SCALAR: Final = re.compile(rb'[^][{}",: \t\n\r]*+')
_QUOTE: Final = ord('"')
_OPENING: Final = frozenset(b"[{")
_CLOSING: Final = frozenset(b"]}")


class ValueTooLargeError(Exception):
    """The value is longer than its reader takes. Never leaves the package."""


class StreamedText:
    """The text from the place where its reader stands.

    Positions are those of the buffer, which begins at the value that is being read and is let go of in `_fill` alone:
    so a value is never longer than what its reader takes and one chunk.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._buffer = bytearray()
        self._at = 0

    def peek(self) -> int:
        """The next byte that is no white space, where the reader then stands; `END` if there is none."""
        while True:
            self._at = _end(_SPACE, self._buffer, self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._fill():
                return END

    def skip_one(self) -> None:
        """Go past the byte that `peek` answered."""
        self._at += 1

    def take_value(self, most: int) -> bytes:
        """The bytes of the value that begins after white space; empty where none does.

        Raises:
            ValueTooLargeError: it has more than `most` bytes. MalformedJsonError: the text ends in it.
        """
        first = self.peek()
        if first in _OPENING:
            length = self._container_bytes(most)
        elif first == _QUOTE:
            length = self._string_end(0, most)
        else:
            length = self._scalar_bytes(most)
        if length > most:
            raise ValueTooLargeError
        start, self._at = self._at, self._at + length
        with memoryview(self._buffer) as view:
            return bytes(view[start : self._at])

    def _container_bytes(self, most: int) -> int:
        """Length of the object or list that begins here. Brackets of both kinds are counted alike."""
        depth, offset = 0, 0
        while True:
            offset = _end(_UP_TO_BRACKET, self._buffer, self._at + offset) - self._at
            place = self._at + offset
            if place == len(self._buffer):
                self._need_more(most)
                continue
            byte = self._buffer[place]
            if byte == _QUOTE:
                offset = self._string_end(offset, most)
                continue
            offset += 1
            depth += 1 if byte in _OPENING else -1
            if depth == 0:
                return offset

    def _string_end(self, offset: int, most: int) -> int:
        """Offset after the string that begins at `offset`."""
        offset += 1
        while True:
            offset = _end(_INSIDE, self._buffer, self._at + offset) - self._at
            place = self._at + offset
            if place < len(self._buffer) and self._buffer[place] == _QUOTE:
                return offset + 1
            self._need_more(most)

    def _scalar_bytes(self, most: int) -> int:
        """Length of a number or a word, which ends where something else begins, or with the text."""
        offset = 0
        while True:
            offset = _end(_SCALAR, self._buffer, self._at + offset) - self._at
            if self._at + offset < len(self._buffer):
                return offset
            if len(self._buffer) - self._at > most:
                raise ValueTooLargeError
            if not self._fill():
                return offset

    def _need_more(self, most: int) -> None:
        if len(self._buffer) - self._at > most:
            raise ValueTooLargeError
        if not self._fill():
            raise MalformedJsonError("syntax", "Not JSON: the text ends too early.")

    def _fill(self) -> bool:
        """Add a chunk and let go of what was read; False at the end of the text."""
        del self._buffer[: self._at]
        self._at = 0
        for chunk in self._chunks:
            if chunk:
                self._buffer += chunk
                return True
        return False


def _end(pattern: re.Pattern[bytes], buffer: bytearray, at: int) -> int:
    """Where a pattern that matches anything ends. The match is not kept: it would hold the buffer in its place."""
    found = pattern.match(buffer, at)
    if found is None:
        raise AssertionError("the pattern matches the empty text")
    return found.end()
