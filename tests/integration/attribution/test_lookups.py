"""Lookups through the real door: what matches, who sees it, and that nothing else can be told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from attribution.lookups.lookup import MAX_AT_ONCE
from attribution.protection.allowing import NewAllowedNetwork, add_allowed_network, remove_allowed_network
from exchange.models import Collection, StixObject
from exchange.models.delivery import Delivery
from exchange.services.collections import grant_access
from exchange.services.database import writing
from exchange.services.deletion import delete_object
from exchange.services.principals import OPERATOR
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import format_stix
from tests.integration.attribution.test_rows import ranges, store
from tests.support.forms import assert_form
from tests.support.rest import RestClient, RestNode

INSIDE = "203.0.113.7"
NOW = format_stix(datetime.now(UTC))


def asked(client: RestClient, query: str) -> list[dict[str, Any]]:
    response = client.get(f"attribution/lookup?{query}")
    assert response.status_code == 200, response.text
    assert_form(response.json(), "LookupAnswer")
    found: list[dict[str, Any]] = response.json()["matches"]
    return found


def streamed(client: RestClient, *lines: Any, query: str = "") -> list[dict[str, Any]]:
    body = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    response = client.post(f"attribution/lookup/{query}", body, headers={"Content-Type": "application/x-ndjson"})
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


def padded(client: RestClient, *lines: Any, query: str = "") -> list[dict[str, Any]]:
    """The same lines in a stream so long that it is answered from memory."""
    rest = [{"ip": "192.0.2.99"}] * MAX_AT_ONCE
    return streamed(client, *lines, *rest, query=query)[: len(lines)]


def problem(response: requests.Response, status: int) -> str:
    assert response.status_code == status, response.text
    return str(response.json()["type"]).rpartition(":")[2]


def test_one_address_finds_every_claim_narrowest_first(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    wide = aurora.indicator(extensions=ranges("203.0.113.0/24", asn=64500, last_seen=NOW, confidence=20))
    narrow = borealis.indicator(
        pattern="[ipv4-addr:value = '203.0.113.7' OR domain-name:value = 'Proxies.Example']", confidence=90
    )
    store(aurora, wide)
    store(borealis, narrow)
    for client in (node.aurora, node.borealis, node.cobalt):
        found = asked(client, f"ip={INSIDE}")
        assert [(each["id"], each["lab"], each["net"]) for each in found] == [
            (narrow["id"], "borealis", "203.0.113.7/32"),
            (wide["id"], "aurora", "203.0.113.0/24"),
        ]
        assert [(each["kind"], each["asn"], each["confidence"]) for each in found] == [
            (None, None, 90),
            ("proxy", 64500, 20),
        ]
        assert [each["state"] for each in found] == ["current", "current"]
        assert found[1]["last_seen"] == NOW
        assert found[1]["weight"] == 1.0
    assert asked(node.cobalt, f"ip=::ffff:{INSIDE}") == asked(node.cobalt, f"ip={INSIDE}")
    assert [each["net"] for each in asked(node.cobalt, "asn=AS64500")] == ["203.0.113.0/24"]
    assert [each["name"] for each in asked(node.cobalt, "domain=API.proxies.example.")] == ["proxies.example"]
    assert asked(node.cobalt, "ip=203.0.112.255") == asked(node.cobalt, "domain=example.com") == []
    questions = ({"ip": INSIDE}, {"asn": 64500}, {"domain": "proxies.example"}, {"ip": "2001:db8::1"})
    short, long = streamed(node.cobalt, *questions), padded(node.cobalt, *questions)
    assert short == long
    assert [answer["query"] for answer in short] == list(questions)
    assert short[0]["matches"] == asked(node.cobalt, f"ip={INSIDE}")
    assert [len(answer["matches"]) for answer in short] == [2, 1, 1, 0]


def test_what_a_reader_may_not_see_is_absent_to_the_byte(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    aurora.publish(aurora.signed(marking))
    secret = aurora.indicator(
        Tlp.AMBER,
        object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]],
        extensions=ranges("203.0.113.0/24", asn=64500),
        pattern="[domain-name:value = 'secret.example']",
    )
    store(aurora, secret)
    assert len(asked(node.aurora, f"ip={INSIDE}")) == len(asked(node.borealis, f"ip={INSIDE}")) == 1
    for hidden, absent in (
        (f"ip={INSIDE}", "ip=203.0.114.7"),
        ("asn=64500", "asn=64501"),
        ("domain=secret.example", "domain=sacred.example"),
    ):
        ours, theirs = (node.cobalt.get(f"attribution/lookup?{query}") for query in (hidden, absent))
        value, other = hidden.partition("=")[2], absent.partition("=")[2]
        assert ours.content.replace(value.encode(), other.encode()) == theirs.content
        assert set(ours.headers) == set(theirs.headers)
    for ask in (streamed, padded):
        assert [answer["matches"] for answer in ask(node.cobalt, {"ip": INSIDE}, {"domain": "secret.example"})] == [
            [],
            [],
        ]
        assert [
            len(answer["matches"]) for answer in ask(node.borealis, {"ip": INSIDE}, {"domain": "secret.example"})
        ] == [1, 1]
    for form in ("jsonl", "nginx", "envoy", "nft"):
        assert "203.0.113.0" not in node.cobalt.get(f"attribution/export?format={form}").text
        listed = node.borealis.get(f"attribution/export?format={form}").text
        assert "203.0.113.0" in listed
        assert "TLP:AMBER" in listed


def test_narrowing_revocation_deletion_and_suspension_act_at_once(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    aurora.publish(aurora.signed(marking))

    def fresh() -> dict[str, Any]:
        each = aurora.indicator(extensions=ranges("203.0.113.0/24"))
        store(aurora, each)
        assert [len(found) for found in everywhere()] == [1, 1, 1]
        return each

    def everywhere() -> list[list[Any]]:
        return [
            asked(node.cobalt, f"ip={INSIDE}"),
            streamed(node.cobalt, {"ip": INSIDE})[0]["matches"],
            padded(node.cobalt, {"ip": INSIDE})[0]["matches"],
        ]

    narrowed = fresh()
    store(aurora, aurora.next_version(narrowed, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]]))
    assert everywhere() == [[], [], []]
    assert len(asked(node.borealis, f"ip={INSIDE}")) == 1
    delete_object(principal=aurora.principal, stix_id=narrowed["id"])
    revoked = fresh()
    store(aurora, aurora.next_version(revoked, revoked=True))
    assert everywhere() == [[], [], []]
    suspended = fresh()
    with writing():
        StixObject.objects.filter(stix_id=suspended["id"]).update(state="suspended")
    assert everywhere() == [[], [], []]
    with writing():
        StixObject.objects.filter(stix_id=suspended["id"]).update(state="disputed")
    assert [[each["state"] for each in found] for found in everywhere()] == [["disputed"]] * 3
    assert f"{'203.0.113.0/24'} disputed;" in node.cobalt.get("attribution/export?format=nginx").text
    with writing():
        StixObject.objects.filter(stix_id=suspended["id"]).update(state="current")
    assert [len(found) for found in everywhere()] == [1, 1, 1]
    grant_access(
        actor=OPERATOR,
        collection=Collection.objects.get(alias="signatures"),
        lab=node.community.cobalt.lab,
        can_read=False,
        can_write=False,
    )
    assert everywhere() == [[], [], []]
    delete_object(principal=aurora.principal, stix_id=suspended["id"])
    assert asked(node.borealis, f"ip={INSIDE}") == []


def test_what_decayed_away_or_ended_is_shown_to_who_asks_for_it(node: RestNode) -> None:
    aurora = node.community.aurora
    long_ago = format_stix(datetime.now(UTC) - timedelta(days=100))
    decayed = aurora.indicator(extensions=ranges("203.0.113.0/24", last_seen=long_ago))
    ended = aurora.indicator(pattern=f"[ipv4-addr:value = '{INSIDE}']", valid_until="2026-11-02T00:00:00Z")
    store(aurora, decayed, ended)
    for ask in (streamed, padded):
        assert ask(node.cobalt, {"ip": INSIDE})[0]["matches"] == []
        assert len(ask(node.cobalt, {"ip": INSIDE}, query="?include=stale")[0]["matches"]) == 2
    assert asked(node.cobalt, f"ip={INSIDE}") == []
    found = asked(node.cobalt, f"ip={INSIDE}&include=stale")
    assert [each["valid_until"] for each in found] == ["2026-11-02T00:00:00.000Z", None]
    assert found[1]["weight"] == round(2 ** (-100 / 14), 3)
    assert "203.0.113.0/24" not in node.cobalt.get("attribution/export").text
    assert "203.0.113.0/24" in node.cobalt.get("attribution/export?include=stale").text


def test_a_line_that_is_no_question_concerns_no_other(node: RestNode) -> None:
    store(node.community.aurora, node.community.aurora.indicator(extensions=ranges("203.0.113.0/24")))
    lines = [
        {"ip": INSIDE},
        b"{broken",
        {"ip": "203.0.113.300"},
        {"domain": "\u0440aypal.example"},
        {"asn": "AS99999999999"},
        {"ip": INSIDE, "asn": 1},
        [INSIDE],
        b"",
        b"\xff\xfe",
        {"ip": 7},
        b'{"ip":"' + b"1" * 5_000 + b'"}',
        {"ip": INSIDE},
    ]
    for ask in (streamed, padded):
        answers = ask(node.cobalt, *lines)
        codes = [answer.get("error", {}).get("code") for answer in answers]
        assert codes == [
            None,
            "line",
            "address",
            "domain",
            "asn",
            "line",
            "line",
            "line",
            "line",
            "address",
            "line",
            None,
        ]
        assert [answer["line"] for answer in answers if "error" in answer] == list(range(2, 12))
        assert len(answers[0]["matches"]) == len(answers[-1]["matches"]) == 1
        assert "Cyrillic" in answers[3]["error"]["detail"]


def test_bad_requests_are_refused_with_a_reason(node: RestNode) -> None:
    for query in ("", "ip=1.2.3.4&asn=1", "include=stale"):
        assert problem(node.aurora.get(f"attribution/lookup?{query}"), 400) == "one-question"
    for query in ("ip=1.2.3", "ip=1.2.3.4/24", "asn=x", "domain=a_b.example", "ip=1.2.3.4&include=all", "ip="):
        assert problem(node.aurora.get(f"attribution/lookup?{query}"), 400) == "parameter-malformed"
    assert problem(node.aurora.get("attribution/lookup?name=x"), 400) == "parameter-unknown"
    assert problem(node.aurora.get("attribution/export?format=pdf"), 400) == "parameter-malformed"
    headers = {"Content-Type": "application/x-ndjson"}
    assert problem(node.aurora.post("attribution/lookup/", b"{}\n" * 100_001, headers=headers), 413) == "too-many-lines"
    assert problem(node.aurora.post("attribution/lookup/", b" " * 17_000_000, headers=headers), 413) == "body-too-large"
    assert problem(node.aurora.post("attribution/lookup/", b"{}", headers={"Content-Type": "text/html"}), 415)
    for client, status in ((node.nobody, 401), (RestClient(node.url, "cwt_0000_wrong"), 401)):
        for path in ("attribution/lookup?ip=192.0.2.1", "attribution/export"):
            assert problem(client.get(path), status) == "not-authenticated"
        assert problem(client.post("attribution/lookup/", b"", headers=headers), status) == "not-authenticated"


def test_the_log_has_the_number_of_questions_and_nothing_of_them(node: RestNode) -> None:
    store(node.community.aurora, node.community.aurora.indicator(extensions=ranges("203.0.113.0/24")))
    asked(node.cobalt, f"ip={INSIDE}")
    streamed(node.cobalt, {"ip": INSIDE}, {"ip": "192.0.2.1"})
    node.cobalt.get("attribution/export")
    cobalt = node.community.cobalt.lab.id
    rows = Delivery.objects.order_by("pk").values_list("filter", "seq_from", "seq_to", "lab_id")
    assert list(rows) == [
        ({"shows": "lookup", "asked": 1}, 0, 0, cobalt),
        ({"shows": "lookup", "asked": 2}, 0, 0, cobalt),
        ({"shows": "export", "asked": 1}, 0, 0, cobalt),
    ]


@pytest.mark.parametrize("count", [MAX_AT_ONCE, MAX_AT_ONCE + 1])
def test_a_stream_answers_as_many_lines_as_it_was_asked(node: RestNode, count: int) -> None:
    store(node.community.aurora, node.community.aurora.indicator(extensions=ranges("203.0.113.0/24", "2001:db8::/32")))
    addresses = [f"203.0.113.{n % 256}" if n % 3 else f"2001:db8::{n:x}" for n in range(count)]
    answers = streamed(node.cobalt, *({"ip": address} for address in addresses))
    assert [answer["query"]["ip"] for answer in answers] == addresses
    assert {len(answer["matches"]) for answer in answers} == {1}


def test_what_operators_protect_is_marked_in_every_answer(node: RestNode) -> None:
    aurora, _, _ = node.community.labs
    store(aurora, aurora.indicator(extensions=ranges("203.0.113.0/24", "2001:db8::/32", asn=64500, last_seen=NOW)))
    until = datetime.now(UTC) + timedelta(days=30)
    for net in ("203.0.113.0/28", "2001:db8::/32"):
        entry = NewAllowedNetwork(net, "Evaluations", "university-evaluation", "https://uni.example/egress", until)
        add_allowed_network(actor=OPERATOR, entry=entry)
    reason = {"title": "Evaluations", "reason": "university-evaluation", "until": format_stix(until)}
    (inside,), (outside,) = asked(node.cobalt, f"ip={INSIDE}"), asked(node.cobalt, "ip=203.0.113.99")
    assert inside == outside | {"do_not_block": reason}
    # Of a system each network speaks for itself: part of this one is protected.
    assert [each["do_not_block"] for each in asked(node.cobalt, "asn=64500")] == [reason, reason]
    questions = ({"ip": INSIDE}, {"ip": "203.0.113.99"}, {"ip": "2001:db8::7"}, {"asn": 64500}, {"ip": "198.51.100.1"})
    short, long = streamed(node.cobalt, *questions), padded(node.cobalt, *questions)
    assert short == long
    assert [[each.get("do_not_block") for each in answer["matches"]] for answer in short] == [
        [reason],
        [None],
        [reason],
        [reason, reason],
        [],
    ]
    assert "203.0.113.0/28 protected;" in node.cobalt.get("attribution/export?format=nginx").text
    remove_allowed_network(actor=OPERATOR, net="203.0.113.0/28")
    assert asked(node.cobalt, f"ip={INSIDE}") == [outside]
    assert padded(node.cobalt, {"ip": INSIDE})[0]["matches"] == [outside]
