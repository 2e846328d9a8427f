"""A peer at the REST door: it reads what crosses to it, and is no member; a deletion says who does not follow it."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from exchange.models import Lab, Token
from exchange.services.collections import visible_everywhere
from exchange.services.errors import InvalidRequestError
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token
from exchange.stix.markings import Tlp
from tests.integration.services.views import as_owner, marked, store
from tests.support.events import open_stream
from tests.support.forms import assert_form
from tests.support.labs import Community
from tests.support.peers import make_reader
from tests.support.receiver import wait_for
from tests.support.rest import RestClient


def test_a_peer_reads_what_crosses_and_nothing_that_is_for_members(exchange_server: tuple[str, Community]) -> None:
    url, community = exchange_server
    aurora, peer = community.aurora, make_reader("inside", community=True)
    client = RestClient(url, peer.token)
    ours, theirs, amber = (marked(aurora, label) for label in (Tlp.GREEN, Tlp.GREEN, Tlp.AMBER))
    store(aurora, ours, theirs, amber)
    as_owner(
        "UPDATE version v SET origin_peer_id = %s FROM object o WHERE o.id = v.object_id AND o.stix_id = %s",
        peer.peer.id,
        theirs["id"],
    )
    listed = client.get("objects/?type=indicator").json()
    assert [each["object"]["id"] for each in listed["objects"]] == [ours["id"]]
    for members, status in ((ours, 200), (theirs, 404), (amber, 404)):
        for path in (f"objects/{members['id']}/", f"objects/{members['id']}/versions/"):
            assert client.get(path).status_code == status, path
    for path in ("labs/", "labs/aurora/keys/", "whoami/", "tokens/", "webhooks/", f"objects/{ours['id']}/recipients/"):
        answer = client.get(path)
        assert answer.status_code == 403, path
        assert answer.json()["type"].endswith("not-a-member"), path
    assert client.publish(aurora.signed(aurora.indicator())).status_code == 403
    assert client.delete(f"objects/{ours['id']}/").status_code == 403


def test_a_peer_follows_the_events_that_cross_to_it(exchange_server: tuple[str, Community]) -> None:
    url, community = exchange_server
    aurora, peer = community.aurora, make_reader("inside", community=True)
    stream = open_stream(RestClient(url, peer.token), "?type=indicator")
    try:
        amber, green = marked(aurora, Tlp.AMBER), marked(aurora, Tlp.GREEN)
        store(aurora, amber, green)
        wait_for(lambda: stream.events, "the event")
        assert stream.object_ids == [green["id"]]
    finally:
        stream.close()


def test_a_deletion_names_the_feeds_that_keep_the_object(exchange_server: tuple[str, Community]) -> None:
    url, community = exchange_server
    aurora, feed = community.aurora, make_reader("open-feed", Lab.Kind.FEED, community=True)
    pulled, unseen = marked(aurora, Tlp.GREEN), marked(aurora, Tlp.GREEN)
    store(aurora, pulled)
    assert RestClient(url, feed.token).get("objects/").status_code == 200
    store(aurora, unseen)
    client = RestClient(url, aurora.token)
    answer = client.delete(f"objects/{pulled['id']}/")
    assert answer.status_code == 200
    assert_form(answer.json(), "Deletion")
    assert answer.json() == {"kept_by": ["open-feed"]}
    answer = client.delete(f"objects/{unseen['id']}/")
    assert (answer.status_code, answer.content) == (204, b"")


def test_the_token_of_a_peer_reads_and_of_an_exchange_posts_and_is_nobodys_client(community: Community) -> None:
    peer, feed = make_reader("inside"), make_reader("gazette", Lab.Kind.FEED)
    assert issue_token(actor=OPERATOR, lab=peer.lab, scopes=["publish", "read"]).token.scopes == ["publish", "read"]
    for lab, scopes in (
        (feed.lab, ["publish"]),
        (feed.lab, ["read", "publish"]),
        (peer.lab, ["read", "feedback"]),
        (peer.lab, ["read", "publish", "sign"]),
    ):
        with pytest.raises(InvalidRequestError):
            issue_token(actor=OPERATOR, lab=lab, scopes=scopes)
    with pytest.raises(InvalidRequestError) as caught:
        issue_token(actor=OPERATOR, lab=peer.lab, scopes=["read"], client=True)
    assert caught.value.pointer == "/client"
    call_command("create_token", "inside", "--expires", "30d", "--networks", "192.0.2.0/24")
    token = Token.objects.latest("id")
    assert (token.lab_id, token.scopes, token.bounds) == (peer.lab.id, ["read"], {"networks": ["192.0.2.0/24"]})
    with pytest.raises(CommandError, match="a peer has no clients"):
        call_command("create_token", "inside", "--client")
    call_command("grant", "signatures", "inside", "--no-read")
    assert "signatures" not in {view.alias for view in visible_everywhere(peer.principal)}
