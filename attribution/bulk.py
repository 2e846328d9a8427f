"""Bulk lookups: a short stream asks the tables, a long one asks a table in memory that was read under the same rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from attribution.claims_table import ClaimsTable, claims_in_sight
from attribution.lines import Asked, in_chunks, read_lines, refusal_line
from attribution.lookup import MAX_AT_ONCE, claims_for, find_claims, lookup_delivery
from attribution.matches import answer_of, finish_matches
from attribution.questions import Question
from attribution.sight import claim_sight
from exchange.services.clock import now
from exchange.services.delivery import record_delivery
from exchange.services.principals import Principal
from exchange.services.sharing import reading_as

CHUNK_LINES: Final = 500
"""Of an answer at a time; most of them have some fifty bytes."""

_NONE: Final = b"[]"
_VERSIONS: Final = (4, 6)


class Lookup:
    """The answers to one stream. All of the database is read when it is made; iterating it only writes lines."""

    def __init__(self, *, principal: Principal, lines: Sequence[bytes], door: str, include_stale: bool = False) -> None:
        """Ask.

        Raises:
            AccessDeniedError: the token does not read. NotReadyError: too much is known here for a long stream.
        """
        self._lines, self._include_stale, self._moment = lines, include_stale, now()
        self._asked = read_lines(lines)
        self._rendered: dict[tuple[int, int], bytes] = {}
        sight = claim_sight(principal)
        with reading_as(principal) as readable:
            self._table: ClaimsTable | None = None
            questions = list(self._asked.others.values())
            if len(lines) > MAX_AT_ONCE:
                self._table = claims_in_sight(sight, readable)
            else:
                questions = self._asked.questions()
            self._found: dict[str, Any] = {}
            for start in range(0, len(questions), MAX_AT_ONCE):
                found, _ = find_claims(sight, readable, questions[start : start + MAX_AT_ONCE])
                self._found |= found
            if self._asked.texts:
                record_delivery(lookup_delivery(principal, door, sight, readable, asked=len(lines)))

    def __iter__(self) -> Iterator[bytes]:
        """The answers, some lines at a time."""
        yield from in_chunks(self._answers(), CHUNK_LINES)

    def _answers(self) -> Iterator[bytes]:
        matches = self._matches_by_line()
        others, refusals = self._asked.others, self._asked.refusals
        for place, text in enumerate(self._asked.texts):
            if text is not None:
                # What was read as an address has no character that JSON would write otherwise.
                yield b'{"query":{"ip":"%b"},"matches":%b}\n' % (text.encode("ascii"), matches[place] or _NONE)
            elif place in refusals:
                yield refusal_line(place + 1, self._lines[place], refusals[place])
            else:
                yield self._answer_line(others[place])

    def _answer_line(self, question: Question) -> bytes:
        claims = claims_for(question, self._found)
        finished = finish_matches(claims, self._moment, include_stale=self._include_stale)
        return orjson.dumps(answer_of(question.to_json(), finished), option=orjson.OPT_APPEND_NEWLINE)

    def _matches_by_line(self) -> list[bytes | None]:
        """Of each line that asks for an address, its matches as JSON."""
        matches: list[bytes | None] = [None] * len(self._asked)
        if self._table is None:
            for place, question in _addresses(self._asked):
                matches[place] = self._render(claims_for(question, self._found))
            return matches
        for version in _VERSIONS:
            places = self._table.nets[version].innermost(b"".join(self._asked.packed[version])).tolist()
            for line, place in zip(self._asked.places[version], places, strict=True):
                if place >= 0:
                    matches[line] = self._rendered_at(version, place)
        return matches

    def _rendered_at(self, version: int, place: int) -> bytes:
        rendered = self._rendered.get((version, place))
        if rendered is None:
            assert self._table is not None
            rendered = self._rendered[version, place] = self._render(self._table.claims_around(version, place))
        return rendered

    def _render(self, claims: Sequence[Any]) -> bytes:
        """The matches, and `more` after them where some are left out."""
        finished = finish_matches(claims, self._moment, include_stale=self._include_stale)
        answer = answer_of({}, finished)
        more = b',"more":true' if "more" in answer else b""
        return orjson.dumps(answer["matches"]) + more


def _addresses(asked: Asked) -> Iterator[tuple[int, Question]]:
    lines = [line for version in _VERSIONS for line in asked.places[version]]
    yield from zip(lines, (each for each in asked.questions() if each.net is not None), strict=True)
