"""What keeps a peer from stopping a channel, filling the disk, or going on after it was stopped."""

from __future__ import annotations

import uuid
from datetime import datetime

import pytest

from exchange.models import Peer, QuarantinedObject
from exchange.services.database import execute
from exchange.services.errors import AccessDeniedError, ConflictError, TooLargeError
from exchange.services.peers import set_state
from exchange.services.principals import OPERATOR
from exchange.services.receiving import arriving, judging, quarantining, receive_page
from exchange.services.receiving.judging import Verdict
from exchange.services.receiving.page import Page, Turn
from exchange.services.receiving.source import Source
from tests.integration.services.views import as_owner
from tests.support.labs import LabHandle
from tests.support.peers import PeerHandle, stranger


def test_what_a_note_dropped_from_quarantine_is_kept_when_it_comes_again(peer: PeerHandle) -> None:
    unknown = stranger("estrella")
    members = unknown.indicator()
    body = unknown.signed(members)
    assert peer.send(body).quarantined == 1
    as_owner("UPDATE quarantine SET state = 'dropped', decided_by = 'node', body = ''")
    assert peer.send(body).quarantined == 1
    assert [bytes(row.body) for row in QuarantinedObject.objects.filter(state="waiting")] == [body]


def test_a_full_quarantine_stops_the_channel_and_loses_nothing(
    peer: PeerHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantining, "MAX_WAITING", 2)
    unknown = stranger("estrella")
    assert (
        peer.send(*(unknown.signed(unknown.indicator()) for _ in range(2)), at="2026-11-01T00:00:00Z").quarantined == 2
    )
    with pytest.raises(TooLargeError) as refused:
        peer.send(unknown.signed(unknown.indicator()), at="2026-11-02T00:00:00Z")
    assert refused.value.code == "quarantine-full"
    peer.channel.refresh_from_db()
    assert peer.channel.added_after == "2026-11-01T00:00:00Z"


@pytest.mark.parametrize(
    "refusal",
    ["SELECT '\\x0'::text::bytea", "SELECT repeat('x', 2000000000)"],
)
def test_what_the_database_does_not_take_stops_nothing_else(
    peer: PeerHandle, dorado: LabHandle, monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    good, bad = dorado.signed(dorado.indicator()), dorado.signed(dorado.indicator(name="Unstorable"))
    more = [dorado.signed(dorado.indicator()) for _ in range(3)]
    tries: list[int] = []

    def judge(source: Source, page: Page, turn: Turn, moment: datetime) -> Verdict:
        tries.append(len(turn.items))
        if any(b"Unstorable" in item.body for item in turn.items):
            execute(refusal, {})
        return judging.judge_turn(source, page, turn, moment)

    monkeypatch.setattr(arriving, "judge_turn", judge)
    receipt = peer.send(good, bad, *more, at="2026-11-02T00:00:00Z")
    assert (receipt.stored, receipt.quarantined, receipt.reasons) == (4, 1, {"unstorable": 1})
    assert tries == [5, 2, 1, 1, 3], "it is looked for in halves"
    peer.channel.refresh_from_db()
    assert peer.channel.added_after == "2026-11-02T00:00:00Z"


def test_a_page_under_a_claim_that_is_over_is_left_to_whoever_has_the_channel(
    peer: PeerHandle, dorado: LabHandle
) -> None:
    with pytest.raises(ConflictError) as refused:
        receive_page(
            channel=peer.channel,
            bodies=[dorado.signed(dorado.indicator())],
            added_after="2026-11-02T00:00:00Z",
            next="",
            more=False,
            last_date="",
            claim=uuid.uuid4(),
        )
    assert refused.value.code == "claim-lost"


def test_a_stopped_peer_sends_nothing_more(peer: PeerHandle, dorado: LabHandle) -> None:
    set_state(actor=OPERATOR, slug="harbour", state=Peer.State.PAUSED)
    with pytest.raises(AccessDeniedError):
        peer.send(dorado.signed(dorado.indicator()))
