"""match[version] against a model: histories that arrive in any order, for any readers, with versions deleted again."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import pytest

from exchange.services.collections import find_collection
from exchange.services.deletion import delete_object
from exchange.services.principals import Principal
from exchange.services.publishing import OutcomeStatus
from exchange.services.query import FIRST, LAST, ManifestRecord, PageRequest, read_manifest, read_page
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import ordering_key
from tests.integration.taxii.walking import Members, history, store
from tests.support.taxii import Node

HISTORIES, LONGEST, DATES = 14, 4, 2
CHOICES = [(LAST,), (FIRST,), (FIRST, LAST)]


class World:
    """Histories of aurora, published in a random order and in batches of random size."""

    def __init__(self, node: Node, seed: int) -> None:
        self.node, self.chance, lab = node, random.Random(seed), node.community.aurora
        marking = lab.distribution(node.community.borealis.identity)
        store(node.aurora, lab, marking, collection="identities")
        labels = [[Tlp.GREEN.marking_id], [Tlp.AMBER.marking_id, marking["id"]], [Tlp.AMBER_STRICT.marking_id]]
        self.histories = [history(lab, self.chance.randint(1, LONGEST)) for _ in range(HISTORIES)]
        versions: list[Members] = [
            {**each, "object_marking_refs": self.chance.choice(labels)} for each in itertools.chain(*self.histories)
        ]
        self.chance.shuffle(versions)
        while versions:
            size = self.chance.randint(1, 6)
            batch, versions = versions[:size], versions[size:]
            outcomes = lab.publish(*map(lab.signed, batch))
            assert {each.status for each in outcomes} == {OutcomeStatus.STORED}

    @property
    def readers(self) -> list[Principal]:
        labs = self.node.community.labs
        return [labs[0].principal, labs[1].principal, labs[2].client]

    def delete_some(self) -> None:
        """Single versions of every second history: the first, the last, or one between."""
        for versions in self.histories[::2]:
            words = self.chance.choice([(FIRST,), (LAST,), (ordering_key(versions[len(versions) // 2]["modified"]),)])
            delete_object(principal=self.readers[0], stix_id=versions[0]["id"], versions=words)


def expected(seen: Iterable[ManifestRecord], versions: tuple[str, ...]) -> list[int]:
    """Sequence numbers of what a choice of versions leaves of entries that match the rest of a request."""
    by_object: dict[str, list[ManifestRecord]] = defaultdict(list)
    for record in seen:
        by_object[record.id].append(record)
    chosen = set()
    for records in by_object.values():
        ordered = sorted(records, key=lambda each: ordering_key(each.version))
        chosen |= {ordered[0].seq} if FIRST in versions else set()
        chosen |= {ordered[-1].seq} if LAST in versions else set()
        chosen |= {each.seq for each in ordered if ordering_key(each.version) in versions}
    return sorted(chosen)


def records_of(reader: Principal, alias: str, request: PageRequest) -> list[ManifestRecord]:
    view = find_collection(reader, alias)
    return read_manifest(principal=reader, collection=view, request=request, door="test").records


def paged(reader: Principal, alias: str, request: PageRequest) -> list[int]:
    """Sequence numbers of all pages, following the cursor."""
    found, view = [], find_collection(reader, alias)
    while True:
        page = read_page(principal=reader, collection=view, request=request, door="test")
        found += [each.seq for each in page.entries]
        if not page.more:
            return found
        request = replace(request, cursor=page.next)


def assert_rules(world: World, alias: str) -> None:
    for reader in world.readers:
        whole = records_of(reader, alias, PageRequest(limit=1000, all_versions=True))
        exact = tuple({ordering_key(each.version) for each in world.chance.sample(whole, 3)})
        places = [None, *(each.date_added for each in world.chance.sample(whole, DATES))]
        for added_after, versions in itertools.product(places, [*CHOICES, exact, (*exact, LAST)]):
            seen = [each for each in whole if added_after is None or each.date_added > added_after]
            request = PageRequest(limit=1000, added_after=added_after, versions=versions)
            found = [each.seq for each in records_of(reader, alias, request)]
            assert found == expected(seen, versions), (added_after, versions)
            if versions == (FIRST, LAST) and added_after == places[-1]:
                assert paged(reader, alias, replace(request, limit=7)) == found


@pytest.mark.parametrize("seed", [1])
def test_versions_are_those_of_the_model_before_and_after_deletions(shared_node: Node, seed: int) -> None:
    world = World(shared_node, seed)
    assert_rules(world, "signatures")
    world.delete_some()
    assert_rules(world, "signatures")
    assert_rules(world, "all")
