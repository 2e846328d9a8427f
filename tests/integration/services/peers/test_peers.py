"""The registry of peers: what may be said of one, what is sealed, and what the audit log never holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exchange.models import AuditEvent, Collection, Peer, PeerChannel, Pin
from exchange.services.errors import ConflictError, InvalidRequestError, NotFoundError, NotReadyError
from exchange.services.outbound import TargetRefusedError
from exchange.services.peers import (
    Credentials,
    add_channel,
    create_peer,
    find_peer,
    list_peers,
    open_credentials,
    remove_channel,
    set_state,
    update_peer,
)
from exchange.services.principals import OPERATOR
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from tests.integration.services.views import as_owner
from tests.support.certificates import make_certificate
from tests.support.labs import Community

SECRET = "correct-horse-battery"


def make(slug: str = "gazette", **said: Any) -> Peer:
    return create_peer(actor=OPERATOR, slug=slug, name=slug.title(), **({"url": "https://taxii.example/api"} | said))


def test_exchange_is_a_node_with_a_pinned_root_and_a_feed_has_none(community: Community) -> None:
    root = SigningKey.generate("root").kid
    harbour, gazette = make("harbour", root=root, highest_label=Tlp.AMBER), make()
    assert [peer.lab.kind for peer in (harbour, gazette)] == ["node", "feed"]
    assert Pin.objects.get(thumbprint=root).lab == harbour.lab
    assert harbour.url == "https://taxii.example/api/"
    assert [peer.lab.slug for peer in list_peers()] == ["gazette", "harbour"]
    assert (Tlp(gazette.default_label), Tlp(gazette.highest_label)) == (Tlp.AMBER, Tlp.GREEN)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"highest_label": Tlp.AMBER}, "with a feed"),
        ({"root": SigningKey.generate("root").kid, "highest_label": Tlp.RED}, "with an exchange"),
        ({"default_label": Tlp.RED}, "never TLP:RED"),
        ({"root": SigningKey.generate("root").kid, "accepts_unsigned": True}, "somebody signed"),
        ({"root": "short"}, "thumbprint"),
        ({"authorities": "no certificate"}, "no certificates in PEM"),
        ({"pinned_certificate": "ab:cd"}, "SHA-256"),
        ({"credentials": Credentials(kind=Peer.Credentials.BASIC, username="ada")}, "username and password"),
        ({"credentials": Credentials(kind=Peer.Credentials.BEARER, token="a\nb")}, "line breaks"),
        ({"credentials": Credentials(kind=Peer.Credentials.NONE, token="a")}, "no secrets"),
        ({"credentials": Credentials(kind=Peer.Credentials.CERTIFICATE, certificate="c", key="k")}, "in PEM"),
    ],
)
def test_what_does_not_go_together_is_refused(community: Community, said: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidRequestError, match=reason):
        make(**said)
    assert not Peer.objects.exists()
    assert not AuditEvent.objects.filter(action="peer-created").exists()


@pytest.mark.parametrize("url", ["http://taxii.example/", "https://ada:pw@taxii.example/", "ftp://x/", "https://x:25/"])
def test_address_is_judged_by_its_form(community: Community, url: str) -> None:
    with pytest.raises(TargetRefusedError):
        make(url=url)
    make()
    with pytest.raises(TargetRefusedError):
        update_peer(actor=OPERATOR, slug="gazette", url=url)


def test_secrets_are_sealed_shown_by_nothing_and_open_for_their_peer_alone(community: Community) -> None:
    said = Credentials(kind=Peer.Credentials.BASIC, username="ada-reader", password=SECRET)
    peer = make(credentials=said)
    assert open_credentials(peer) == said
    assert "ada-reader" not in repr(said)
    assert SECRET not in repr(said)
    sealed = bytes(Peer.objects.get().sealed or b"")
    assert SECRET.encode() not in sealed
    details = as_owner("SELECT detail::text FROM audit")
    assert not any(SECRET in text or "ada-reader" in text for (text,) in details)
    other = make("herald", credentials=Credentials(kind=Peer.Credentials.BASIC, username="b", password="other"))
    other.sealed = sealed
    with pytest.raises(NotReadyError):
        open_credentials(other)
    update_peer(actor=OPERATOR, slug="gazette", credentials=Credentials())
    assert open_credentials(find_peer("gazette")) == Credentials()
    assert Peer.objects.get(lab__slug="gazette").sealed is None


def test_client_certificate_goes_with_its_own_key(community: Community, tmp_path: Path) -> None:
    one, key = (path.read_text() for path in make_certificate(tmp_path, "client.example"))
    _, other = (path.read_text() for path in make_certificate(tmp_path, "other.example"))
    kind = Peer.Credentials.CERTIFICATE
    peer = make(credentials=Credentials(kind=kind, certificate=one, key=key), authorities=one)
    assert open_credentials(peer).key == key
    with pytest.raises(InvalidRequestError, match="another certificate"):
        make("herald", credentials=Credentials(kind=kind, certificate=one, key=other))


def test_peer_is_changed_and_the_audit_log_names_the_fields(community: Community) -> None:
    make()
    update_peer(actor=OPERATOR, slug="gazette", accepts_unsigned=True, default_label=Tlp.GREEN)
    peer = find_peer("gazette")
    assert (peer.accepts_unsigned, Tlp(peer.default_label)) == (True, Tlp.GREEN)
    event = AuditEvent.objects.get(action="peer-changed")
    assert event.detail == {"fields": ["accepts_unsigned", "default_label"]}
    with pytest.raises(InvalidRequestError, match="nothing"):
        update_peer(actor=OPERATOR, slug="gazette")
    with pytest.raises(InvalidRequestError, match="with a feed"):
        update_peer(actor=OPERATOR, slug="gazette", highest_label=Tlp.AMBER)
    assert Tlp(find_peer("gazette").highest_label) is Tlp.GREEN


def test_peer_is_paused_and_resumed(community: Community) -> None:
    make()
    for state in (Peer.State.PAUSED, Peer.State.PAUSED, Peer.State.ACTIVE):
        assert set_state(actor=OPERATOR, slug="gazette", state=state).state == state
    actions = AuditEvent.objects.filter(subject="gazette").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["peer-created", "peer-paused", "peer-active"]


def test_name_is_taken_once(community: Community) -> None:
    make()
    for slug in ("gazette", "aurora"):
        with pytest.raises(ConflictError):
            make(slug)
    for call in (find_peer, lambda slug: set_state(actor=OPERATOR, slug=slug, state=Peer.State.PAUSED)):
        with pytest.raises(NotFoundError):
            call("herald")


def channel(**said: Any) -> PeerChannel:
    home = Collection.objects.get(alias=said.pop("alias", "signatures"))
    asked: dict[str, Any] = {
        "direction": PeerChannel.Direction.PULL,
        "remote_collection": "enterprise-attack",
        "collection": home,
    }
    return add_channel(actor=OPERATOR, slug="gazette", **(asked | said))


def test_channel_is_added_once_and_removed(community: Community) -> None:
    make()
    made = channel()
    assert (made.added_after, made.next, made.interval_s) == ("", "", 60)
    with pytest.raises(ConflictError):
        channel()
    channel(direction=PeerChannel.Direction.PUSH)
    remove_channel(actor=OPERATOR, number=made.pk)
    with pytest.raises(NotFoundError):
        remove_channel(actor=OPERATOR, number=made.pk)
    assert [each.direction for each in list_peers()[0].channels.all()] == ["push"]


BAD_CHANNELS: list[tuple[Callable[[], object], str]] = [
    (lambda: channel(alias="all"), "a view"),
    (lambda: channel(interval_s=1), "seconds"),
    (lambda: channel(interval_s=100_000), "seconds"),
    (lambda: channel(remote_collection="../objects"), "no id or alias"),
    (lambda: channel(remote_collection=""), "no id or alias"),
]


@pytest.mark.parametrize("place", range(len(BAD_CHANNELS)))
def test_channel_that_makes_no_sense_is_refused(community: Community, place: int) -> None:
    make()
    call, reason = BAD_CHANNELS[place]
    with pytest.raises(InvalidRequestError, match=reason):
        call()
    assert not PeerChannel.objects.exists()
