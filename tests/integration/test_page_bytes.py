"""A page is bounded in bytes as well as in objects, and following it misses nothing."""

from __future__ import annotations

import pytest

from exchange.services.collections import find_collection
from exchange.services.query import PageRequest, fetching, read_page
from tests.support.labs import Community


@pytest.mark.parametrize("all_versions", [False, True])
def test_a_page_of_large_objects_is_cut_and_goes_on(
    community: Community, monkeypatch: pytest.MonkeyPatch, all_versions: bool
) -> None:
    aurora, borealis, _ = community.labs
    objects = [aurora.indicator() for _ in range(9)]
    aurora.publish(*(aurora.signed(members) for members in objects))
    size = len(aurora.signed(objects[0]))
    monkeypatch.setattr(fetching, "MAX_PAGE_BYTES", 2 * size)
    collection = find_collection(borealis.principal, "signatures")
    seen, cursor, sizes = [], "", []
    while True:
        request = PageRequest(limit=100, cursor=cursor, types=("indicator",), all_versions=all_versions)
        found = read_page(principal=borealis.principal, collection=collection, request=request, door="test")
        seen += [entry.seq for entry in found.entries]
        sizes.append(len(found.entries))
        cursor = found.next
        if not found.more:
            break
    assert len(seen) == len(set(seen)) == len(objects)
    assert seen == sorted(seen)
    assert max(sizes) <= 3


def test_one_object_over_the_bound_makes_a_page_of_its_own(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    aurora = community.aurora
    aurora.publish(*(aurora.signed(aurora.indicator()) for _ in range(3)))
    monkeypatch.setattr(fetching, "MAX_PAGE_BYTES", 1)
    collection = find_collection(aurora.principal, "signatures")
    request = PageRequest(limit=100, types=("indicator",))
    found = read_page(principal=aurora.principal, collection=collection, request=request, door="test")
    assert len(found.entries) == 1
    assert found.more
