"""Several communities on one node: rules hold across their roots, and rights end at them."""

from __future__ import annotations

import pytest

from exchange.models import ApiRoot, Collection, Grant
from exchange.services.access import authenticate_token
from exchange.services.collections import (
    create_collection,
    find_collection,
    grant_access,
    visible_collections,
    visible_everywhere,
)
from exchange.services.deletion import delete_object
from exchange.services.errors import NotFoundError
from exchange.services.labs import create_lab
from exchange.services.principals import ANONYMOUS, OPERATOR, Principal
from exchange.services.publishing import Outcome, OutcomeStatus, publish_objects
from exchange.services.roots import visible_roots
from exchange.services.tokens import issue_token
from exchange.stix.markings import Tlp
from tests.integration.services.test_references import sighting
from tests.integration.services.views import Members, finds, refusal, store
from tests.support.labs import LOOPBACK, Community, LabHandle

SECOND = "second"


@pytest.fixture
def second(community: Community) -> Community:
    """Aurora and borealis are in a second community too, with a collection of an alias that the first one has."""
    ApiRoot.objects.create(slug=SECOND, title="A community of two")
    labs = [community.aurora.lab, community.borealis.lab]
    create_collection(actor=OPERATOR, alias="signatures", title="Theirs", api_root=SECOND, readers=labs, writers=labs)
    create_collection(actor=OPERATOR, alias="all", title="All", api_root=SECOND, is_view=True)
    return community


def publish_there(lab: LabHandle, *objects: Members, principal: Principal | None = None) -> list[Outcome]:
    principal = principal or lab.principal
    view = find_collection(principal, "signatures", api_root=SECOND)
    return publish_objects(
        principal=principal, bodies=[lab.signed(members) for members in objects], collection=view, door="test"
    )


def bound_token(lab: LabHandle, *collections: str) -> Principal:
    scopes = ["read", "publish"]
    issued = issue_token(actor=OPERATOR, lab=lab.lab, scopes=scopes, bounds={"collections": list(collections)})
    return authenticate_token(issued.secret, source_address=LOOPBACK)


def test_an_object_is_not_looser_than_what_it_refers_to_in_another_root(second: Community) -> None:
    target = second.borealis.indicator(Tlp.AMBER)
    (stored,) = publish_there(second.borealis, target)
    assert stored.status is OutcomeStatus.STORED
    (here,) = second.aurora.publish(second.aurora.signed(sighting(second.aurora, target["id"], Tlp.GREEN)))
    assert refusal(here) == ("looser-than-reference", "/sighting_of_ref")
    (other,) = second.cobalt.publish(second.cobalt.signed(sighting(second.cobalt, target["id"], Tlp.GREEN)))
    assert other.status is OutcomeStatus.STORED, "cobalt may not know that the target is there"


def test_an_object_in_another_root_is_not_looser_than_what_it_refers_to_here(second: Community) -> None:
    target = second.borealis.indicator(Tlp.AMBER)
    store(second.borealis, target)
    (there,) = publish_there(second.aurora, sighting(second.aurora, target["id"], Tlp.GREEN))
    assert refusal(there) == ("looser-than-reference", "/sighting_of_ref")


def test_another_labs_id_is_its_own_in_every_root(second: Community) -> None:
    theirs = second.borealis.indicator()
    store(second.borealis, theirs)
    (outcome,) = publish_there(second.aurora, second.aurora.indicator(id=theirs["id"]))
    assert refusal(outcome) == ("foreign-id", "/id")


def test_an_object_lives_in_one_root(second: Community) -> None:
    ours = second.aurora.indicator()
    store(second.aurora, ours)
    (outcome,) = publish_there(second.aurora, second.aurora.next_version(ours))
    assert refusal(outcome) == ("other-collection", "/id")


def test_a_new_lab_is_admitted_to_the_default_root_alone(second: Community) -> None:
    lab = create_lab(actor=OPERATOR, slug="deneb", name="Deneb")
    roots = set(Grant.objects.filter(lab=lab).values_list("collection__api_root__slug", flat=True))
    assert roots == {"exchange"}


def test_a_bound_token_does_not_reach_the_same_alias_in_another_root(second: Community) -> None:
    theirs, ours = second.aurora.indicator(), second.aurora.indicator()
    publish_there(second.aurora, theirs)
    store(second.aurora, ours)
    here, there = bound_token(second.aurora, "signatures"), bound_token(second.aurora, "second/signatures")
    assert visible_collections(here, api_root=SECOND) == []
    assert {(view.api_root, view.alias) for view in visible_everywhere(there)} == {
        (SECOND, "signatures"),
        (SECOND, "all"),
    }
    for principal, reached, closed in ((here, ours, theirs), (there, theirs, ours)):
        assert finds(principal, reached["id"])
        assert not finds(principal, closed["id"])
        with pytest.raises(NotFoundError):
            delete_object(principal=principal, stix_id=closed["id"])
        delete_object(principal=principal, stix_id=reached["id"])


def test_a_bound_token_knows_the_roots_that_its_bounds_reach_and_the_default_one(second: Community) -> None:
    for bound, roots in (("signatures", {"exchange"}), ("second/signatures", {"exchange", SECOND})):
        principal = bound_token(second.aurora, bound)
        assert {root.slug for root in visible_roots(principal)} == roots
    client_known = {root.slug for root in visible_roots(second.aurora.client)}
    assert client_known == {"exchange", SECOND}
    assert {root.slug for root in visible_roots(second.cobalt.principal)} == {"exchange"}
    assert visible_roots(ANONYMOUS) == []


def test_who_may_only_write_in_a_root_knows_it_and_its_clients_do_not(second: Community) -> None:
    theirs = Collection.objects.get(api_root__slug=SECOND, alias="signatures")
    grant_access(actor=OPERATOR, collection=theirs, lab=second.cobalt.lab, can_read=False, can_write=True)
    assert {root.slug for root in visible_roots(second.cobalt.principal)} == {"exchange", SECOND}
    assert {root.slug for root in visible_roots(second.cobalt.client)} == {"exchange"}


def test_an_object_of_any_root_is_found_by_its_id_by_who_may_read_it(second: Community) -> None:
    there = second.aurora.indicator()
    publish_there(second.aurora, there)
    assert finds(second.borealis.principal, there["id"])
    assert not finds(second.cobalt.principal, there["id"])
