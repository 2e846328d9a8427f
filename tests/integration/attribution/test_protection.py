"""Networks that are not to be blocked: the list, the marks, and what publishers are told."""

from __future__ import annotations

import uuid
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attribution.models import AllowedNetwork
from attribution.protection.advising import CODE, MAX_WARNINGS
from attribution.protection.allowing import (
    NewAllowedNetwork,
    add_allowed_network,
    import_allowed_file,
    list_allowed_networks,
    remove_allowed_network,
)
from attribution.protection.marks import marks_for
from attribution.protection.shield import Mark
from exchange.models import AuditEvent
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import InvalidRequestError, NotFoundError
from exchange.services.principals import OPERATOR
from exchange.stix.extension_ids import RANGES_EXTENSION
from exchange.stix.timestamps import format_stix
from tests.support.labs import Community, LabHandle
from tests.support.rest import RestNode
from tests.support.taxii import client_of

TITLE = "Front door of an invented cloud"


def allow(net: str, *, days: float = 30, **changes: Any) -> AllowedNetwork:
    texts = {"title": TITLE, "reason": "cloud-front-door", "source": "https://cloud.example/ranges", **changes}
    entry = NewAllowedNetwork(net=net, until=now() + timedelta(days=days), **texts)
    return add_allowed_network(actor=OPERATOR, entry=entry)


def infrastructure(lab: LabHandle, *nets: str) -> dict[str, Any]:
    members = lab.indicator()
    kept = ("spec_version", "created_by_ref", "created", "modified", "name", "object_marking_refs")
    ranges = {
        "extension_type": "property-extension",
        "ranges": [{"net": net, "kind": "proxy"} for net in nets],
    }
    return {
        **{name: members[name] for name in kept},
        "type": "infrastructure",
        "id": f"infrastructure--{uuid.uuid4()}",
        "infrastructure_types": ["anonymization"],
        "extensions": {RANGES_EXTENSION: ranges},
    }


# Near one another, so that they often overlap.
NEAR = st.builds(
    lambda first, length: ip_network((first, length), strict=False),
    st.integers(0xC6336400, 0xC63364FF),
    st.integers(20, 32),
) | st.builds(
    lambda last, length: ip_network((0x20010DB8 << 96 | last, length), strict=False),
    st.integers(0, 255),
    st.integers(118, 128),
)
# Days until the end: some entries are over.
ENTRIES = st.dictionaries(NEAR, st.sampled_from([-1, 1]), max_size=6)


Network = IPv4Network | IPv6Network


def naive_mark(asked: Network, entries: dict[Network, int]) -> Network | None:
    """The narrowest protected network that overlaps, of several alike the first."""
    found = [net for net, days in entries.items() if days > 0 and net.version == asked.version and net.overlaps(asked)]
    return min(found, key=lambda net: (-net.prefixlen, net.network_address), default=None)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=ENTRIES, asked=st.lists(NEAR, max_size=12))
def test_marks_are_those_of_a_naive_search(
    community: Community, entries: dict[Network, int], asked: list[Network]
) -> None:
    moment = now()
    rows = [
        AllowedNetwork(
            net=str(net), title="x", reason="other", source="x", added_by="x", added_at=moment,
            expires_at=moment + timedelta(days=days),
        )
        for net, days in entries.items()
    ]  # fmt: skip
    with writing():
        AllowedNetwork.objects.all().delete()
        AllowedNetwork.objects.bulk_create(rows)
    marks = marks_for([str(net) for net in asked])
    expected = [naive_mark(net, entries) for net in asked]
    assert [mark and mark.net for mark in marks] == [net and str(net) for net in expected]


def test_marks_cost_one_statement_whatever_the_number(community: Community) -> None:
    allow("198.51.100.0/24")
    with CaptureQueriesContext(connection) as none:
        assert marks_for([]) == []
    addresses = [f"198.51.{part}.{host}" for part in (99, 100) for host in range(200)]
    with CaptureQueriesContext(connection) as ran:
        marks = marks_for(addresses)
    assert len(none) == 0
    assert len(ran) <= 1
    assert [mark is not None for mark in marks] == [False] * 200 + [True] * 200


def test_a_mark_says_why_and_until_when(community: Community) -> None:
    row = allow("198.51.100.0/24")
    (mark,) = marks_for(["198.51.100.7"])
    assert mark == Mark("198.51.100.0/24", TITLE, "cloud-front-door", row.expires_at)
    assert mark.to_json() == {"title": TITLE, "reason": "cloud-front-door", "until": format_stix(row.expires_at)}


def test_an_entry_stops_counting_the_moment_it_expires(community: Community) -> None:
    until = allow("198.51.100.0/24").expires_at
    assert marks_for(["198.51.100.7"], moment=until - timedelta(microseconds=1)) != [None]
    assert marks_for(["198.51.100.7"], moment=until) == [None]
    assert [str(row) for row in list_allowed_networks()] == ["198.51.100.0/24"]


def test_each_change_of_the_list_is_audited_and_repeating_it_sets_it_anew(community: Community) -> None:
    allow("::ffff:198.51.100.0/120")
    allow("198.51.100.0/24", reason="lab-egress", days=60)
    (row,) = list_allowed_networks()
    assert (str(row), row.reason, row.added_by) == ("198.51.100.0/24", "lab-egress", str(OPERATOR))
    assert remove_allowed_network(actor=OPERATOR, net="198.51.100.0/24") == "198.51.100.0/24"
    assert marks_for(["198.51.100.7"]) == [None]
    with pytest.raises(NotFoundError):
        remove_allowed_network(actor=OPERATOR, net="198.51.100.0/24")
    told = AuditEvent.objects.filter(subject="198.51.100.0/24").order_by("id")
    assert [event.action for event in told] == ["network-allowed", "network-allowed-anew", "network-disallowed"]
    assert told[0].detail["reason"] == "cloud-front-door"


@pytest.mark.parametrize(
    ("net", "changes", "pointer"),
    [
        ("10.0.0.0/7", {}, "/net"),
        ("2000::/15", {}, "/net"),
        ("198.51.100.0/24", {"title": " "}, "/title"),
        ("198.51.100.0/24", {"title": "x\u202ey"}, "/title"),
        ("198.51.100.0/24", {"source": "x" * 501}, "/source"),
        ("198.51.100.0/24", {"reason": "friend"}, "/reason"),
        ("198.51.100.0/24", {"days": 0}, "/until"),
        ("198.51.100.0/24", {"days": 731}, "/until"),
    ],
)
def test_an_entry_that_cannot_stand_is_refused_by_name(
    community: Community, net: str, changes: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        allow(net, **changes)
    assert refused.value.pointer == pointer
    assert list_allowed_networks() == []


def test_a_file_is_taken_but_for_its_bad_lines(community: Community) -> None:
    until = format_stix(now() + timedelta(days=9))
    raw = "net,title,reason,source,until\n" + "".join(
        f"{net},{TITLE},{reason},x,{until}\n"
        for net, reason in (
            ("198.51.100.0/24", "other"),
            ("198.51.100.7/24", "other"),
            ("203.0.113.0/24", "friend"),
            ("203.0.113.0/25", "other"),
        )
    )
    report = import_allowed_file(actor=OPERATOR, raw=raw.encode())
    assert (report.taken, [number for number, _ in report.refused]) == (2, [3, 4])
    assert "its network is 198.51.100.0/24" in report.refused[0][1]
    assert [str(row) for row in list_allowed_networks()] == ["198.51.100.0/24", "203.0.113.0/25"]


def test_a_publisher_is_warned_by_rest_in_drafts_and_in_its_taxii_status(node: RestNode) -> None:
    allow("198.51.100.0/24")
    aurora = node.community.aurora
    covering = infrastructure(aurora, "198.51.0.0/16", "203.0.113.0/24")
    naming, observed = aurora.indicator(), aurora.address("198.51.100.9")
    dry = node.aurora.publish(aurora.signed(covering), query="?dry_run=true").json()["results"]
    published = node.aurora.publish(aurora.signed(covering), aurora.signed(naming), aurora.signed(observed))
    assert published.status_code == 201, published.text
    results = published.json()["results"]
    assert [result["status"] for result in results] == ["stored"] * 3
    warnings = [[each for each in result["warnings"] if each["code"] == CODE] for result in results]
    assert dry[0]["warnings"] == results[0]["warnings"]
    pointers = [[each["pointer"] for each in found] for found in warnings]
    assert pointers == [[f"/extensions/{RANGES_EXTENSION}/ranges/0/net"], ["/pattern"], ["/value"]]
    assert TITLE in warnings[0][0]["detail"]

    status = client_of(node.url, aurora).post(aurora.signed(aurora.indicator())).json()
    (success,) = status["successes"]
    assert CODE in success["message"]
    assert "198.51.100.3/32 overlaps 198.51.100.0/24" in success["message"]


def test_nobody_is_warned_of_what_is_not_protected_or_no_longer(community: Community) -> None:
    aurora = community.aurora
    allow("198.51.100.0/24")
    remove_allowed_network(actor=OPERATOR, net="198.51.100.0/24")
    allow("203.0.113.0/24")
    (outcome,) = aurora.publish(aurora.signed(aurora.indicator()))
    assert (outcome.error, outcome.warnings) == (None, ())


def test_a_set_of_many_protected_networks_has_a_bounded_number_of_warnings(community: Community) -> None:
    allow("198.51.0.0/16")
    nets = [f"198.51.{part}.0/24" for part in range(MAX_WARNINGS + 5)]
    (outcome,) = community.aurora.publish(community.aurora.signed(infrastructure(community.aurora, *nets)))
    assert outcome.error is None
    found = [message for code, _, message in outcome.warnings if code == CODE]
    assert len(found) == MAX_WARNINGS + 1
    assert found[-1].startswith("5 more")
