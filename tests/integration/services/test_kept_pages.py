"""A kept page is what would be read, whatever was changed, by whomever; and it is delivered like any other."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction

from exchange.models import Collection, Delivery, Lab
from exchange.services.changes import KEPT_FOR, Span, purge_changes, read_mark
from exchange.services.clock import now
from exchange.services.collections import find_collection, grant_access
from exchange.services.database import writing
from exchange.services.deletion import delete_object
from exchange.services.errors import ExchangeError
from exchange.services.principals import ANONYMOUS, OPERATOR, Principal
from exchange.services.query import BodiesPage, PageRequest, bodies, read_bodies, reading
from exchange.services.query.kept_pages import PageShelf
from exchange.services.query.reading_ahead import ReadAhead
from exchange.stix.markings import Tlp
from tests.integration.services.views import Members, marked, store
from tests.support.labs import Community, LabHandle


@pytest.fixture(autouse=True)
def _own_shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SHELF", PageShelf())


def ask(principal: Principal, collection: str = "signatures", **asked: Any) -> BodiesPage:
    view = find_collection(principal, collection)
    request = PageRequest(**{"limit": 3, "types": ("indicator",), **asked})
    return read_bodies(principal=principal, collection=view, request=request, door="test")


def kept(principal: Principal, collection: str = "signatures", **asked: Any) -> BodiesPage:
    """The page as it is answered when it is asked for again and again."""
    for _ in range(2):
        ask(principal, collection, **asked)
    return ask(principal, collection, **asked)


def content(page: BodiesPage) -> tuple[object, ...]:
    """Everything but the cursor, which is made anew each time."""
    return page.joined, page.count, page.first, page.last, page.tag, bool(page.next)


def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is read from now on."""
    seen: list[str] = []
    real = reading.answer

    def counted(*args: Any, **kwargs: Any) -> Any:
        seen.append("read")
        return real(*args, **kwargs)

    monkeypatch.setattr(bodies, "answer", counted)
    return seen


def some(handle: LabHandle, count: int = 8, label: Tlp = Tlp.GREEN) -> list[Members]:
    members = [handle.indicator(label) for _ in range(count)]
    store(handle, *members)
    return members


def test_a_page_is_read_twice_and_then_answered_from_the_shelf(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    some(community.aurora)
    reads = statements(monkeypatch)
    reader = community.borealis.principal
    pages = [ask(reader) for _ in range(5)]
    assert len({content(page) for page in pages}) == 1
    assert pages[0].count == 3
    assert len(reads) == 2


def test_a_kept_page_leads_on_like_the_page_itself(community: Community) -> None:
    some(community.aurora)
    reader = community.borealis.principal
    first = kept(reader)
    second = ask(reader, cursor=first.next)
    assert second.first is not None
    assert first.last is not None
    assert second.first > first.last
    assert content(second) == content(ask(reader, cursor=ask(reader).next))


def test_every_answer_has_its_row_in_the_delivery_log(community: Community) -> None:
    some(community.aurora, label=Tlp.AMBER)
    reader = community.borealis.principal
    for _ in range(5):
        ask(reader)
    rows = list(Delivery.objects.filter(door="test").values_list("seq_from", "seq_to", "lab_id", "filter"))
    assert len(rows) == 5
    assert all(row == rows[0] for row in rows)


def test_a_reader_who_has_the_answer_is_delivered_nothing(community: Community) -> None:
    some(community.aurora)
    reader = community.borealis.principal
    for page in (ask(reader), kept(reader)):
        before = Delivery.objects.count()
        view = find_collection(reader, "signatures")
        again = read_bodies(
            principal=reader,
            collection=view,
            request=PageRequest(limit=3, types=("indicator",)),
            door="test",
            known_tags=frozenset({"other", page.tag}),
        )
        assert again.is_known
        assert again.joined == b""
        assert Delivery.objects.count() == before


def test_readers_of_other_audiences_have_pages_of_their_own(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    store(aurora, marking)
    store(aurora, *(marked(aurora, Tlp.AMBER, marking) for _ in range(4)))
    public = some(aurora, 4)
    assert b"Template" in kept(borealis.principal).joined
    for reader in (cobalt.principal, cobalt.client):
        page = kept(reader)
        assert page.count == 3
        assert all(each["id"].encode() in page.joined for each in public[:3])
    with pytest.raises(ExchangeError):
        ask(ANONYMOUS)


def narrow(lab: LabHandle, members: Members) -> None:
    store(lab, lab.next_version(members, object_marking_refs=[Tlp.RED.marking_id]))


def delete(lab: LabHandle, members: Members) -> None:
    delete_object(principal=lab.principal, stix_id=members["id"])


def revise(lab: LabHandle, members: Members) -> None:
    store(lab, lab.next_version(members, name="Another name"))


def revoke(lab: LabHandle, members: Members) -> None:
    store(lab, lab.next_version(members, revoked=True))


@pytest.mark.parametrize("change", [narrow, delete, revise, revoke])
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_change_to_what_a_kept_page_shows_acts_at_the_next_request(
    community: Community, change: Any, place: int
) -> None:
    aurora, borealis, _ = community.labs
    members = some(aurora)
    before = kept(borealis.principal)
    change(aurora, members[place])
    after = ask(borealis.principal)
    assert after.count == 3
    if place < 3:
        assert members[place]["id"].encode() not in after.joined
        assert after.tag != before.tag
    assert content(after) == content(fresh(borealis.principal))


def fresh(principal: Principal, **asked: Any) -> BodiesPage:
    """The page as nobody has asked for it before."""
    shelf, bodies.SHELF = bodies.SHELF, PageShelf()
    try:
        return ask(principal, **asked)
    finally:
        bodies.SHELF = shelf


def test_what_comes_late_into_the_middle_of_a_kept_view_is_seen(community: Community) -> None:
    aurora, _, cobalt = community.labs
    signatures = Collection.objects.get(alias="signatures")
    lab = Lab.objects.get(slug="cobalt")
    some(aurora)
    kept(cobalt.principal, "all")
    grant_access(actor=OPERATOR, collection=signatures, lab=lab, can_read=False, can_write=False)
    assert b"Template" not in ask(cobalt.principal, "all").joined
    grant_access(actor=OPERATOR, collection=signatures, lab=lab, can_read=True, can_write=False)
    assert content(ask(cobalt.principal, limit=3)) == content(fresh(cobalt.principal))


def test_a_change_that_has_not_committed_counts_for_nobody_and_one_that_has_for_all(community: Community) -> None:
    aurora, borealis, _ = community.labs
    members = some(aurora)
    page = kept(borealis.principal)
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def delete_slowly() -> None:
        try:
            with transaction.atomic():
                delete_object(principal=aurora.principal, stix_id=members[0]["id"])
                begun.set()
                go_on.wait(30)
        finally:
            connection.close()
            done.set()

    threading.Thread(target=delete_slowly, daemon=True).start()
    assert begun.wait(30)
    assert content(ask(borealis.principal)) == content(page)
    go_on.set()
    assert done.wait(30)
    assert content(ask(borealis.principal)) == content(fresh(borealis.principal)) != content(page)


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReadAhead[Any]]:
    """Reading ahead, as in the web process."""
    ahead: ReadAhead[Any] = ReadAhead()
    monkeypatch.setattr(bodies, "AHEAD", ahead)
    ahead.turn_on()
    yield ahead
    ahead.turn_off()


def follow(principal: Principal, ahead: ReadAhead[Any], pages: int) -> list[BodiesPage]:
    """So many pages by `next`, each asked for when it has been read ahead."""
    found = [ask(principal)]
    for _ in range(pages - 1):
        found.append(ask(principal, cursor=found[-1].next))
        settle(ahead)
    return found


def settle(ahead: ReadAhead[Any]) -> None:
    """Wait until the thread has read what it was given."""
    done = threading.Event()
    assert ahead._reader is not None
    ahead._reader.submit(done.set)
    assert done.wait(30)


def test_whoever_follows_finds_the_next_page_read_and_each_has_its_row(
    community: Community, ahead: ReadAhead[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    some(community.aurora, 14)
    reads = statements(monkeypatch)
    pages = follow(community.borealis.principal, ahead, 5)
    assert len(reads) == 3, "the first page, the one that shows that somebody follows, and the last, which is not whole"
    assert Delivery.objects.filter(door="test").count() == 5
    rows = Delivery.objects.filter(door="test").order_by("id").values_list("seq_from", "seq_to")
    assert all(one[1] < other[0] for one, other in pairwise(rows))
    assert [page.count for page in pages] == [3, 3, 3, 3, 2]


@pytest.mark.parametrize("change", [narrow, delete, revise, revoke])
def test_a_change_to_a_page_that_was_read_ahead_acts_when_it_is_asked_for(
    community: Community, ahead: ReadAhead[Any], change: Any
) -> None:
    aurora, borealis, _ = community.labs
    members = some(aurora, 14)
    second = follow(borealis.principal, ahead, 2)[-1]
    change(aurora, members[7])
    third = ask(borealis.principal, cursor=second.next)
    assert members[7]["id"].encode() not in third.joined
    assert content(third) == content(fresh(borealis.principal, cursor=second.next))


def test_a_page_that_was_read_ahead_is_nobody_elses(community: Community, ahead: ReadAhead[Any]) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    store(aurora, marking, *(marked(aurora, Tlp.AMBER, marking) for _ in range(14)))
    second = follow(borealis.principal, ahead, 2)[-1]
    assert second.next
    signatures = Collection.objects.get(alias="signatures")
    grant_access(
        actor=OPERATOR, collection=signatures, lab=Lab.objects.get(slug="borealis"), can_read=False, can_write=False
    )
    with pytest.raises(ExchangeError):
        ask(borealis.principal, cursor=second.next)
    assert ask(cobalt.principal).count == 0


ACTS = ("new", "new", "revise", "late", "narrow", "widen", "revoke", "delete", "grant")


@pytest.mark.parametrize("seed", range(4))
def test_kept_pages_agree_with_fresh_ones_whatever_happens(community: Community, seed: int) -> None:
    chance = random.Random(seed)
    world = World(community, chance)
    for _ in range(8):
        world.act("new")
    for _ in range(25):
        world.act(chance.choice(ACTS))
        for principal, asked in world.questions():
            assert content(ask(principal, **asked)) == content(fresh(principal, **asked))


class World:
    """Two labs that publish and change, and everybody's questions."""

    def __init__(self, community: Community, chance: random.Random) -> None:
        self._community, self._chance = community, chance
        self._objects: list[tuple[LabHandle, Members]] = []
        self._start = now()

    def act(self, kind: str) -> None:
        """Do one thing; what is refused changes nothing, which must be seen too."""
        if kind == "grant":
            self._grant()
            return
        if kind == "new" or not self._objects:
            lab = self._chance.choice(self._community.labs[:2])
            members = lab.indicator(self._chance.choice([Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER]))
            self._objects.append((lab, members))
            lab.publish(lab.signed(members))
            return
        place = self._chance.randrange(len(self._objects))
        lab, members = self._objects[place]
        if kind == "delete":
            del self._objects[place]
            delete_object(principal=lab.principal, stix_id=members["id"])
            return
        changed = self._changed(lab, members, kind)
        lab.publish(lab.signed(changed))
        if kind != "late":
            self._objects[place] = (lab, changed)

    def _changed(self, lab: LabHandle, members: Members, kind: str) -> Members:
        labels = {"narrow": Tlp.AMBER_STRICT, "widen": Tlp.GREEN}
        changes: Members = {"name": f"Name {self._chance.random()}"}
        if kind in labels:
            changes["object_marking_refs"] = [labels[kind].marking_id]
        if kind == "revoke":
            changes["revoked"] = True
        if kind == "late":
            changes["modified"] = members["modified"][:-4] + f"{self._chance.randrange(999):03}Z"
        return lab.next_version(members, **changes)

    def _grant(self) -> None:
        collection = Collection.objects.get(alias="signatures")
        lab = Lab.objects.get(slug="cobalt")
        for can_read in (False, True):
            grant_access(actor=OPERATOR, collection=collection, lab=lab, can_read=can_read, can_write=True)

    def questions(self) -> Iterator[tuple[Principal, Members]]:
        """Some that come again and again."""
        for principal in (self._community.borealis.principal, self._community.cobalt.client):
            for asked in (
                {},
                {"collection": "all", "types": ()},
                {"all_versions": True},
                {"added_after": self._start},
            ):
                yield principal, asked


def test_changes_are_noted_by_block_and_forgotten_after_their_time(community: Community) -> None:
    aurora = community.aurora
    members = some(aurora, 2)
    whole = Span(0, 2**40)
    before = read_mark(whole)
    some(aurora, 1)
    assert read_mark(whole) == before, "what comes at the end changes nothing before it"
    revise(aurora, members[0])
    assert read_mark(whole).changes > before.changes
    assert read_mark(Span(2**30, 2**40)).changes == 0
    long_after = now() + KEPT_FOR + timedelta(days=1)
    assert purge_changes(long_after) == 0, "however old they are, they are seen for the first time"
    assert read_mark(whole).changes > before.changes
    assert purge_changes(long_after + KEPT_FOR) == 0
    assert purge_changes(long_after + KEPT_FOR + timedelta(seconds=1)) > 0
    assert read_mark(whole).changes == 0


def test_the_plain_role_cannot_add_a_change_itself(community: Community) -> None:
    with pytest.raises(Exception, match="permission denied"), writing(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO change (block) VALUES (1)")
