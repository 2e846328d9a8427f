"""The lines of a bulk lookup: read fast where they are what nearly all of them are, one address. Pure."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from attribution.addresses import Net
from attribution.lookups.questions import IP, MAX_LINE_BYTES, Question, question_of_line
from exchange.stix.errors import ObjectInvalidError

MAX_LINES: Final = 100_000
"""Of one stream (docs/attribution.md)."""

MAX_BYTES: Final = 16 * 1024 * 1024
"""Of one stream: 160 bytes a line, four times what an address needs."""

_MAPPED: Final = bytes(10) + b"\xff\xff"
_SIZES: Final = {4: 4, 6: 16}


@dataclass(slots=True)
class Asked:
    """What the lines ask. texts: of addresses, by line; None where the line asks otherwise. packed: the addresses of
    each version of IP, one after the other; places: the lines that they are of. others: questions about names, by line.
    refusals: what is wrong with a line."""

    texts: list[str | None] = field(default_factory=list)
    packed: dict[int, list[bytes]] = field(default_factory=lambda: {4: [], 6: []})
    places: dict[int, list[int]] = field(default_factory=lambda: {4: [], 6: []})
    others: dict[int, Question] = field(default_factory=dict)
    refusals: dict[int, ObjectInvalidError] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)

    def questions(self) -> list[Question]:
        """All of it as single questions, for a stream that is short."""
        addresses = [
            Question(IP, self.texts[place] or "", net=Net(version, int.from_bytes(packed, "big"), 8 * _SIZES[version]))
            for version in _SIZES
            for place, packed in zip(self.places[version], self.packed[version], strict=True)
        ]
        return [*addresses, *self.others.values()]


def read_lines(lines: Sequence[bytes]) -> Asked:
    """Read every line; what is wrong with one does not concern the others."""
    asked = Asked()
    loads, inet_pton, texts, fourth = orjson.loads, socket.inet_pton, asked.texts, asked.packed[4]
    places = asked.places[4]
    for place, line in enumerate(lines):
        # The fast way for what is right; whatever it trips over is read again with all questions of form.
        try:
            if len(line) > MAX_LINE_BYTES:
                raise ValueError
            members = loads(line)
            text = members["ip"]
            if len(members) != 1:
                raise ValueError
            fourth.append(inet_pton(socket.AF_INET, text))
        except (ValueError, TypeError, KeyError, OSError):
            texts.append(_read_slowly(asked, place, line))
        else:
            places.append(place)
            texts.append(text)
    return asked


def _read_slowly(asked: Asked, place: int, line: bytes) -> str | None:
    try:
        question = question_of_line(line)
    except ObjectInvalidError as error:
        asked.refusals[place] = error
        return None
    if question.net is None:
        asked.others[place] = question
        return None
    version = question.net.version
    asked.packed[version].append(question.net.first.to_bytes(_SIZES[version], "big"))
    asked.places[version].append(place)
    return str(question.text)


def refusal_line(number: int, line: bytes, error: ObjectInvalidError) -> bytes:
    """The answer to a line that is wrong. number: from 1. Of the line it repeats what is JSON."""
    return orjson.dumps(
        {"query": _echo(line), "line": number, "error": {"code": error.code, "detail": error.message}},
        option=orjson.OPT_APPEND_NEWLINE,
    )


def _echo(line: bytes) -> Any:
    if len(line) > MAX_LINE_BYTES:
        return None
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def split_lines(body: bytes) -> list[bytes]:
    """The lines of a body; what follows the last line break is one too, if there is any."""
    lines = body.split(b"\n")
    if not lines[-1].strip():
        lines.pop()
    return lines


def in_chunks(lines: Iterable[bytes], size: int) -> Iterable[bytes]:
    """The lines put together, some at a time."""
    chunk: list[bytes] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) >= size:
            yield b"".join(chunk)
            chunk = []
    if chunk:
        yield b"".join(chunk)
