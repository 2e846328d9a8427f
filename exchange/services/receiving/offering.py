"""Objects in quarantine are judged again, as if they came now: what would not be taken from the peer is not let in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from exchange.models import QuarantinedObject
from exchange.services import counters
from exchange.services.clock import now
from exchange.services.database import execute, writing
from exchange.services.principals import NODE, Principal
from exchange.services.receiving.judging import judge_bodies
from exchange.services.receiving.quarantining import MAX_REASON_CHARS, detail_of
from exchange.services.receiving.receipt import Fate, Judged
from exchange.services.receiving.source import source_of
from exchange.services.storing import retrying

BATCH: Final = 500
"""Objects of one transaction."""

MAX_BATCHES: Final = 20
"""Batches of one run; what is left goes at the next one."""

# What was kept for want of a pin or a key that is here now. Identities first: they bring the keys.
_READY: Final = """
SELECT q.id FROM quarantine q
WHERE q.state = 'waiting' AND q.id > %(after)s
  AND EXISTS (SELECT FROM peer p JOIN lab l ON l.id = p.lab_id
              WHERE p.id = q.peer_id AND p.state = 'active' AND l.status = 'active')
  AND (
    (q.reason IN ('lab-unknown', 'chain-unpinned') AND EXISTS (SELECT FROM pin p WHERE p.thumbprint = q.kid))
    OR (q.reason = 'signature-key-unknown'
        AND EXISTS (SELECT FROM signing_key k WHERE k.kid = q.kid AND k.nbf > 0))
    OR (q.reason = 'lab-suspended' AND EXISTS (SELECT FROM signing_key k JOIN lab l ON l.id = k.lab_id
                                               WHERE k.kid = q.kid AND l.status = 'active')))
ORDER BY q.id LIMIT %(limit)s
"""


def offer_waiting() -> int:
    """Judge again what waited for a pin or a key that is known by now; answers how many objects were taken.

    Twice over, because the first round may bring the keys that the second one needs.
    """
    return sum(_offer_ready() for _ in range(2))


def _offer_ready() -> int:
    taken = after = 0
    for _ in range(MAX_BATCHES):
        with writing():
            ids = [row[0] for row in execute(_READY, {"after": after, "limit": BATCH}, prepare=False).fetchall()]
        if not ids:
            break
        taken += sum(each.is_taken for each in judge_again(ids))
        after = ids[-1]
    return taken


def judge_again(ids: Sequence[int], *, actor: Principal = NODE) -> list[Judged]:
    """Judge waiting objects as if they came from their peers now. What is taken is released; the rest waits on.

    Its reason is then the one of now; what was deleted here in between is dropped. Objects that wait no longer are left
    out.

    Raises:
        NotReadyError: as `receive_page`.
    """
    moment = now()
    judged = retrying(lambda: _judge(ids, actor, moment))
    for each in judged:
        counters.RECEIVED.labels(str(each.fate)).inc()
    return judged


def _judge(ids: Sequence[int], actor: Principal, moment: datetime) -> list[Judged]:
    judged: list[Judged] = []
    with writing():
        waiting = (
            QuarantinedObject.objects.select_for_update(of=("self",))
            .select_related("peer__lab", "collection__api_root")
            .filter(pk__in=list(ids), state=QuarantinedObject.State.WAITING)
            .order_by("peer_id", "collection_id", "id")
        )
        for _, group in groupby(waiting, key=lambda row: (row.peer_id, row.collection_id)):
            kept = list(group)
            source = source_of(kept[0].peer, kept[0].collection, kept[0].channel_id)
            answers = judge_bodies(source, [bytes(row.body) for row in kept], moment)
            _settle(zip(kept, answers, strict=True), actor, moment)
            judged += answers
    return judged


def _settle(answers: Iterable[tuple[QuarantinedObject, Judged]], actor: Principal, moment: datetime) -> None:
    for row, answer in answers:
        if answer.error is not None:
            row.reason, row.detail = answer.error.code[:MAX_REASON_CHARS], detail_of(answer.error)
        if answer.fate is not Fate.QUARANTINED:
            # What was deleted since must not be kept here either.
            is_gone = answer.fate is Fate.REFUSED
            row.state = QuarantinedObject.State.DROPPED if is_gone else QuarantinedObject.State.RELEASED
            row.decided_at, row.decided_by, row.body = moment, str(actor), b""
        row.save(update_fields=["state", "decided_at", "decided_by", "reason", "detail", "body"])
