"""The claims that a reader may see, as a list for other software. All of the database is read before the first line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attribution.addresses import Net
from attribution.claims.sight import claim_sight
from attribution.lookups.claims_table import ClaimsTable, claims_in_sight
from attribution.lookups.formats import FORMATS, Entry, Head
from attribution.lookups.lookup import all_names, lookup_delivery
from attribution.lookups.matches import DO_NOT_BLOCK, finish_matches
from attribution.protection.marks import read_shield
from exchange.services.clock import now
from exchange.services.delivery import record_delivery
from exchange.services.principals import Principal
from exchange.services.sharing import reading_as

CHUNK_LINES: Final = 500


class Export:
    """The list of one reader in one format."""

    def __init__(self, *, principal: Principal, form: str, door: str, include_stale: bool = False) -> None:
        """Read what there is to list. form: one of `FORMATS`.

        Raises:
            AccessDeniedError: the token does not read. NotReadyError: too much is known here for one list.
        """
        self._form, self._include_stale, self._moment = form, include_stale, now()
        sight = claim_sight(principal)
        with reading_as(principal) as readable:
            self._table: ClaimsTable = claims_in_sight(sight, readable)
            names, label = all_names(sight, readable)
            self._shield = read_shield(self._moment)
            self._head = Head(max(label, self._table.label).label, principal.lab_slug, self._moment)
            record_delivery(
                lookup_delivery(principal, door, sight, readable, asked=len(self._table.objects), shows="export")
            )
        self._names = finish_matches(names, self._moment, include_stale=include_stale)

    def __iter__(self) -> Iterator[bytes]:
        """The list, some lines at a time."""
        chunk: list[str] = []
        for line in FORMATS[self._form](self._head, self._entries(), self._names, self._shield):
            chunk.append(line)
            if len(chunk) >= CHUNK_LINES:
                yield "".join(chunk).encode()
                chunk = []
        yield "".join(chunk).encode()

    def _entries(self) -> Iterator[Entry]:
        for version, table in self._table.nets.items():
            for place in range(len(table)):
                matches: list[dict[str, Any]] = finish_matches(
                    self._table.claims_at(version, place), self._moment, include_stale=self._include_stale
                )
                if matches:
                    net = table.net_at(place)
                    yield net, [match | self._guard_of(net) for match in matches]

    def _guard_of(self, net: Net) -> dict[str, Any]:
        mark = self._shield.mark_of(net) if self._shield else None
        return {} if mark is None else {DO_NOT_BLOCK: mark.to_json()}
