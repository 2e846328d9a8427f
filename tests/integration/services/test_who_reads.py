"""The table of docs/sharing.md: every label, every kind of reader, through objects that were really published."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from exchange.services.access import authenticate_token
from exchange.services.collections import create_collection, grant_access, visible_collections
from exchange.services.errors import NotAuthenticatedError, NotFoundError
from exchange.services.labs import suspend_lab
from exchange.services.principals import ANONYMOUS, NODE, OPERATOR, Principal
from exchange.services.publishing import OutcomeStatus, publish_objects
from exchange.services.query import VersionsRequest, compare_versions, read_object, read_versions
from exchange.stix.markings import Tlp
from tests.integration.services.views import finds, marked, person_of, visible, without_fresh_factor
from tests.support.labs import LOOPBACK, Community, LabHandle, admit_lab

READERS = (
    "anonymous",
    "operator",
    "node",
    "aurora",
    "aurora-client",
    "aurora-person",
    "aurora-person-stale",
    "borealis",
    "borealis-client",
    "borealis-person",
    "borealis-named",
    "borealis-named-stale",
    "cobalt",
    "cobalt-client",
    "cobalt-person",
    "dune",
    "dune-client",
    "dune-person",
)
"""aurora publishes; borealis and its named person are recipients; cobalt is none; dune has no grant at all."""

MEMBERS = frozenset(READERS) - {"anonymous", "operator", "node"}
GRANTED = MEMBERS - {"dune", "dune-client", "dune-person"}
CLIENTS = frozenset({"aurora-client", "borealis-client", "cobalt-client"})
OF_AURORA = frozenset({"aurora", "aurora-client", "aurora-person", "aurora-person-stale"})
PERSONS_OF_AURORA = frozenset({"aurora-person"})
RECIPIENTS = frozenset(name for name in GRANTED if not name.startswith("cobalt"))
EVERYBODY = frozenset(READERS)

TABLE = {
    ("open", Tlp.CLEAR, ""): EVERYBODY,
    ("open", Tlp.GREEN, ""): GRANTED,
    ("open", Tlp.AMBER, ""): GRANTED,
    ("open", Tlp.AMBER, "borealis"): RECIPIENTS,
    ("open", Tlp.AMBER_STRICT, ""): GRANTED - CLIENTS,
    ("open", Tlp.RED, "named"): {"aurora-person", "borealis-named"},
    ("signatures", Tlp.CLEAR, ""): GRANTED,
    ("signatures", Tlp.GREEN, ""): GRANTED,
    ("signatures", Tlp.AMBER, ""): GRANTED,
    ("signatures", Tlp.AMBER, "borealis"): RECIPIENTS,
    ("signatures", Tlp.AMBER, "named"): OF_AURORA | {"borealis-named"},
    ("signatures", Tlp.AMBER_STRICT, ""): GRANTED - CLIENTS,
    ("signatures", Tlp.AMBER_STRICT, "borealis"): RECIPIENTS - CLIENTS,
    ("signatures", Tlp.AMBER_STRICT, "named"): (OF_AURORA - CLIENTS) | {"borealis-named"},
    ("signatures", Tlp.RED, ""): PERSONS_OF_AURORA,
    ("signatures", Tlp.RED, "borealis"): PERSONS_OF_AURORA,
    ("signatures", Tlp.RED, "named"): {"aurora-person", "borealis-named"},
}


@dataclass(frozen=True, slots=True)
class Stage:
    readers: dict[str, Principal]
    objects: dict[tuple[str, Tlp, str], str]
    markings: dict[str, str]


@pytest.fixture(scope="module")
def stage(settled_community: Community) -> Stage:
    """Everything published, everybody ready to read."""
    aurora, borealis, cobalt = settled_community.labs
    dune = admit_lab("dune")
    _take_grants_away(dune)
    create_collection(
        actor=OPERATOR,
        alias="open",
        title="Public",
        public=True,
        readers=[aurora.lab, borealis.lab, cobalt.lab],
        writers=[aurora.lab],
    )
    readers = {"anonymous": ANONYMOUS, "operator": OPERATOR, "node": NODE}
    for lab in (aurora, borealis, cobalt, dune):
        readers[lab.lab.slug] = lab.principal
        readers[f"{lab.lab.slug}-client"] = lab.client
        readers[f"{lab.lab.slug}-person"] = person_of(lab)
    readers["aurora-person-stale"] = without_fresh_factor(readers["aurora-person"])
    readers["borealis-named"] = person_of(borealis)
    readers["borealis-named-stale"] = without_fresh_factor(readers["borealis-named"])
    markings = {
        "borealis": aurora.distribution(borealis.identity),
        "named": aurora.distribution(readers["borealis-named"].person_identity),
    }
    objects: dict[tuple[str, Tlp, str], str] = {}
    for collection in ("open", "signatures"):
        chosen = [key for key in TABLE if key[0] == collection]
        bodies = {key: marked(aurora, key[1], markings.get(key[2])) for key in chosen}
        _publish(aurora, collection, [*markings.values(), *bodies.values()])
        objects |= {key: str(members["id"]) for key, members in bodies.items()}
    return Stage(readers, objects, {name: str(marking["id"]) for name, marking in markings.items()})


def _take_grants_away(lab: LabHandle) -> None:
    for grant in list(lab.lab.grants.select_related("collection")):
        grant_access(actor=OPERATOR, collection=grant.collection, lab=lab.lab, can_read=False, can_write=False)


def _publish(lab: LabHandle, alias: str, objects: list[dict[str, object]]) -> None:
    """Markings go to their home, the others where the test wants them."""
    principal = lab.principal
    view = next(each for each in visible_collections(principal) if each.alias == alias)
    for members in objects:
        home = None if members["type"] == "marking-definition" else view
        outcome = publish_objects(principal=principal, bodies=[lab.signed(members)], collection=home, door="test")[0]
        assert outcome.status in {OutcomeStatus.STORED, OutcomeStatus.EXISTS}, outcome


@pytest.mark.parametrize("reader", READERS)
def test_each_reader_finds_exactly_its_rows_of_the_table(stage: Stage, reader: str) -> None:
    principal = stage.readers[reader]
    expected = {stix_id for key, stix_id in stage.objects.items() if reader in TABLE[key]}
    published = set(stage.objects.values())
    visible_here = visible(principal)
    assert visible_here & published == expected
    assert {stix_id for stix_id in published if finds(principal, stix_id)} == expected
    in_homes = set().union(
        *(visible(principal, view.alias) for view in visible_collections(principal) if not view.is_view)
    )
    assert in_homes & published == expected


@pytest.mark.parametrize("reader", READERS)
def test_a_distribution_marking_is_read_by_its_producer_and_its_recipients(stage: Stage, reader: str) -> None:
    principal = stage.readers[reader]
    expected = {
        "borealis": OF_AURORA | {name for name in RECIPIENTS if name.startswith("borealis")},
        "named": OF_AURORA | {"borealis-named"},
    }
    found = {name for name, marking_id in stage.markings.items() if finds(principal, marking_id)}
    assert found == {name for name, readers in expected.items() if reader in readers}


def test_whoever_may_read_a_stricter_label_may_read_a_looser_one(stage: Stage) -> None:
    for collection, recipients in {(key[0], key[2]) for key in TABLE}:
        chosen = sorted(key for key in TABLE if (key[0], key[2]) == (collection, recipients))
        for looser, stricter in itertools.pairwise(chosen):
            readers = [name for name, reader in stage.readers.items() if finds(reader, stage.objects[stricter])]
            assert all(finds(stage.readers[name], stage.objects[looser]) for name in readers), (looser, stricter)


def test_absent_and_not_allowed_give_the_same_error(stage: Stage) -> None:
    cobalt = stage.readers["cobalt"]
    views = visible_collections(cobalt)
    hidden = stage.objects["signatures", Tlp.AMBER, "borealis"]
    absent = f"indicator--{'0' * 8}-0000-4000-8000-{secrets.token_hex(6)}"
    reads: list[Callable[[str], object]] = [
        lambda stix_id: read_object(principal=cobalt, stix_id=stix_id, door="test", collections=views),
        lambda stix_id: read_versions(
            principal=cobalt, request=VersionsRequest(stix_id), door="test", collections=views
        ),
        lambda stix_id: compare_versions(
            principal=cobalt, stix_id=stix_id, old="", new="", producer="", door="test", collections=views
        ),
    ]
    for read in reads:
        told = []
        for stix_id in (hidden, absent):
            with pytest.raises(NotFoundError) as caught:
                read(stix_id)
            told.append((type(caught.value), caught.value.code, caught.value.detail, caught.value.pointer))
        assert told[0] == told[1]


def test_a_suspended_lab_reads_nothing_at_all(stage: Stage) -> None:
    ember = admit_lab("ember")
    assert finds(ember.principal, stage.objects["signatures", Tlp.GREEN, ""])
    suspend_lab(actor=OPERATOR, slug="ember")
    for secret in (ember.token, ember.client_token):
        with pytest.raises(NotAuthenticatedError, match="the token is not valid"):
            authenticate_token(secret, source_address=LOOPBACK)
