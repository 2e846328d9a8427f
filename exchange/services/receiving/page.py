"""A page of a peer as it was read: what its objects say, and the turns in which they are taken. Asks no database.

A turn is a transaction. Each new identity has one, because the rest is verified with the keys that it introduces; then
notes of withdrawal, a few at a time; last everything else at once, with the place of the channel. So each transaction
knows what it will change before it changes anything, locks that in the order of everybody, and takes the sequencer
last.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property, partial
from typing import Final

from exchange.services.errors import ExchangeError, InvalidRequestError
from exchange.services.publishing.item import Item, each
from exchange.services.publishing.proving import is_lab_identity, open_item
from exchange.services.publishing.reading import parse_item
from exchange.stix.errors import StixError
from exchange.stix.extensions import Withdrawal, check_extensions
from exchange.stix.fixed import SIGNATURE_EXTENSION, WITHDRAWAL_EXTENSION, is_fixed

NOTES_AT_ONCE: Final = 100
"""Each is an object to lock and a note to sign, and may be a deletion, which holds the sequencer."""


MAX_VERSIONS_OF_AN_IDENTITY: Final = 20

logger = logging.getLogger(__name__)


class Step(StrEnum):
    IDENTITY = "identity"
    NOTES = "notes"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one transaction takes: one identity, some notes, or the rest, which may be nothing. is_last: nothing of the
    page comes after it, so the place of the channel goes with it."""

    step: Step
    items: tuple[Item, ...]
    is_last: bool = False

    def begun(self) -> Turn:
        """The turn for one try of its transaction: what becomes of its items in it is forgotten if it fails."""
        return replace(self, items=tuple(_as_read(item) for item in self.items))

    def halves(self) -> tuple[Turn, Turn]:
        """The turn in two, in its order."""
        middle = len(self.items) // 2
        return replace(self, items=self.items[:middle], is_last=False), replace(self, items=self.items[middle:])


@dataclass
class Page:
    """The objects of a page in their order.

    taken_back: by the producer's identity and the object's id, the place of the last note that was followed.
    """

    items: tuple[Item, ...]
    taken_back: dict[tuple[str, str], int] = field(default_factory=dict)

    @cached_property
    def identities(self) -> list[Item]:
        """Identities with keys, as far as they could be read."""
        return [item for item in self.items if item.error is None and item.signed is not None and is_lab_identity(item)]

    def turns(self, known: Collection[int]) -> list[Turn]:
        """The turns, the rest last. known: indexes of identities that are stored as they are."""
        new = [item for item in self.identities if item.index not in known]
        notes = self.notes
        apart = {item.index for item in (*new, *notes)}
        some = [tuple(notes[start : start + NOTES_AT_ONCE]) for start in range(0, len(notes), NOTES_AT_ONCE)]
        return [
            *(Turn(Step.IDENTITY, (item,)) for item in new),
            *(Turn(Step.NOTES, each_time) for each_time in some),
            Turn(Step.REST, tuple(item for item in self.items if item.index not in apart), is_last=True),
        ]

    @cached_property
    def notes(self) -> list[Item]:
        """Signed notes of withdrawal, as far as they could be read."""
        return [item for item in self.items if note_of(item) is not None]

    @cached_property
    def _last(self) -> Mapping[str, int]:
        """By id: the place of the last object that says it."""
        return {item.claimed_id: item.index for item in self.items if item.claimed_id}

    def comes_after(self, note: Item) -> bool:
        """Whether the page has the object of a note once more after the note."""
        said = note_of(note)
        return said is not None and self._last.get(said.object, -1) > note.index

    def is_taken_back(self, producer: str, item: Item) -> bool:
        """Whether a note further on takes back what a producer (identity) has under the item's id."""
        if not self.taken_back:
            return False
        return item.index < self.taken_back.get((producer, item.claimed_id or ""), -1)

    def standing_notes(self) -> list[bytes]:
        """SHA-256 of the bytes of the notes after which their object does not come again."""
        return [hashlib.sha256(item.body).digest() for item in self.notes if not self.comes_after(item)]


def read_page(peer_id: int, bodies: Sequence[bytes]) -> Page:
    """Check the bytes and take the signatures off. What is wrong with an object is its item's error."""
    items = tuple(Item(index, body, origin_peer_id=peer_id) for index, body in enumerate(bodies))
    parsed = each(items, partial(contained, _parse))
    each([item for item in parsed if is_signed(item) and not is_fixed(item.object.id)], open_item)
    page = Page(items)
    _bound_identities(page.identities)
    return Page(items)


def contained(step: Callable[[Item], None], item: Item) -> None:
    """A step that looks at nothing but the object. A fault of ours in it must not stop a channel for ever.

    Raises:
        StixError, ExchangeError: as the step. InvalidRequestError: the fault.
    """
    try:
        step(item)
    except (StixError, ExchangeError):
        raise
    except Exception as error:
        logger.error("an object of peer=%s cannot be read: fault=%s", item.origin_peer_id, type(error).__name__)
        raise InvalidRequestError("this node fails to read it", code="unreadable") from error


def _as_read(item: Item) -> Item:
    """A copy that holds what `read_page` has found."""
    return Item(
        item.index,
        item.body,
        claimed=item.claimed,
        checked=item.checked,
        signed=item.signed,
        origin_peer_id=item.origin_peer_id,
        warnings=item.warnings,
        error=item.error,
    )


def _bound_identities(identities: Sequence[Item]) -> None:
    """Each version of an identity is held against all before it, so a page has a few of one lab and no flood."""
    seen: Counter[str] = Counter()
    for item in identities:
        seen[item.object.id] += 1
        if seen[item.object.id] > MAX_VERSIONS_OF_AN_IDENTITY:
            item.error = InvalidRequestError("too many versions of one identity on a page", code="too-many-versions")


def is_signed(item: Item) -> bool:
    return SIGNATURE_EXTENSION in item.object.members.get("extensions", {})


def note_of(item: Item) -> Withdrawal | None:
    """What a signed note says was withdrawn; None of anything else. Whether it may say so is not asked here."""
    if item.signed is None or WITHDRAWAL_EXTENSION not in item.object.members.get("extensions", {}):
        return None
    said = check_extensions(item.object.members)[WITHDRAWAL_EXTENSION]
    return said if isinstance(said, Withdrawal) else None


def _parse(item: Item) -> None:
    """Raises: StixError: it is no STIX, or an extension of ours on it has the wrong form."""
    parse_item(item)
    check_extensions(item.object.members)
