"""A server that is measured, seen over HTTP alone: what differs between them stands here, the client is the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from benchmarks.client import Pull
from benchmarks.connection import Answer, Connection, make_request
from benchmarks.corpus import date_of
from exchange.stix.timestamps import format_taxii


@dataclass(frozen=True, slots=True)
class Target:
    """One collection of a server; it holds the objects numbered `first` to `last` of the corpus.

    path: of the collection, with a slash at the end. authorization: value of the header. runs_on: for the table.
    """

    name: str
    runs_on: str
    port: int
    path: str
    authorization: str
    first: int
    last: int

    @property
    def stored(self) -> int:
        return self.last - self.first + 1

    def request(self, what: str = "objects", **parameters: str | int) -> bytes:
        """GET `objects` or `manifest` with these parameters."""
        query = "&".join(f"{name}={quote(str(value), safe=':')}" for name, value in parameters.items())
        return make_request("GET", f"{self.path}{what}/?{query}", self.authorization)

    def pull(self, page: int, most_s: float) -> Pull:
        """A full pull in pages of so many objects."""
        return Pull(self.port, f"{self.path}objects/", self.authorization, page, most_s)

    def windows(self, what: str, page: int) -> list[bytes]:
        """Requests for all whole pages, each of a window of its own by date: none can use what another left behind."""
        starts = range(self.first - 1, self.last - page + 1, page)
        return [self.request(what, limit=page, added_after=format_taxii(date_of(start))) for start in starts]

    def polls(self, new: int, page: int, count: int) -> list[bytes]:
        """Requests that each find the `new` last objects. Every one asks for another instant."""
        before = date_of(self.last - new)
        instants = (before + timedelta(microseconds=number % 1_000) for number in range(count))
        return [self.request(limit=page, added_after=format_taxii(instant)) for instant in instants]

    def follow(self, page: int) -> Iterator[tuple[bytes, Answer]]:
        """Page after page by `next`: what was asked and what was answered.

        Raises:
            AssertionError: an answer is no page.
        """
        request = self.request(limit=page)
        with closing(Connection(self.port)) as link:
            while True:
                answer = link.send(request)
                envelope = self.read(answer)
                yield request, answer
                if not envelope.get("more"):
                    break
                request = self.request(limit=page, next=envelope["next"])

    def read(self, answer: Answer) -> dict[str, Any]:
        """The envelope or manifest of an answer.

        Raises:
            AssertionError: it was refused or holds nothing.
        """
        found: dict[str, Any] = json.loads(answer.body) if answer.status == 200 else {}
        if not found.get("objects"):
            raise AssertionError(f"{self.name} answered {answer.status}: {answer.body[:300]!r}")
        return found
