"""What a lookup has to find by the samples, and how what it found is told."""

from exchange.quickstart.looking_up import (
    LOOKED_UP,
    AccountLookup,
    AddressLookup,
    ExpectedAccounts,
    addresses_of,
    expected_accounts,
)
from exchange.quickstart.telling import lookup_lines
from exchange.samples import LABS, expected_views

APART = {"aurora": "main", "borealis": "main", "cobalt": "cobalt-node"}
TOGETHER = dict.fromkeys(LABS, "main")
IDENTITIES = {lab: f"identity--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a0{number}" for number, lab in enumerate(LABS)}


def test_one_address_is_for_everybody_and_one_for_the_lab_that_is_named() -> None:
    assert list(addresses_of(IDENTITIES).values()) == ["198.51.100.23", "203.0.113.200"]
    for apart in (False, True):
        views = expected_views(apart=apart)
        readers = [{lab for lab in LABS if views[lab][key].may_read} for key in LOOKED_UP]
        assert readers == [set(LABS), {"borealis", "cobalt"}]


def test_labs_of_one_exchange_find_what_both_know() -> None:
    assert expected_accounts("aurora", APART) == ExpectedAccounts({"borealis": ["email", "phone"]}, 0)
    assert expected_accounts("borealis", APART) == ExpectedAccounts({"aurora": ["email", "phone"]}, 0)


def test_a_lab_of_another_issuer_gets_selectors_and_finds_nothing() -> None:
    assert expected_accounts("cobalt", APART) == ExpectedAccounts({}, 5)
    together = expected_accounts("cobalt", TOGETHER)
    assert together == ExpectedAccounts({"aurora": ["email"], "borealis": ["email"]}, 0)


def test_a_finding_that_is_missing_or_too_much_is_not_as_promised() -> None:
    promised = ExpectedAccounts({"borealis": ["email", "phone"]}, 0)
    assert AccountLookup("aurora", 6, {"borealis": ["phone", "email"]}, 0).is_as_promised(promised)
    assert not AccountLookup("aurora", 6, {"borealis": ["phone"]}, 0).is_as_promised(promised)
    assert not AccountLookup("aurora", 6, {"borealis": ["phone", "email"]}, 1).is_as_promised(promised)
    assert not AddressLookup("aurora", "203.0.113.200", [("borealis", "203.0.113.200/32", "")], False).is_as_promised
    assert not AddressLookup("cobalt", "203.0.113.200", [], True).is_as_promised


def test_each_lab_is_told_of_beside_the_others() -> None:
    addresses = [
        AddressLookup("aurora", "203.0.113.200", [], False),
        AddressLookup("cobalt", "203.0.113.200", [("borealis", "203.0.113.192/28", "proxy")], True),
    ]
    lines = lookup_lines(addresses, [AccountLookup("cobalt", 2, {}, 0)])
    assert lines[1:4] == [
        "  203.0.113.200, which only cobalt may see:",
        "    aurora    nothing known, as for an address that nobody has named",
        "    cobalt    borealis names 203.0.113.192/28 (proxy)",
    ]
    assert lines[-1] == "    cobalt    asked about 2: none is shared here"
