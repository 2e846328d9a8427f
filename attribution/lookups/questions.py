"""What lookups are asked: one address, one autonomous system or one domain, checked and in its one form. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from attribution.addresses import Net, parse_address
from attribution.names import parse_asn, parse_domain
from exchange.stix.errors import ObjectInvalidError

IP: Final = "ip"
ASN: Final = "asn"
DOMAIN: Final = "domain"
NAMES: Final = (IP, ASN, DOMAIN)

MAX_LINE_BYTES: Final = 4_096
"""A name of a domain in any spelling, and room for the JSON around it."""


@dataclass(frozen=True, slots=True)
class Question:
    """name: `ip`, `asn` or `domain`. text: as it was asked, and as the answer repeats it. net: of an address alone.
    value: a domain as it is kept, or a number as decimal digits."""

    name: str
    text: str | int
    net: Net | None = None
    value: str = ""

    def to_json(self) -> dict[str, str | int]:
        """The question as the answer repeats it."""
        return {self.name: self.text}


def read_question(name: str, given: object) -> Question:
    """Check one question. Raises: ObjectInvalidError (`address`, `asn`, `domain`)."""
    if name == ASN:
        if isinstance(given, bool) or not isinstance(given, str | int):
            raise ObjectInvalidError("asn", "An autonomous system is a number, or a text such as AS64500.")
        return Question(name, given, value=str(parse_asn(str(given))))
    if not isinstance(given, str):
        raise ObjectInvalidError("address" if name == IP else name, f"The value of {name} is a text.")
    if name == IP:
        return Question(name, given, net=parse_address(given))
    return Question(name, given, value=parse_domain(given))


def question_of_line(line: bytes) -> Question:
    """The question of one line of JSON. Raises: ObjectInvalidError (`line` where it is no question at all)."""
    if len(line) > MAX_LINE_BYTES:
        raise ObjectInvalidError("line", f"A line has at most {MAX_LINE_BYTES} bytes.")
    try:
        members = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise ObjectInvalidError("line", "The line is not JSON.") from None
    return question_of(members)


def question_of(members: object) -> Question:
    """The question of an object with exactly one of `ip`, `asn`, `domain`. Raises: ObjectInvalidError."""
    if not isinstance(members, Mapping) or len(members) != 1 or next(iter(members)) not in NAMES:
        raise ObjectInvalidError("line", f"The line is an object with exactly one of {', '.join(NAMES)}.")
    name: Any = next(iter(members))
    return read_question(name, members[name])
