"""Which exchanges are told that something is new for them, and what their own word does here."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from exchange.celery import app
from exchange.models import Collection, Lab, Peer, PeerChannel
from exchange.services.clock import now
from exchange.services.collections import grant_access
from exchange.services.errors import AccessDeniedError
from exchange.services.peer_principals import peer_principal
from exchange.services.peers.claims import claim_channels
from exchange.services.peers.health import settle_run
from exchange.services.peers.hints import FAILING_PAUSE_S, LEAST_PAUSE_S, hear_hint, settle_hint, take_hints
from exchange.services.principals import OPERATOR
from exchange.services.queue import LOOK_FOR_NEWS
from exchange.services.tokens import issue_token
from exchange.stix.markings import Tlp
from exchange.sync.hinting.tell import tell
from tests.support.labs import Community
from tests.support.peers import PeerHandle, make_exchange, make_peer, pin_stranger, stranger


def grant(peer: PeerHandle, alias: str = "signatures") -> None:
    collection = Collection.objects.get(alias=alias, api_root__slug="exchange")
    grant_access(actor=OPERATOR, collection=collection, lab=peer.peer.lab, can_read=True, can_write=False)


@pytest.fixture
def harbour(community: Community) -> PeerHandle:
    """An exchange of the same community that has been told of everything that is here."""
    peer = make_exchange(community=True)
    grant(peer)
    take_hints()
    return peer


def publish(community: Community, label: Tlp = Tlp.GREEN) -> None:
    aurora = community.aurora
    assert aurora.publish(aurora.signed(aurora.indicator(label)))[0].error is None


def test_an_exchange_is_told_once_of_what_it_may_read(community: Community, harbour: PeerHandle) -> None:
    assert take_hints() == []
    publish(community)
    publish(community)
    assert take_hints() == [harbour.peer.pk]
    assert take_hints() == []


def test_nobody_is_told_of_what_is_not_for_it(community: Community, harbour: PeerHandle) -> None:
    strangers = make_exchange("pier", community=False)
    feed = make_peer("gazette", Lab.Kind.FEED, community=True)
    ungranted = make_exchange("quay", community=True)
    for peer in (strangers, feed):
        grant(peer)
    take_hints()
    publish(community, Tlp.AMBER)
    assert take_hints() == []
    publish(community)
    assert take_hints() == [harbour.peer.pk]
    Peer.objects.filter(pk=harbour.peer.pk).update(state=Peer.State.PAUSED)
    publish(community)
    assert take_hints() == []
    assert not PeerChannel.objects.filter(peer=ungranted.peer, hinted=True).exists()


def test_what_came_from_an_exchange_is_no_news_to_it(community: Community, harbour: PeerHandle) -> None:
    dorado = pin_stranger(stranger())
    grant(harbour, "identities")
    assert harbour.send(dorado.keys.identity_bytes).stored == 1
    pier = make_exchange("pier", community=True)
    grant(pier)
    take_hints()
    assert harbour.send(dorado.signed(dorado.indicator())).stored == 1
    assert take_hints() == [pier.peer.pk]


def test_a_peer_that_takes_no_word_is_left_alone_for_a_growing_while(community: Community, harbour: PeerHandle) -> None:
    publish(community)
    # Its name leads nowhere.
    assert [tell(peer_id) for peer_id in take_hints()] == [False]
    publish(community)
    assert take_hints() == []
    pauses = []
    for _ in range(3):
        settle_hint(harbour.peer.pk, was_told=False)
        pauses.append(Peer.objects.get(pk=harbour.peer.pk).tell_after - now())
    assert pauses[0] < pauses[1] < pauses[2]
    Peer.objects.filter(pk=harbour.peer.pk).update(tell_after=now())
    assert take_hints() == [harbour.peer.pk]
    settle_hint(harbour.peer.pk, was_told=True)
    assert Peer.objects.get(pk=harbour.peer.pk).tell_failures == 0


def test_a_word_makes_the_channels_of_that_peer_due(community: Community, harbour: PeerHandle) -> None:
    other = make_exchange("pier")
    later = now() + timedelta(hours=1)
    moment = now()
    PeerChannel.objects.update(next_attempt_at=later, last_run_at=moment)
    hear_hint(peer_principal(harbour.peer.lab_id))
    channel = PeerChannel.objects.get(pk=harbour.channel.pk)
    assert channel.next_attempt_at == moment + timedelta(seconds=LEAST_PAUSE_S)
    assert PeerChannel.objects.get(pk=other.channel.pk).next_attempt_at == later
    PeerChannel.objects.update(next_attempt_at=later, failures=7)
    hear_hint(peer_principal(harbour.peer.lab_id))
    channel.refresh_from_db()
    assert channel.next_attempt_at == moment + timedelta(seconds=FAILING_PAUSE_S)


def test_a_word_in_the_middle_of_a_run_brings_about_another(community: Community, harbour: PeerHandle) -> None:
    hear_hint(peer_principal(harbour.peer.lab_id))
    claim = claim_channels([harbour.channel.pk])[0]
    settle_run(claim, moved=0, seconds=0.1, more=False)
    channel = PeerChannel.objects.get(pk=harbour.channel.pk)
    assert channel.next_attempt_at > now() + timedelta(seconds=30)
    claim = claim_channels([harbour.channel.pk])[0]
    hear_hint(peer_principal(harbour.peer.lab_id))
    settle_run(claim, moved=0, seconds=0.1, more=False)
    channel.refresh_from_db()
    assert channel.next_attempt_at <= now()


def test_the_door_is_for_exchanges_that_are_peers(exchange_server: tuple[str, Community], harbour: PeerHandle) -> None:
    url, community = exchange_server
    feed = make_peer("gazette", Lab.Kind.FEED)
    PeerChannel.objects.update(next_attempt_at=now() + timedelta(hours=1))
    tokens = [
        issue_token(actor=OPERATOR, lab=lab, scopes=["read"]).secret
        for lab in (community.aurora.lab, feed.peer.lab, harbour.peer.lab)
    ]
    answers = [
        requests.post(f"{url}/api/v1/hints/", headers={"Authorization": f"Bearer {token}"}, timeout=10)
        for token in tokens
    ]
    assert [each.status_code for each in answers] == [403, 403, 204]
    assert answers[0].json()["type"].endswith("not-a-peer")
    assert requests.post(f"{url}/api/v1/hints/", timeout=10).status_code == 401
    assert list(PeerChannel.objects.filter(hinted=True).values_list("peer_id", flat=True)) == [harbour.peer.pk]
    with pytest.raises(AccessDeniedError):
        hear_hint(community.aurora.principal)


def test_beat_looks_for_what_no_process_has_announced() -> None:
    entry = app.conf.beat_schedule["look-for-news"]
    assert entry["task"] == LOOK_FOR_NEWS
    assert entry["schedule"] <= 5
