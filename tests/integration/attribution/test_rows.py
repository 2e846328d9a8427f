"""What lookups find is what the newest versions say, whatever becomes of these."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.services.checking import check_exchange
from exchange.services.database import execute, writing
from exchange.services.deletion import delete_object
from exchange.stix.extension_ids import RANGES_EXTENSION
from tests.support.labs import Community, LabHandle


def ranges(*nets: str, **members: Any) -> dict[str, Any]:
    listed = [{"net": net, "kind": "proxy", **members} for net in nets]
    return {RANGES_EXTENSION: {"extension_type": "property-extension", "ranges": listed}}


def kept() -> list[str]:
    with writing():
        nets = execute("SELECT net::text FROM attribution_range ORDER BY net", {}).fetchall()
        names = execute("SELECT value FROM attribution_name ORDER BY value", {}).fetchall()
    return [row[0] for row in [*nets, *names]]


def store(lab: LabHandle, *objects: dict[str, Any]) -> None:
    for outcome in lab.publish(*(lab.signed(each) for each in objects)):
        assert outcome.error is None, outcome.error


def test_a_new_version_takes_the_place_of_what_the_last_one_said(community: Community) -> None:
    aurora = community.aurora
    first = aurora.indicator(extensions=ranges("203.0.113.0/24", asn=64500))
    store(aurora, first)
    assert kept() == ["198.51.100.3/32", "203.0.113.0/24"]
    second = aurora.next_version(
        first, extensions=ranges("2001:db8::/32"), pattern="[domain-name:value = 'Evil.Example']"
    )
    store(aurora, second)
    assert kept() == ["2001:db8::/32", "evil.example"]
    store(aurora, aurora.next_version(second, revoked=True))
    assert kept() == []


def test_an_older_version_that_comes_late_changes_nothing(community: Community) -> None:
    aurora = community.aurora
    first = aurora.indicator(pattern="[ipv4-addr:value = '192.0.2.1']")
    store(aurora, aurora.next_version(first, pattern="[ipv4-addr:value = '192.0.2.2']"))
    store(aurora, first)
    assert kept() == ["192.0.2.2/32"]


def test_when_the_newest_version_is_deleted_the_one_before_it_is_found_again(community: Community) -> None:
    aurora = community.aurora
    first = aurora.indicator(pattern="[ipv4-addr:value = '192.0.2.1']")
    second = aurora.next_version(first, pattern="[ipv4-addr:value = '192.0.2.2']")
    store(aurora, first, second)
    delete_object(principal=aurora.principal, stix_id=first["id"], versions=("last",))
    assert kept() == ["192.0.2.1/32"]
    delete_object(principal=aurora.principal, stix_id=first["id"])
    assert kept() == []


@pytest.mark.parametrize("change", ["DELETE FROM attribution_range", "UPDATE attribution_range SET confidence = 1"])
def test_the_check_of_everything_finds_rows_that_the_bytes_do_not_say(community: Community, change: str) -> None:
    store(community.aurora, community.aurora.indicator())
    before = kept()
    with writing():
        rows = execute(
            "SELECT version_id, object_id, net, kind, confidence, seen_at FROM attribution_range", {}
        ).fetchall()
        execute(change, {})
    assert [fault.kind for fault in check_exchange().faults] == ["attribution"]
    with writing():
        execute("DELETE FROM attribution_range", {})
        version, object_, net, kind, confidence, seen_at = rows[0]
        execute(
            "INSERT INTO attribution_range (version_id, object_id, net, kind, confidence, seen_at)"
            " VALUES (%(v)s, %(o)s, %(n)s, %(k)s, %(c)s, %(s)s)",
            {"v": version, "o": object_, "n": net, "k": kind, "c": confidence, "s": seen_at},
        )
    assert kept() == before
