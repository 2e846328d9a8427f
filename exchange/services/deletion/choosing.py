"""Which versions of an object a deletion means, by the words of TAXII 2.1 section 3.4. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.services.query.versions import FIRST, LAST


@dataclass(frozen=True, slots=True)
class OwnVersion:
    """A stored version of the deleting lab's object. `is_held`: it waits for a marking, and nobody sees it.

    audience_id: who reads it; of the latest version, shown or held, who reads the object.
    """

    id: int
    key: str
    text: str
    digest: bytes
    audience_id: int
    is_held: bool
    is_revocation: bool


def choose(stored: Sequence[OwnVersion], versions: tuple[str, ...] | None) -> list[OwnVersion]:
    """Those that are named; every one if `versions` is None. First and last are those among what is shown."""
    if versions is None:
        return list(stored)
    wanted = set(versions)
    shown = [each.key for each in stored if not each.is_held]
    if shown:
        wanted |= {min(shown)} if FIRST in wanted else set()
        wanted |= {max(shown)} if LAST in wanted else set()
    return [each for each in stored if each.key in wanted]
