"""What `RemoteRoot` makes of medallion and OpenTAXII, and what these do that the specification does not say.

What they answer to the same envelope twice, to bad objects and to deletions differs; these tests hold what pushing to
them has to know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from exchange.services.outbound import allow_host
from exchange.services.principals import OPERATOR
from exchange.sync.peers import PeerError, RemoteRoot
from tests.integration.services.receiving.feeding import feed_indicator
from tests.integration.sync.conftest import QUICK
from tests.support.partners.partner import Partner

MISSING = "indicator--11111111-1111-4111-8111-111111111111"
OBSERVABLE = {
    "type": "ipv4-addr",
    "spec_version": "2.1",
    "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd",
    "value": "198.51.100.3",
}


@pytest.fixture
def collection(partner: Partner) -> str:
    return partner.make_collection()


@pytest.fixture
def root(database: None, partner: Partner) -> Iterator[RemoteRoot]:
    allow_host(actor=OPERATOR, host="127.0.0.1")
    with RemoteRoot(partner.access, limits=QUICK) as remote:
        yield remote


def envelope(*objects: Mapping[str, Any]) -> bytes:
    return json.dumps({"objects": objects}).encode()


def ids(partner: Partner, collection: str) -> list[str]:
    """The id of every version that it holds."""
    return sorted(each["id"] for each in partner.held(collection))


def fault_of(root: RemoteRoot, collection: str, *objects: Mapping[str, Any]) -> str:
    with pytest.raises(PeerError) as caught:
        root.post(collection, envelope(*objects))
    return caught.value.fault.value


def test_its_root_and_its_collections_are_understood(root: RemoteRoot, partner: Partner, collection: str) -> None:
    assert root.describe().max_content_length == 1 << 20
    (listed,) = [each for each in root.collections() if each.id == collection]
    assert (listed.can_read, listed.can_write) == (True, True)


def test_an_envelope_that_is_posted_twice_doubles_nothing(root: RemoteRoot, partner: Partner, collection: str) -> None:
    objects = [feed_indicator() for _ in range(3)]
    expected = sorted(each["id"] for each in objects)
    status = root.post(collection, envelope(*objects))
    assert (status.is_complete, status.success_count, status.failure_count) == (True, 3, 0)
    assert root.status(status.id).success_count == 3
    again = root.post(collection, envelope(*objects))
    assert again.is_complete
    if partner.name == "medallion":
        # What is there already is a failure like any other, and its message says nothing of that.
        assert (again.success_count, again.failure_count) == (0, 3)
        assert sorted(each.id for each in again.failure) == expected
        assert {each.message for each in again.failure} == {"Unable to process object"}
    else:
        assert (again.success_count, again.failure_count) == (3, 0)
    assert ids(partner, collection) == expected


def test_its_manifest_tells_what_is_there(root: RemoteRoot, partner: Partner, collection: str) -> None:
    first = feed_indicator()
    later = first | {"modified": "2026-11-24T12:00:00.001Z"}
    root.post(collection, envelope(first))
    root.post(collection, envelope(later))
    manifest = root.manifest(collection, limit=10, version="all")
    assert [each.id for each in manifest.records] == [first["id"]] * 2
    assert {each.version[:23] for each in manifest.records} == {first["modified"][:23], later["modified"][:23]}
    assert manifest.first < manifest.last
    assert len(root.manifest(collection, limit=10).records) == 1


def test_one_bad_object_among_good_ones(root: RemoteRoot, partner: Partner, collection: str) -> None:
    good = feed_indicator()
    if partner.name == "medallion":
        # It looks at ids alone, and what stands before the fault stays.
        assert fault_of(root, collection, good, {"type": "indicator"}) == "rejected"
        assert ids(partner, collection) == [good["id"]]
    else:
        # All or nothing: what stix2 does not parse is refused with the whole envelope.
        assert fault_of(root, collection, good, {"type": "indicator"}) == "rejected"
        assert ids(partner, collection) == []


def test_objects_without_a_modification_date(root: RemoteRoot, partner: Partner, collection: str) -> None:
    good = feed_indicator()
    if partner.name == "medallion":
        assert root.post(collection, envelope(good, OBSERVABLE)).success_count == 2
        assert ids(partner, collection) == sorted([good["id"], OBSERVABLE["id"]])
    else:
        # Observables and markings are more than it can keep: it fails, for ever, and keeps nothing of the envelope.
        assert fault_of(root, collection, good, OBSERVABLE) == "server-error"
        assert ids(partner, collection) == []


def test_deleting(root: RemoteRoot, partner: Partner, collection: str) -> None:
    kept, gone = feed_indicator(), feed_indicator()
    later = gone | {"modified": "2026-11-24T12:00:00.001Z"}
    root.post(collection, envelope(kept, gone, later))
    root.delete(collection, gone["id"])
    if partner.name == "medallion":
        # The last version alone, so that the one before it is the last one again.
        assert ids(partner, collection) == sorted([kept["id"], gone["id"]])
        root.post(collection, envelope(later))
        root.delete(collection, gone["id"], version="all")
        assert ids(partner, collection) == [kept["id"]]
        for missing in (gone["id"], MISSING):
            with pytest.raises(PeerError) as caught:
                root.delete(collection, missing, version="all")
            assert caught.value.fault.value == "not-found"
    else:
        # It answers 200, and rolls the deletion back at the end of the request; of missing objects it says the same.
        root.delete(collection, gone["id"], version="all")
        root.delete(collection, MISSING, version="all")
        assert ids(partner, collection) == sorted([kept["id"], gone["id"], gone["id"]])
