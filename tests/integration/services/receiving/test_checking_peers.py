"""`check_exchange` finds what cannot be true of things that came from peers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from exchange.models import Collection
from exchange.services.checking import check_exchange
from tests.integration.services.receiving.feeding import feed_indicator
from tests.integration.services.views import as_owner
from tests.support.database import close_connections, empty_tables
from tests.support.labs import make_community
from tests.support.peers import make_exchange, make_feed, pin_stranger, stranger, unsigned
from tests.support.snapshots import Snapshot

UNSIGNED = (
    "(SELECT v.id FROM version v JOIN object o ON o.id = v.object_id WHERE o.stix_id LIKE 'indicator--%%' AND kid = '')"
)
RELAYED = "(SELECT min(v.id) FROM version v WHERE v.kid <> '' AND v.origin_peer_id IS NOT NULL)"
SIGNED = "(SELECT max(v.id) FROM version v WHERE v.kid <> '' AND v.origin_peer_id IS NOT NULL)"

CORRUPTIONS = {
    "an unsigned version of no peer": (f"UPDATE version SET origin_peer_id = NULL WHERE id = {UNSIGNED}", "unsigned"),
    "a signed version without its key": (f"UPDATE version SET kid = '' WHERE id = {SIGNED}", "unsigned"),
    "an unsigned version of a lab": (
        "UPDATE object SET producer_id = (SELECT id FROM lab WHERE slug = 'aurora')"
        f" WHERE newest_version_id = {UNSIGNED}",
        "unsigned",
    ),
    "an unsigned version with other bytes": (
        f"UPDATE version SET body = convert_to(replace(convert_from(body, 'UTF8'), 'proxy', 'Proxy'), 'UTF8')"
        f" WHERE id = {UNSIGNED}",
        "digest",
    ),
    "a peer that is none": (f"UPDATE version SET origin_peer_id = 999 WHERE id = {RELAYED}", "origin"),
    "a feed's version from another peer": (
        "UPDATE version SET origin_peer_id = (SELECT p.id FROM peer p JOIN lab l ON l.id = p.lab_id"
        f" WHERE l.kind = 'node') WHERE id = {UNSIGNED}",
        "origin",
    ),
    "an exchange that sends unsigned": (
        "UPDATE peer SET accepts_unsigned = true WHERE lab_id = (SELECT id FROM lab WHERE slug = 'harbour')",
        "peer",
    ),
    "a feed that gets AMBER": (
        "UPDATE peer SET highest_label = 2 WHERE lab_id = (SELECT id FROM lab WHERE slug = 'gazette')",
        "peer",
    ),
    "a channel into a view": (
        "UPDATE peer_channel SET collection_id = (SELECT id FROM collection WHERE is_view LIMIT 1)",
        "channel",
    ),
    "other bytes in quarantine": ("UPDATE quarantine SET body = '{}'", "quarantine"),
    "a release without a decision": ("UPDATE quarantine SET state = 'released'", "quarantine"),
    "what was taken back, with readers": (
        "UPDATE version SET audience_id = (SELECT id FROM audience WHERE anonymous) WHERE id ="
        " (SELECT version_id FROM held WHERE missing_marking = 'withdrawn-by-peer')",
        "held",
    ),
}


@pytest.fixture(scope="module")
def everything(_migrated: None, django_db_blocker: DjangoDbBlocker) -> Snapshot:
    """Everything that receiving leaves rows of, and none of it wrong."""
    with django_db_blocker.unblock():
        empty_tables()
        make_community()
        _receive()
        assert check_exchange().faults == []
        return Snapshot.take()


@pytest.fixture
def busy(everything: Snapshot, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        everything.restore()
        yield
        close_connections()


def _receive() -> None:
    Collection.objects.filter(alias="signatures").update(scope="open")
    peer, feed, dorado = make_exchange(), make_feed(), pin_stranger(stranger())
    gone = dorado.indicator()
    receipt = peer.send(
        dorado.keys.identity_bytes, dorado.signed(gone), dorado.signed(dorado.indicator()), b'{"type":"broken"}'
    )
    assert (receipt.stored, receipt.quarantined) == (3, 1)
    assert peer.send(peer.note(gone["id"], dorado.identity, "suspended")).withdrawals == 1
    assert feed.send(unsigned(feed_indicator())).stored == 1


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_each_planted_corruption_is_found(busy: None, corruption: str) -> None:
    statement, kind = CORRUPTIONS[corruption]
    as_owner(statement)
    faults = check_exchange().faults
    assert kind in {fault.kind for fault in faults}, faults
