"""Query strings, read strictly: what is malformed, repeated or oversized is refused and never guessed at.

What a parameter means beyond its form (a page limit, a time) is the door's; the forms that doors share stand here.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from exchange.services.errors import InvalidRequestError
from exchange.stix.errors import ObjectInvalidError, StixError, shown
from exchange.stix.timestamps import ordering_key, parse_timestamp

MAX_QUERY_CHARS: Final = 7_500
"""RFC 9110 section 4.1 asks for URIs of 8,000 octets; the rest is left to the path."""

MAX_PARAMETERS: Final = 32
"""TAXII has seven and REST fewer; a client's own may stand beside them."""

STIX_TYPE: Final = re.compile("[a-z0-9-]{1,250}")
"""STIX 2.1 section 3.1, without the lower bound, so that old types may be asked for."""

_LIMIT: Final = re.compile("[0-9]{1,9}")
_TOO_PRECISE: Final = re.compile(r"\.[0-9]{7}")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")
_FLAGS: Final = {"true": True, "false": False}


class Parameters:
    """The parameters of one request. Names and values are decoded; brackets may have come percent-encoded."""

    def __init__(self, query_string: str) -> None:
        """Raises: InvalidRequestError: too long, too many, not UTF-8, or with control characters."""
        self._values: dict[str, list[str]] = {}
        for name, value in _pairs_of(query_string):
            self._values.setdefault(name, []).append(value)

    def one(self, name: str) -> str | None:
        """The value of a parameter, None if it was not given.

        Raises: InvalidRequestError: given more than once.
        """
        values = self._values.get(name, [])
        if len(values) > 1:
            raise malformed(name, "is given more than once")
        return values[0] if values else None

    def text(self, name: str) -> str | None:
        """The value of a parameter that says something, None if it was not given.

        Raises: InvalidRequestError: given more than once, or empty.
        """
        text = self.one(name)
        if text == "":
            raise malformed(name, "is empty")
        return text

    def listed(self, name: str, form: re.Pattern[str], what: str) -> tuple[str, ...]:
        """The values of a comma-separated list, each of which has the form; () if it was not given.

        Raises: InvalidRequestError: repeated, or a value of another form; `what` says which was expected.
        """
        text = self.one(name)
        if text is None:
            return ()
        values = text.split(",")
        for value in values:
            if form.fullmatch(value) is None:
                raise malformed(name, f"{shown(value)} is not {what}")
        return tuple(values)

    def limit(self) -> int | None:
        """`limit`: a whole number above 0. Raises: InvalidRequestError."""
        text = self.one("limit")
        if text is None:
            return None
        if _LIMIT.fullmatch(text) is None or int(text) == 0:
            raise malformed("limit", "is a whole number from 1 to 999999999")
        return int(text)

    def added_after(self) -> datetime | None:
        """`added_after`: RFC 3339 in UTC with `Z` and at most six digits of a second (TAXII 2.1 section 3.4).

        Raises: InvalidRequestError.
        """
        return self.date("added_after")

    def date(self, name: str) -> datetime | None:
        """A `date_added`, in the form of `added_after`. Raises: InvalidRequestError."""
        text = self.one(name)
        if text is None:
            return None
        try:
            return _parse_date_added(text)
        except StixError:
            fault = f"{shown(text)} is not a time of the form 2026-01-31T23:59:59.000000Z"
            raise malformed(name, fault) from None

    def instant(self, name: str) -> str:
        """A time of STIX (section 2.16) as `ordering_key`, "" if it was not given. Raises: InvalidRequestError."""
        text = self.one(name)
        if text is None:
            return ""
        try:
            parse_timestamp(text)
        except StixError:
            raise malformed(name, f"{shown(text)} is not a time of the form 2026-01-31T23:59:59.000Z") from None
        return ordering_key(text)

    def flag(self, name: str) -> bool:
        """`true` or `false`; False if it was not given. Raises: InvalidRequestError."""
        text = self.one(name)
        if text is None:
            return False
        if text not in _FLAGS:
            raise malformed(name, "is true or false")
        return _FLAGS[text]

    def allow_only(self, names: Collection[str]) -> None:
        """Refuse a parameter that the address does not have. Raises: InvalidRequestError."""
        for name in self._values:
            if name not in names:
                known = f"; known are {', '.join(sorted(names))}" if names else ""
                raise InvalidRequestError(f"unknown parameter {shown(name)}{known}", code="parameter-unknown")


def malformed(name: str, fault: str) -> InvalidRequestError:
    """The refusal of one parameter."""
    return InvalidRequestError(f"the parameter {name} {fault}", code="parameter-malformed")


def _parse_date_added(text: str) -> datetime:
    if _TOO_PRECISE.search(text):
        raise ObjectInvalidError("timestamp", "A TAXII time has at most six digits of a second.")
    return parse_timestamp(text)


def _pairs_of(query_string: str) -> list[tuple[str, str]]:
    if len(query_string) > MAX_QUERY_CHARS:
        raise InvalidRequestError(f"a query has at most {MAX_QUERY_CHARS} characters", code="query-too-long")
    try:
        pairs = parse_qsl(query_string, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except UnicodeDecodeError:
        raise InvalidRequestError("the query is not UTF-8", code="parameter-malformed") from None
    except ValueError:
        raise InvalidRequestError(f"a query has at most {MAX_PARAMETERS} parameters", code="query-too-long") from None
    for pair in pairs:
        if _CONTROL.search("".join(pair)):
            raise InvalidRequestError("the query holds a control character", code="parameter-malformed")
    return pairs
