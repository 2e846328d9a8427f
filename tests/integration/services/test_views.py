"""Rule 1 and 5: a reader's view is complete in itself, and changes of membership act at the next request."""

from __future__ import annotations

import base64
import itertools
from datetime import timedelta

import pytest

from exchange.models import Collection
from exchange.services.access import authenticate_token
from exchange.services.collections import create_collection, find_collection, grant_access, visible_collections
from exchange.services.errors import AccessDeniedError, InvalidRequestError, NotAuthenticatedError, NotFoundError
from exchange.services.labs import resume_lab, suspend_lab
from exchange.services.principals import ANONYMOUS, OPERATOR, Principal
from exchange.services.publishing import publish_objects
from exchange.services.query import Page, VersionsRequest, read_object, read_versions
from exchange.services.tokens import issue_token, revoke_token
from exchange.stix.markings import Tlp
from tests.integration.services.views import (
    Members,
    as_owner,
    finds,
    ids_of,
    marked,
    page_of,
    person_of,
    store,
    visible,
)
from tests.support.labs import LOOPBACK, Community, LabHandle


def interleaved(lab: LabHandle, shown: int, hidden: int) -> list[Members]:
    """GREEN objects with `hidden` RED ones before, between and after them; answers the GREEN ones."""
    greens = [lab.indicator() for _ in range(shown)]
    reds = [lab.indicator(Tlp.RED) for _ in range(hidden * (shown + 1))]
    groups = [iter(reds[place * hidden : (place + 1) * hidden]) for place in range(shown + 1)]
    mixed = list(groups[0])
    for green, group in zip(greens, groups[1:], strict=True):
        mixed += [green, *group]
    store(lab, *mixed)
    return greens


def shape(page: Page) -> tuple[int, bool, bool]:
    return len(page.entries), page.more, bool(page.next)


def test_what_a_reader_may_not_see_shapes_nothing_that_it_sees(community: Community) -> None:
    greens = [members["id"] for members in interleaved(community.aurora, shown=4, hidden=3)]
    reader = community.cobalt.principal
    begin = page_of(reader, "signatures").entries[-4].date_added - timedelta(microseconds=1)
    follow = {"types": ("indicator",)}
    for limit in (1, 2, 3, 4, 5):
        pages, cursor = [], ""
        while True:
            page = page_of(reader, "signatures", limit=limit, cursor=cursor, **follow)
            pages.append(page)
            cursor = page.next
            if not page.more:
                break
        assert list(itertools.chain.from_iterable(map(ids_of, pages))) == greens
        assert len(pages) == -(-len(greens) // limit), "no page is short or empty because of what is hidden"
        assert [shape(page)[1:] for page in pages] == [(True, True)] * (len(pages) - 1) + [(False, False)]
    assert ids_of(page_of(reader, "signatures", added_after=begin)) == greens
    assert ids_of(page_of(reader, "signatures", ids=tuple(greens[1:3]))) == greens[1:3]


def test_a_collection_full_of_hidden_objects_looks_like_an_empty_one(community: Community) -> None:
    asked = {"types": ("indicator",)}
    empty = page_of(community.cobalt.principal, "signatures", **asked)
    store(community.aurora, *(community.aurora.indicator(Tlp.RED) for _ in range(3)))
    full = page_of(community.cobalt.principal, "signatures", **asked)
    assert (full.entries, full.more, full.next) == (empty.entries, empty.more, empty.next) == ([], False, "")
    assert as_owner("SELECT count(*) FROM delivery WHERE filter ->> 'types' LIKE '%%indicator%%'") == [(0,)]


def test_cursors_serve_their_reader_their_question_and_nobody_else(community: Community) -> None:
    interleaved(community.aurora, shown=3, hidden=1)
    aurora, cobalt = community.aurora.principal, community.cobalt.principal
    cursor = page_of(cobalt, "signatures", limit=1).next
    assert page_of(cobalt, "signatures", limit=5, cursor=cursor).entries, "another limit is the same question"
    cases: tuple[tuple[Principal, str, Members], ...] = (
        (aurora, "signatures", {}),
        (community.cobalt.client, "signatures", {}),
        (person_of(community.cobalt), "signatures", {}),
        (cobalt, "all", {}),
        (cobalt, "signatures", {"types": ("indicator",)}),
        (cobalt, "signatures", {"ids": ("indicator--x",)}),
        (cobalt, "signatures", {"all_versions": True}),
    )
    for reader, collection, question in cases:
        with pytest.raises(InvalidRequestError, match="start again") as caught:
            page_of(reader, collection, limit=1, cursor=cursor, **question)
        assert (caught.value.code, caught.value.pointer) == ("cursor", "next")


def test_forged_cursors_are_refused(community: Community) -> None:
    interleaved(community.aurora, shown=2, hidden=0)
    reader = community.cobalt.principal
    cursor = page_of(reader, "signatures", limit=1).next
    sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    flipped = base64.urlsafe_b64encode(sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:]).decode()
    for forged in ("1", "0" * 200, cursor[:-4], flipped, "\x00", "é", "=" * 8, cursor + cursor):
        with pytest.raises(InvalidRequestError, match="start again"):
            page_of(reader, "signatures", cursor=forged)
    with pytest.raises(InvalidRequestError) as caught:
        page_of(reader, "signatures", limit=0)
    assert caught.value.pointer == "limit"


def test_a_cursor_tells_nothing_of_where_it_points(community: Community) -> None:
    interleaved(community.aurora, shown=3, hidden=2)
    reader = community.cobalt.principal
    first, again = (page_of(reader, "signatures", limit=1).next for _ in range(2))
    assert first != again
    assert len(first) == len(page_of(reader, "signatures", limit=2).next)


def test_after_a_grant_a_follower_of_the_view_is_told_to_start_again(community: Community) -> None:
    aurora, cobalt = community.aurora, community.cobalt
    extra = create_collection(actor=OPERATOR, alias="extra", title="Extra", readers=[aurora.lab], writers=[aurora.lab])
    missed = aurora.indicator()
    view = find_collection(aurora.principal, "extra")
    publish_objects(principal=aurora.principal, bodies=[aurora.signed(missed)], collection=view, door="test")
    store(aurora, *(aurora.indicator() for _ in range(3)))
    cursor = page_of(cobalt.principal, limit=1).next
    own_home = page_of(cobalt.principal, "signatures", limit=1).next
    grant_access(actor=OPERATOR, collection=extra, lab=cobalt.lab, can_read=True, can_write=False)

    with pytest.raises(InvalidRequestError, match="have changed; start again"):
        page_of(cobalt.principal, cursor=cursor)
    assert missed["id"] in visible(cobalt.principal)
    assert page_of(cobalt.principal, "signatures", cursor=own_home).entries, "other collections are not concerned"
    held = page_of(cobalt.principal, limit=1).next
    grant_access(actor=OPERATOR, collection=extra, lab=cobalt.lab, can_read=False, can_write=False)
    with pytest.raises(InvalidRequestError, match="have changed; start again"):
        page_of(cobalt.principal, cursor=held)


def test_grants_act_at_the_next_request(community: Community) -> None:
    members = community.aurora.indicator()
    store(community.aurora, members)
    lab, home = community.cobalt, Collection.objects.get(alias="signatures")
    assert finds(lab.principal, members["id"])
    grant_access(actor=OPERATOR, collection=home, lab=lab.lab, can_read=False, can_write=True)
    assert not finds(lab.principal, members["id"])
    assert members["id"] not in visible(lab.principal)
    with pytest.raises(AccessDeniedError):
        page_of(lab.principal, "signatures")
    own = lab.indicator()
    store(lab, own)
    assert finds(lab.principal, own["id"]), "the producer sees its own"
    assert not finds(lab.client, own["id"]), "its clients do not"
    grant_access(actor=OPERATOR, collection=home, lab=lab.lab, can_read=False, can_write=False)
    with pytest.raises(NotFoundError) as hidden:
        find_collection(lab.principal, "signatures")
    with pytest.raises(NotFoundError) as absent:
        find_collection(lab.principal, "no-such")
    assert (hidden.value.code, hidden.value.detail) == (absent.value.code, absent.value.detail)
    grant_access(actor=OPERATOR, collection=home, lab=lab.lab, can_read=True, can_write=True)
    assert finds(lab.principal, members["id"])


def test_suspension_and_return_act_at_the_next_request(community: Community) -> None:
    aurora, cobalt = community.aurora, community.cobalt
    members = cobalt.indicator()
    store(cobalt, members)
    suspend_lab(actor=OPERATOR, slug="cobalt")
    for secret in (cobalt.token, cobalt.client_token):
        with pytest.raises(NotAuthenticatedError):
            authenticate_token(secret, source_address=LOOPBACK)
    views = visible_collections(aurora.principal)
    entry = read_object(principal=aurora.principal, stix_id=members["id"], door="test", collections=views)[0]
    assert entry.producer_status == "suspended", "its objects stay, shown as such"
    resume_lab(actor=OPERATOR, slug="cobalt")
    assert finds(cobalt.principal, members["id"])
    revoke_token(principal=cobalt.principal, prefix=cobalt.token[:12])
    with pytest.raises(NotAuthenticatedError):
        _ = cobalt.principal


def test_a_token_bound_to_collections_sees_no_other_and_not_even_its_own_there(community: Community) -> None:
    aurora = community.aurora
    inside, outside = aurora.indicator(), aurora.address("203.0.113.9")
    store(aurora, inside, outside)
    bounds = {"collections": ["signatures"]}
    token = issue_token(actor=OPERATOR, lab=aurora.lab, scopes=["read"], bounds=bounds)
    bound = authenticate_token(token.secret, source_address=LOOPBACK)
    assert {view.alias for view in visible_collections(bound)} == {"signatures", "all"}
    assert finds(bound, inside["id"])
    assert not finds(bound, outside["id"])
    assert outside["id"] not in visible(bound)


def test_a_token_that_may_only_publish_reads_nothing(community: Community) -> None:
    aurora = community.aurora
    members = aurora.indicator()
    store(aurora, members)
    token = issue_token(actor=OPERATOR, lab=aurora.lab, scopes=["publish"])
    publisher = authenticate_token(token.secret, source_address=LOOPBACK)
    assert not finds(publisher, members["id"])
    with pytest.raises(AccessDeniedError):
        page_of(publisher, "signatures")


def test_narrowing_stops_delivery_at_once_and_widening_exposes_no_old_version(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    for_borealis = aurora.distribution(borealis.identity)
    secret = marked(aurora, Tlp.AMBER, for_borealis, description="Only for Borealis.")
    wide = aurora.next_version(secret, object_marking_refs=[Tlp.GREEN.marking_id], description="For all.")
    narrow = aurora.next_version(wide, object_marking_refs=secret["object_marking_refs"])
    store(aurora, for_borealis, secret)
    assert not finds(cobalt.principal, secret["id"])

    store(aurora, wide)
    views = visible_collections(cobalt.principal)
    asked = VersionsRequest(secret["id"])
    versions = read_versions(principal=cobalt.principal, request=asked, door="test", collections=views)
    assert [entry.version for entry in versions.entries] == [wide["modified"]]
    everything = page_of(cobalt.principal, "signatures", all_versions=True, ids=(secret["id"],))
    assert [entry.version for entry in everything.entries] == [wide["modified"]]
    mine = read_versions(
        principal=borealis.principal,
        request=asked,
        door="test",
        collections=visible_collections(borealis.principal),
    )
    assert [entry.version for entry in mine.entries] == [secret["modified"], wide["modified"]]

    store(aurora, narrow)
    assert not finds(cobalt.principal, secret["id"]), "not even the version that was for all"
    assert page_of(cobalt.principal, "signatures", all_versions=True, ids=(secret["id"],)).entries == []
    assert finds(borealis.principal, secret["id"])


def test_anonymous_readers_know_of_public_collections_alone(community: Community) -> None:
    assert visible_collections(ANONYMOUS) == []
    with pytest.raises(NotFoundError):
        find_collection(ANONYMOUS, "all")
