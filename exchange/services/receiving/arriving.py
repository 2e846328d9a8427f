"""What came from a peer on its way in, whichever way it came: a transaction for each of its turns."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError

from exchange.services import counters
from exchange.services.database import writing
from exchange.services.errors import ExchangeError
from exchange.services.receiving.judging import judge_turn
from exchange.services.receiving.known import find_known_identities
from exchange.services.receiving.offering import offer_waiting
from exchange.services.receiving.overtaking import forget_overtaken
from exchange.services.receiving.page import Page, Step, Turn
from exchange.services.receiving.parts import take_turn
from exchange.services.receiving.quarantining import quarantine_items
from exchange.services.receiving.receipt import Fate, Judged, PageReceipt
from exchange.services.receiving.source import Source

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival(ABC):
    """Objects that arrive together. Each turn finds its peer, and whatever else it moves, as that is by then."""

    page: Page
    moment: datetime

    @abstractmethod
    def begin(self) -> Source:
        """Where it comes from, locked until the transaction of the turn ends.

        Raises:
            ExchangeError: nothing is taken from there any more.
        """

    @abstractmethod
    def settle(self, turn: Turn, judged: Sequence[Judged]) -> None:
        """Move what moves with a turn, in its transaction."""

    def take_all(self, *, name: str, where: str) -> list[Judged]:
        """Take every turn; what cannot be taken is quarantined and never stops the rest.

        name: of the peer; where: the way it came, for the log.

        Raises:
            ExchangeError: as `begin`. TooLargeError: the peer's quarantine is full. NotReadyError: the node cannot sign
                the withdrawals that follow, or too many write the same objects.
        """
        with writing():
            known = find_known_identities(self.page.identities)
        judged = [each for turn in self.page.turns(known) for each in take_turn(turn, self._take, self._put_aside)]
        _count(judged, name, where)
        if any(each.fate is Fate.STORED and each.item.object.type == "identity" for each in judged):
            _offer()
        return judged

    def _take(self, turn: Turn) -> list[Judged]:
        with writing():
            source = self.begin()
            verdict = judge_turn(source, self.page, turn, self.moment)
            quarantine_items(source, verdict.judged, self.moment)
            if turn.step is Step.REST:
                forget_overtaken(source, verdict.names, self.page.standing_notes())
            self.settle(turn, verdict.judged)
            verdict.batch.place()
        self.page.taken_back.update(verdict.taken_back)
        return verdict.judged

    def _put_aside(self, turn: Turn, judged: list[Judged]) -> None:
        with writing():
            quarantine_items(self.begin(), judged, self.moment)
            self.settle(turn, judged)


def _offer() -> None:
    """What waited for these identities comes now; or if that fails within a minute (sync/tasks.py)."""
    try:
        offer_waiting()
    except (ExchangeError, DatabaseError) as error:
        logger.warning("what waits in quarantine was not judged again: %s", type(error).__name__)


def _count(judged: Sequence[Judged], name: str, where: str) -> None:
    """Counts and a line, after the commit: codes and numbers, never content."""
    receipt = PageReceipt.of(judged)
    for fate, count in Counter(each.fate for each in judged).items():
        counters.RECEIVED.labels(str(fate)).inc(count)
    for reason, count in receipt.reasons.items():
        counters.QUARANTINED.labels(reason).inc(count)
    logger.info(
        "received peer=%s %s objects=%d stored=%d known=%d held=%d withdrawals=%d refused=%d quarantined=%d%s",
        name,
        where,
        receipt.received,
        receipt.stored,
        receipt.known,
        receipt.held,
        receipt.withdrawals,
        receipt.refused,
        receipt.quarantined,
        "".join(f" reason.{reason}={count}" for reason, count in receipt.reasons.items()),
    )
