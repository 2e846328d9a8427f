"""Bulk lookups: a short stream asks the tables, a long one asks a table in memory that was read under the same rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from attribution.claims.sight import claim_sight
from attribution.lookups.claims_table import ClaimsTable, claims_in_sight
from attribution.lookups.lines import Asked, in_chunks, read_lines, refusal_line
from attribution.lookups.lookup import (
    MAX_AT_ONCE,
    claims_under,
    find_claims,
    find_marks,
    keys_of,
    lookup_delivery,
    protection_of,
)
from attribution.lookups.matches import DO_NOT_BLOCK, MAX_MATCHES, Claim, answer_of, finish_matches
from attribution.lookups.questions import Question
from attribution.lookups.table import NONE
from attribution.protection.marks import read_shield
from exchange.services.clock import now
from exchange.services.delivery import record_delivery
from exchange.services.principals import Principal
from exchange.services.sharing import reading_as

CHUNK_LINES: Final = 500
"""Of an answer at a time; most of them have some fifty bytes."""

ANY_NET: Final = "0.0.0.0/0"
"""Stands for the network while a match is written that differs from others in nothing else. What protects an address
is put behind it in `_rendered_at`, as `finish_matches` does."""

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
        self._rendered: dict[tuple[int, int, int], bytes] = {}
        self._pieces: dict[bytes, tuple[bytes, ...]] = {}
        sight = claim_sight(principal)
        with reading_as(principal) as readable:
            self._table: ClaimsTable | None = None
            questions = list(self._asked.others.values())
            if len(lines) > MAX_AT_ONCE:
                self._table, self._shield = claims_in_sight(sight, readable), read_shield(self._moment)
            else:
                questions = self._asked.questions()
            self._claims: dict[Question, list[Claim]] = {}
            self._marks: dict[str, Any] = {}
            for start in range(0, len(questions), MAX_AT_ONCE):
                some = questions[start : start + MAX_AT_ONCE]
                keys = [keys_of(each) for each in some]
                found, _ = find_claims(sight, readable, some, keys)
                claims = [claims_under(each, found) for each in keys]
                self._claims |= zip(some, claims, strict=True)
                self._marks |= find_marks(some, claims, self._moment)
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
        answer = answer_of(question.to_json(), self._finished(question))
        return orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE)

    def _finished(self, question: Question) -> list[dict[str, Any]]:
        return finish_matches(
            self._claims[question],
            self._moment,
            include_stale=self._include_stale,
            protection=protection_of(question, self._marks),
        )

    def _matches_by_line(self) -> list[bytes | None]:
        """Of each line that asks for an address, its matches as JSON."""
        matches: list[bytes | None] = [None] * len(self._asked)
        if self._table is None:
            for place, question in _addresses(self._asked):
                matches[place] = self._render(question)
            return matches
        for version in _VERSIONS:
            packed = b"".join(self._asked.packed[version])
            places = self._table.nets[version].innermost(packed).tolist()
            guards = self._shield.places_of(version, packed).tolist()
            for line, place, guard in zip(self._asked.places[version], places, guards, strict=True):
                if place >= 0:
                    matches[line] = self._rendered_at(self._table, version, place, guard)
        return matches

    def _rendered_at(self, table: ClaimsTable, version: int, place: int, guard: int) -> bytes:
        """The matches of an address by the place of the narrowest network around it, as `_render` writes them.

        guard: the place of the protected network around it, or NONE.
        """
        rendered = self._rendered.get((version, place, guard))
        if rendered is None:
            parts: list[bytes] = []
            around = place
            while around >= 0:
                parts += self._parts_of(table, version, around)
                around = int(table.nets[version].parents[around])
            if guard != NONE:
                reason = orjson.dumps({DO_NOT_BLOCK: self._shield.mark_at(version, guard).to_json()})
                parts = [b"%b,%b" % (part[:-1], reason[1:]) for part in parts[: MAX_MATCHES + 1]]
            more = b',"more":true' if len(parts) > MAX_MATCHES else b""
            rendered = self._rendered[version, place, guard] = b"[%b]%b" % (b",".join(parts[:MAX_MATCHES]), more)
        return rendered

    def _parts_of(self, table: ClaimsTable, version: int, place: int) -> list[bytes]:
        """The matches of one network. What claims say is written once, if they differ in nothing but the network."""
        net = str(table.nets[version].net_at(place)).encode()
        parts = []
        for row in table.rows_at(version, place):
            key = table.columns[version][row].tobytes()
            pieces = self._pieces.get(key)
            if pieces is None:
                pieces = self._pieces[key] = self._pieces_of(table.claim(version, row, ANY_NET))
            if pieces:
                parts.append(b"%b%b%b" % (pieces[0], net, pieces[1]))
        return parts

    def _pieces_of(self, claim: Claim) -> tuple[bytes, ...]:
        """What stands in a match before and after its network; nothing if it is left out."""
        finished = finish_matches([claim], self._moment, include_stale=self._include_stale)
        if not finished:
            return ()
        head, _, tail = orjson.dumps(finished[0]).partition(b'"net":"%b"' % ANY_NET.encode())
        return head + b'"net":"', b'"' + tail

    def _render(self, question: Question) -> bytes:
        """The matches, and `more` after them where some are left out."""
        answer = answer_of({}, self._finished(question))
        more = b',"more":true' if "more" in answer else b""
        return orjson.dumps(answer["matches"]) + more


def _addresses(asked: Asked) -> Iterator[tuple[int, Question]]:
    lines = [line for version in _VERSIONS for line in asked.places[version]]
    yield from zip(lines, (each for each in asked.questions() if each.net is not None), strict=True)
