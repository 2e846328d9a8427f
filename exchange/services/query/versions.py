"""Which versions of an object a reader gets (TAXII 2.1 section 3.4, match[version]).

`last` and `first` mean the latest and the earliest by version among those that match the rest of the request and
that the reader may see. For most rows a flag of the entry decides that, and an index finds them. The others are looked
at one by one: an older version that came late counts as the last only where `added_after` leaves out every newer one.
So a choice has branches, which the page merges; no row meets the conditions of two of one word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LAST: Final = "last"
FIRST: Final = "first"

# A version's instant as the text that sorts (stix.timestamps.ordering_key), from the version as its producer wrote it.
_KEY = """(split_part(rtrim({text}, 'Z'), '.', 1) || '.' ||
 rtrim(split_part(rtrim({text}, 'Z'), '.', 2), '0')) COLLATE "C\""""
KEY: Final = _KEY.format(text="v.version_text")
_OTHER_KEY: Final = _KEY.format(text="ov.version_text")

_NO_OTHER: Final = """NOT EXISTS (
    SELECT FROM entry other JOIN version ov ON ov.id = other.version_id
    WHERE other.object_id = e.object_id AND other.collection_id = e.collection_id
      AND other.audience_id = ANY (%(readable)s) AND {rest} AND (other.{flag} OR {other_key} {beyond} {key}))"""

_ADDED: Final = "other.seq > %(since)s"
_FOR_ANYBODY: Final = "(other.collection_id <> ALL (%(open)s) OR other.audience_id = ANY (%(anybody)s))"


@dataclass(frozen=True, slots=True)
class Branch:
    """A condition on `e` and `v`. `is_of_late`: only versions that came late meet it, and mostly there are none."""

    condition: str
    is_of_late: bool = False


def version_branches(versions: tuple[str, ...], *, has_added_after: bool, has_open_sources: bool) -> list[Branch]:
    """Conditions on `e` and `v` of which any is met by any of these: `first`, `last`, or version keys.

    Those that an index serves come first. Keys are in the parameter `version_keys`; `readable`, and where they are said
    to be there `since` (the place of `added_after`), `open` and `anybody`, are those of the rest of the request.
    """
    rest = [_ADDED] if has_added_after else []
    rest += [_FOR_ANYBODY] if has_open_sources else []
    branches, lookups = [], []
    if LAST in versions:
        branches.append(Branch("e.is_newest"))
    if FIRST in versions:
        branches.append(Branch("e.is_first"))
        lookups.append(Branch(f"NOT e.is_first AND {_none(rest, 'is_first', '<')}"))
    # Whoever reads any version of an object reads the newest one, so without `added_after` the flag says it all.
    if LAST in versions and has_added_after:
        condition = f"e.is_late AND NOT e.is_newest AND {_none(rest, 'is_newest', '>')}"
        lookups.append(Branch(condition, is_of_late=True))
    if version_keys(versions):
        lookups.append(Branch(f"{KEY} = ANY (%(version_keys)s)"))
    return branches + lookups


def version_keys(versions: tuple[str, ...]) -> list[str]:
    """The exact versions among the choices."""
    return sorted(set(versions) - {FIRST, LAST})


def _none(rest: list[str], flag: str, beyond: str) -> str:
    return _NO_OTHER.format(rest=" AND ".join(rest) or "true", flag=flag, other_key=_OTHER_KEY, beyond=beyond, key=KEY)
