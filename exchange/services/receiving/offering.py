"""Objects in quarantine are judged again, as if they came now: what would not be taken from the peer is not let in."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from django.db import transaction

from exchange.models import Peer, QuarantinedObject
from exchange.services import counters
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import ExchangeError
from exchange.services.principals import NODE, Principal
from exchange.services.receiving.displacing import displace
from exchange.services.receiving.judging import judge_turn
from exchange.services.receiving.known import find_known_identities
from exchange.services.receiving.page import Page, Turn, read_page
from exchange.services.receiving.parts import take_turn
from exchange.services.receiving.policy import check_peer
from exchange.services.receiving.receipt import Judged
from exchange.services.receiving.source import source_of
from exchange.services.receiving.waiting import find_ready, lock_waiting, settle

BATCH: Final = 500
"""Objects that are read at once."""

logger = logging.getLogger(__name__)


def offer_waiting() -> int:
    """Judge again what waited for a pin or a key that is known by now; answers how many objects were taken.

    Twice over, because the first round may bring the keys that the second one needs. A peer whose objects cannot be
    judged now keeps nobody else's waiting.
    """
    return sum(_offer_ready() for _ in range(2))


def _offer_ready() -> int:
    with writing():
        groups = _grouped(find_ready(now()))
    taken = 0
    for group in groups:
        try:
            taken += sum(each.is_taken for each in _judge(group, NODE))
        except ExchangeError as error:
            logger.warning("what waits of peer=%d was not judged again: %s", group[0].peer_id, error.code)
    return taken


def judge_again(ids: Sequence[int], *, actor: Principal = NODE, is_override: bool = False) -> list[Judged]:
    """Judge waiting objects as if they came from their peers now. What is taken is released; the rest waits on.

    Its reason is then the one of now; what was deleted here in between is dropped. Objects that wait no longer are left
    out. is_override: what other labs have under the id of such an object goes, if the object is taken.

    Raises:
        AccessDeniedError: the peer was stopped. ConflictError: an override, and what is here cannot go.
        NotReadyError: as `receive_page`.
    """
    with writing():
        groups = _grouped(ids)
    return [each for group in groups for each in _judge(group, actor, is_override=is_override)]


def _grouped(ids: Sequence[int]) -> list[list[QuarantinedObject]]:
    """The rows that wait, without their bytes, in groups of one peer and collection, each in the order of receipt."""
    rows = QuarantinedObject.objects.filter(pk__in=list(ids), state=QuarantinedObject.State.WAITING).defer("body")
    ordered = rows.order_by("peer_id", "collection_id", "pk")
    groups = [list(group) for _, group in groupby(ordered, key=lambda row: (row.peer_id, row.collection_id))]
    return [group[start : start + BATCH] for group in groups for start in range(0, len(group), BATCH)]


def _judge(rows: Sequence[QuarantinedObject], actor: Principal, *, is_override: bool = False) -> list[Judged]:
    moment, numbers = now(), [row.pk for row in rows]
    with writing():
        bodies = dict(QuarantinedObject.objects.filter(pk__in=numbers).values_list("pk", "body"))
        page = read_page(rows[0].peer_id, [bytes(bodies.get(number, b"")) for number in numbers])
        known = find_known_identities(page.identities)
    repetition = _Repetition(rows[0], numbers, page, actor, moment, is_override)
    judged = [each for turn in page.turns(known) for each in take_turn(turn, repetition.take, repetition.put_aside)]
    for fate, count in Counter(each.fate for each in judged).items():
        counters.RECEIVED.labels(str(fate)).inc(count)
    return judged


@dataclass(frozen=True, slots=True)
class _Repetition:
    """Rows of one peer and collection as a page: a transaction for each of its turns, in which those count that still
    wait. numbers: of the rows, in the order of the page."""

    first: QuarantinedObject
    numbers: list[int]
    page: Page
    actor: Principal
    moment: datetime
    is_override: bool

    def take(self, turn: Turn) -> list[Judged]:
        with writing():
            peer = (
                Peer.objects.select_for_update(of=("self",), no_key=True)
                .select_related("lab")
                .get(pk=self.first.peer_id)
            )
            check_peer(peer)
            source = source_of(peer, self.first.collection, self.first.channel_id)
            waiting = lock_waiting([self.numbers[item.index] for item in turn.items])
            left = tuple(item for item in turn.items if self.numbers[item.index] in waiting)
            verdict = judge_turn(source, self.page, Turn(turn.step, left), self.moment, is_override=self.is_override)
            self._settle(verdict.judged)
            verdict.batch.place()
            displace(verdict.displaced, self.actor, self.moment)
            # Nothing goes for the sake of what is not taken.
            transaction.set_rollback(bool(verdict.displaced) and not all(each.is_taken for each in verdict.judged))
        self.page.taken_back.update(verdict.taken_back)
        return verdict.judged

    def put_aside(self, turn: Turn, judged: list[Judged]) -> None:
        with writing():
            waiting = lock_waiting([self.numbers[item.index] for item in turn.items])
            self._settle([each for each in judged if self.numbers[each.item.index] in waiting])

    def _settle(self, judged: Sequence[Judged]) -> None:
        settle([(self.numbers[each.item.index], each) for each in judged], str(self.actor), self.moment)
