"""A peer pulls by its token, through a real web process: exactly what may cross, and nothing that came from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import requests
from pytest_django import DjangoDbBlocker

from exchange.models import Collection, Lab, Token
from exchange.services.access import authenticate_again
from exchange.services.checking import check_exchange
from exchange.services.collections import grant_access
from exchange.services.principals import OPERATOR, PrincipalKind
from exchange.stix.markings import Tlp
from tests.integration.services.views import as_owner, marked, store
from tests.integration.taxii.conftest import node_of
from tests.integration.taxii.walking import (
    FIRST_DATE,
    LAST_DATE,
    MANIFEST,
    OBJECTS,
    ROOT,
    ask,
    items,
    key,
    keys,
    object_path,
    versions_path,
)
from tests.support.database import close_connections, empty_tables
from tests.support.homes import move_home
from tests.support.labs import make_community
from tests.support.peers import PeerReader, make_reader
from tests.support.server import WebServer
from tests.support.taxii import Node, TaxiiClient

INDICATORS = "match[type]=indicator"


@dataclass(frozen=True, slots=True)
class Across:
    """A node and its peers: home, where borealis alone lives, inside, which is of the community, and a plain feed."""

    node: Node
    peers: dict[str, PeerReader]
    clients: dict[str, TaxiiClient]
    objects: dict[str, dict[str, object]]


@pytest.fixture(scope="module")
def across(web_server: WebServer, django_db_blocker: DjangoDbBlocker) -> Iterator[Across]:
    with django_db_blocker.unblock():
        empty_tables()
        node = node_of(web_server.url, make_community())
        yield _across(node)
        report = check_exchange()
        close_connections()
    assert not report.faults, report.faults


@pytest.fixture
def fresh(node: Node) -> Across:
    return _across(node)


def _across(node: Node) -> Across:
    aurora, borealis, _ = node.community.labs
    peers = {
        "home": make_reader("home"),
        "inside": make_reader("inside", community=True),
        "feed": make_reader("feed", Lab.Kind.FEED, community=True),
    }
    move_home(borealis, (peers["home"], True))
    marking = aurora.distribution(borealis.identity)
    objects = {
        "clear": marked(aurora, Tlp.CLEAR),
        "green": marked(aurora, Tlp.GREEN),
        "amber": marked(aurora, Tlp.AMBER),
        "named": marked(aurora, Tlp.AMBER, marking),
        "strict": marked(aurora, Tlp.AMBER_STRICT, marking),
        "red": marked(aurora, Tlp.RED, marking),
    }
    store(aurora, marking, *objects.values())
    clients = {name: TaxiiClient(node.url, peer.token) for name, peer in peers.items()}
    return Across(node, peers, clients, objects)


def pulled(client: TaxiiClient, query: str = INDICATORS) -> list[str]:
    return [each["id"] for each in items(ask(client, OBJECTS, query))]


def ids(across: Across, *names: str) -> list[str]:
    return [str(across.objects[name]["id"]) for name in names]


@pytest.mark.parametrize(
    ("peer", "names"),
    [("home", ("clear", "named", "strict")), ("inside", ("clear", "green")), ("feed", ("clear", "green"))],
)
def test_a_peer_pulls_exactly_what_may_cross(across: Across, peer: str, names: tuple[str, ...]) -> None:
    client, expected = across.clients[peer], ids(across, *names)
    assert pulled(client) == expected
    assert [each["id"] for each in items(ask(client, MANIFEST, INDICATORS))] == expected
    for name, members in across.objects.items():
        status = client.get(object_path(str(members["id"]))).status_code
        assert status == (200 if name in names else 404), name
    walked: list[str] = []
    query = f"{INDICATORS}&limit=1"
    while True:
        page = ask(client, OBJECTS, query).json()
        walked += [each["id"] for each in page["objects"]]
        if not page.get("more"):
            break
        query = f"{INDICATORS}&limit=1&next={page['next']}"
    assert walked == expected


def test_a_peer_is_a_reader_of_its_own_kind_and_writes_nothing(across: Across) -> None:
    client, peer = across.clients["inside"], across.peers["inside"]
    assert peer.principal.kind is PrincipalKind.PEER
    assert authenticate_again(peer.principal.token_id or 0).peer == peer.principal.peer
    collections = client.get(f"{ROOT}/collections/").json()["collections"]
    assert {each["can_write"] for each in collections} == {False}
    assert client.get("/taxii2/").json()["api_roots"]
    Token.objects.filter(lab=peer.lab).update(scopes=["read", "publish", "sign"])
    aurora = across.node.community.aurora
    assert client.post(aurora.signed(aurora.indicator())).status_code == 403
    assert client.request("DELETE", object_path(ids(across, "clear")[0])).status_code == 403


def test_without_a_grant_a_peer_knows_of_no_collection(fresh: Across) -> None:
    stranger = make_reader("stranger", community=True, reads=())
    client = TaxiiClient(fresh.node.url, stranger.token)
    assert "api_roots" not in client.get("/taxii2/").json()
    assert client.get(f"{ROOT}/").status_code == 404
    assert client.get(OBJECTS).status_code == 404
    signatures = Collection.objects.get(alias="signatures")
    grant_access(actor=OPERATOR, collection=signatures, lab=stranger.lab, can_read=True, can_write=False)
    assert pulled(client) == ids(fresh, "clear", "green")


def _without_dates_and_tags(response: requests.Response) -> dict[str, str]:
    changing = {"date", "etag", "x-request-id", "ratelimit", "ratelimit-policy", "server"}
    return {name.lower(): value for name, value in response.headers.items() if name.lower() not in changing}


def test_what_came_from_a_peer_is_absent_to_the_byte(fresh: Across) -> None:
    """The peer's own stands before, between and after what it gets; every answer is as if it stood nowhere."""
    aurora, client = fresh.node.community.aurora, fresh.clients["inside"]
    own = [marked(aurora, Tlp.GREEN) for _ in range(4)]
    others = [marked(aurora, Tlp.GREEN) for _ in range(2)]
    stamp = ask(client, OBJECTS, INDICATORS).headers[LAST_DATE]
    store(aurora, own[0], others[0], own[1], others[1], own[2], own[3])
    as_owner(
        "UPDATE version v SET origin_peer_id = %s FROM object o WHERE o.id = v.object_id AND o.stix_id = ANY (%s)",
        fresh.peers["inside"].peer.id,
        [each["id"] for each in own],
    )
    query = f"{INDICATORS}&added_after={stamp}"
    page = ask(client, OBJECTS, f"{query}&limit=2")
    assert [key(each) for each in items(page)] == [key(each) for each in others]
    assert (page.json()["more"], page.json().get("next")) == (False, None), "nothing remains"
    names = ask(client, MANIFEST, query)
    assert keys(names) == [key(each) for each in others]
    dates = [each["date_added"] for each in names.json()["objects"]]
    for answer in (page, names):
        assert [answer.headers[FIRST_DATE], answer.headers[LAST_DATE]] == dates
    assert all(each["id"] not in ask(client, MANIFEST, "match[version]=all").text for each in own)
    nowhere = "indicator--00000000-0000-4000-8000-000000000000"
    for path in (object_path, versions_path):
        hidden, absent = client.get(path(str(own[0]["id"]))), client.get(path(nowhere))
        assert hidden.status_code == absent.status_code == 404
        assert hidden.json() | {"error_id": ""} == absent.json() | {"error_id": ""}
        assert _without_dates_and_tags(hidden) == _without_dates_and_tags(absent)
    empty, none = (ask(client, OBJECTS, f"match[id]={stix_id}") for stix_id in (own[0]["id"], nowhere))
    assert (empty.content, _without_dates_and_tags(empty)) == (none.content, _without_dates_and_tags(none))
    feed = fresh.clients["feed"]
    expected = [key(each) for each in (own[0], others[0], own[1], others[1], own[2], own[3])]
    assert keys(ask(feed, OBJECTS, query)) == expected


def pause(across: Across) -> None:
    across.peers["inside"].set(state="paused")


def suspend(across: Across) -> None:
    Lab.objects.filter(slug="inside").update(status="suspended")


@pytest.mark.parametrize("stop", [pause, suspend])
def test_a_stopped_peer_is_refused_at_once_and_served_again_when_it_goes_on(
    fresh: Across, stop: Callable[[Across], None]
) -> None:
    client = fresh.clients["inside"]
    for _ in range(8):
        assert pulled(client) == ids(fresh, "clear", "green")
    stop(fresh)
    assert [client.get(OBJECTS).status_code for _ in range(8)] == [401] * 8
    assert pulled(fresh.clients["feed"]) == ids(fresh, "clear", "green")
    fresh.peers["inside"].set(state="active")
    Lab.objects.filter(slug="inside").update(status="active")
    assert pulled(client) == ids(fresh, "clear", "green")


def test_community_label_and_home_act_at_the_next_request_though_pages_are_kept(fresh: Across) -> None:
    inside, home, borealis = fresh.clients["inside"], fresh.clients["home"], fresh.node.community.borealis
    short = f"{INDICATORS}&limit=1"
    for _ in range(8):
        assert pulled(inside) == ids(fresh, "clear", "green")
        assert pulled(home) == ids(fresh, "clear", "named", "strict")
        for client in (inside, home, fresh.node.cobalt):
            assert pulled(client, short) == ids(fresh, "clear")
    fresh.peers["inside"].set(community=False)
    assert [pulled(inside) for _ in range(4)] == [ids(fresh, "clear")] * 4
    assert ask(inside, OBJECTS, short).json().get("more", False) is False
    fresh.peers["inside"].set(community=True)
    assert pulled(inside) == ids(fresh, "clear", "green")
    fresh.peers["home"].set(highest_label=int(Tlp.AMBER))
    assert pulled(home) == ids(fresh, "clear", "named")
    fresh.peers["home"].set(highest_label=int(Tlp.AMBER_STRICT))
    move_home(borealis, (fresh.peers["home"], False))
    assert pulled(home) == ids(fresh, "clear", "named")
    move_home(borealis, (fresh.peers["inside"], True))
    assert pulled(home) == ids(fresh, "clear")
    assert set(pulled(inside)) == set(ids(fresh, "clear", "green", "named", "strict"))
    assert ask(home, OBJECTS, short).json().get("more", False) is False


def test_a_withdrawal_is_pulled_by_the_peer_that_lost_sight_and_by_no_other(fresh: Across) -> None:
    aurora = fresh.node.community.aurora
    named = fresh.objects["named"]
    store(aurora, aurora.next_version(named, object_marking_refs=[Tlp.RED.marking_id]))
    notes = {name: items(ask(client, OBJECTS, "match[type]=note")) for name, client in fresh.clients.items()}
    assert [each["object_refs"] for each in notes.pop("home")] == [[named["id"]]]
    assert notes == {"inside": [], "feed": []}
    assert named["id"] not in pulled(fresh.clients["home"])
