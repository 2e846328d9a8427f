"""Lists for other software: each claim with its state and end, what is disputed apart, and the label in the head."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from attribution.addresses import parse_net
from attribution.lookups.formats import FORMATS, Entry, Head
from attribution.protection.shield import Mark, shield_of

HEAD = Head("TLP:AMBER", "cobalt", datetime(2026, 11, 25, tzinfo=UTC))


def match(net: str, state: str = "current", kind: str | None = "proxy") -> dict[str, Any]:
    return {
        "id": "infrastructure--38c47d93-d984-4fd9-b87b-d69d0841628d",
        "lab": "aurora",
        "net": net,
        "kind": kind,
        "state": state,
        "weight": 0.5,
        "valid_until": "2026-12-01T00:00:00.000Z",
    }


def entry(net: str, *states: str) -> Entry:
    return parse_net(net), [match(net, state) for state in states]


ENTRIES = [
    entry("192.0.2.0/24", "disputed"),
    entry("203.0.113.0/24", "current", "disputed"),
    entry("203.0.113.7/32", "current"),
    entry("2001:db8::/32", "current"),
]


def listed(form: str, *protected: str) -> str:
    until = datetime(2027, 1, 1, tzinfo=UTC)
    shield = shield_of([Mark(net, "Evaluation", "university-evaluation", until) for net in protected])
    return "".join(FORMATS[form](HEAD, ENTRIES, [{"name": "a.example"}], shield))


def test_json_lines_have_every_claim_and_the_names() -> None:
    lines = [json.loads(line) for line in listed("jsonl").splitlines()]
    assert lines[0] == {"tlp": "TLP:AMBER", "lab": "cobalt", "made": "2026-11-25T00:00:00.000Z"}
    assert [line.get("net") for line in lines[1:]] == [
        "192.0.2.0/24", "203.0.113.0/24", "203.0.113.0/24", "203.0.113.7/32", "2001:db8::/32", None
    ]  # fmt: skip


def test_nginx_gets_a_line_for_each_network_with_state_and_end() -> None:
    lines = listed("nginx").splitlines()
    assert lines[0].startswith("# TLP:AMBER")
    assert [line.partition(";")[0] for line in lines[1:]] == [
        "192.0.2.0/24 disputed", "203.0.113.0/24 listed", "203.0.113.7/32 listed", "2001:db8::/32 listed"
    ]  # fmt: skip
    assert all("until=2026-12-01T00:00:00.000Z" in line for line in lines[1:])


def test_nft_gets_sets_that_do_not_overlap() -> None:
    text = listed("nft")
    assert text.startswith("# TLP:AMBER")
    assert text.count("{") == text.count("}")
    sets = {part.split()[0]: part for part in text.split("  set ")[1:]}
    assert set(sets) == {"protected4", "listed4", "disputed4", "protected6", "listed6", "disputed6"}
    assert "192.0.2.0/24," in sets["disputed4"]
    assert "203.0.113.0/24," in sets["listed4"]
    assert "203.0.113.7/32" not in text
    assert "elements" not in sets["disputed6"]


def test_envoy_gets_tags_and_metadata() -> None:
    document = json.loads(listed("envoy"))
    tags = {tag["ip_tag_name"]: tag["ip_list"] for tag in document["http_filter"]["typed_config"]["ip_tags"]}
    assert tags["disputed-proxy"] == [{"address_prefix": "192.0.2.0", "prefix_len": 24}]
    assert len(tags["listed-proxy"]) == 3
    metadata = document["metadata"]["filter_metadata"]["commonwatch"]
    assert metadata["head"].startswith("TLP:AMBER")
    assert "until=2026-12-01" in metadata["claims"]["192.0.2.0/24"]


def test_what_is_protected_stands_apart_in_every_list() -> None:
    protected = ("203.0.113.0/28", "192.0.2.0/24", "2001:db8::/31")
    lines = {line.partition(";")[0] for line in listed("nginx", *protected).splitlines()[1:]}
    assert lines == {
        "203.0.113.0/28 protected", "192.0.2.0/24 protected", "2001:db8::/31 protected",
        "# 192.0.2.0/24 protected", "203.0.113.0/24 listed", "203.0.113.7/32 protected", "2001:db8::/32 protected",
    }  # fmt: skip
    sets = {part.split()[0]: part for part in listed("nft", *protected).split("  set ")[1:]}
    assert "203.0.113.0/28," in sets["protected4"]
    assert "203.0.113.0/24," in sets["listed4"]
    assert "elements" not in sets["disputed4"]
    assert "elements" not in sets["listed6"]
    tags = json.loads(listed("envoy", *protected))["http_filter"]["typed_config"]["ip_tags"]
    assert next(tag for tag in tags if tag["ip_tag_name"] == "protected")["ip_list"][0]["prefix_len"] == 24
    told = [json.loads(line) for line in listed("jsonl", *protected).splitlines()]
    assert [line["net"] for line in told if "do_not_block" in line] == [
        "192.0.2.0/24",
        "203.0.113.0/28",
        "2001:db8::/31",
    ]
