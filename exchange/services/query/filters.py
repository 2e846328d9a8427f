"""Filters of a search: what they are, and the conditions that they mean in SQL. The reader's rights stand elsewhere.

Tags and words are asked of the view `facet_in_sight`, whose one index serves them together with the reader's places;
the rest is asked of what a page reads anyway.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from exchange.stix.facets import tag, words_of_query
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import format_taxii


@dataclass(frozen=True, slots=True)
class Filters:
    """What objects have to meet beside type and date of a page: every filter that is given, with any of its values.

    labels: TLP labels. said: labels of STIX. externals: ids in external references, as `AML.T0024`. markings,
    refers_to: STIX ids. modified_after, modified_before, valid_at: instants as `ordering_key`. added_before: earlier
    than this. text: words to look for, as a person types them.
    """

    producers: tuple[str, ...] = ()
    labels: tuple[Tlp, ...] = ()
    states: tuple[str, ...] = ()
    pattern_types: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    externals: tuple[str, ...] = ()
    markings: tuple[str, ...] = ()
    refers_to: tuple[str, ...] = ()
    modified_after: str = ""
    modified_before: str = ""
    valid_at: str = ""
    added_before: datetime | None = None
    revoked: bool | None = None
    text: str = ""

    @property
    def is_about_content(self) -> bool:
        """Whether words or tags are asked for, and no time of a version, for which there is an index of its own."""
        tags = self.pattern_types or self.said or self.externals or self.markings or self.refers_to
        return bool(tags or self.text) and not (self.modified_after or self.modified_before)

    def question(self) -> dict[str, object]:
        """The part that a cursor is bound to: what was given, without order."""
        given = {name: value for name, value in asdict(self).items() if value not in ((), "", None)}
        return {name: _plain(value) for name, value in given.items()}


def _plain(value: Any) -> object:
    if isinstance(value, datetime):
        return format_taxii(value)
    if isinstance(value, tuple):
        return sorted(each.label if isinstance(each, Tlp) else each for each in value)
    return value


def entry_conditions(filters: Filters) -> tuple[list[str], dict[str, Any]]:
    """Conditions on `e`, `v` and `o`, and their parameters; `producer_ids` is the caller's to add where it is asked."""
    conditions: list[str] = []
    params: dict[str, Any] = {}
    for name, values, condition in (
        ("labels", [int(label) for label in filters.labels], "v.label = ANY (%(labels)s)"),
        ("states", filters.states, "o.state = ANY (%(states)s)"),
    ):
        if values:
            conditions.append(condition)
            params[name] = list(values)
    if filters.producers:
        conditions.append("o.producer_id = ANY (%(producer_ids)s)")
    if filters.revoked is not None:
        conditions.append("(o.state = 'revoked') = %(revoked)s")
        params["revoked"] = filters.revoked
    if filters.added_before is not None:
        conditions.append("e.seq <= seq_at(%(added_before)s::timestamptz - interval '1 microsecond')")
        params["added_before"] = filters.added_before
    return conditions, params


def facet_conditions(filters: Filters) -> tuple[list[str], dict[str, Any]]:
    """Conditions on `f`, a row of `facet_in_sight`, and their parameters; none where no filter asks for it."""
    conditions: list[str] = []
    params: dict[str, Any] = {}
    for kind, values in (
        ("pattern", filters.pattern_types),
        ("label", filters.said),
        ("external", filters.externals),
        ("marking", filters.markings),
        ("refers", filters.refers_to),
    ):
        if values:
            conditions.append(f"f.tags && %({kind}_tags)s")
            params[f"{kind}_tags"] = [tag(kind, value) for value in values]
    for name, value, condition in (
        ("modified_after", filters.modified_after, "f.modified > %(modified_after)s"),
        ("modified_before", filters.modified_before, "f.modified < %(modified_before)s"),
        ("valid_at", filters.valid_at, _VALID),
        ("text", words_of_query(filters.text), "f.words @@ websearch_to_tsquery('english', %(text)s)"),
    ):
        if value:
            conditions.append(condition)
            params[name] = value
    return conditions, params


# STIX 2.1 section 4.7: valid_from is the first instant, valid_until the first instant after.
_VALID: Final = """f.valid_from <> '' AND f.valid_from <= %(valid_at)s
 AND (f.valid_until = '' OR f.valid_until > %(valid_at)s)"""
