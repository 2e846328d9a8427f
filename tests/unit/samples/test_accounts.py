"""The sample accounts are nobody's, and are shared as far as their labels let them."""

import re

import pytest

from exchange.labtool.identifiers_reading import read_identifiers
from exchange.samples import LABS, SampleAccount, as_list, sample_accounts, shared_with
from exchange.stix.markings import Tlp

ACCOUNTS = [account for lab in LABS for account in sample_accounts(lab)]
# Of payment services, for their own tests; no bank gives them to anybody.
TEST_CARDS = {"4111111111111111", "5555555555554444"}
# Ofcom's numbers for drama, and the North American ones for fiction.
FICTIONAL_PHONE = re.compile(r"\+447700900\d{3}|\+1\d{3}55501\d{2}")


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.identifier.kind)
def test_each_is_nobodys(account: SampleAccount) -> None:
    value = account.identifier.value
    assert {
        "email": value.endswith(".example"),
        "phone": FICTIONAL_PHONE.fullmatch(value) is not None,
        "payment-instrument": value in TEST_CARDS,
        "account-login": "@" not in value,
        "device": value.startswith("00-00-5e-00-53-"),  # RFC 7042 section 2.1.2
    }[account.identifier.kind]


def test_some_are_known_to_two_labs_that_write_them_differently() -> None:
    aurora, borealis = ({each.identifier.value for each in sample_accounts(lab)} for lab in ("aurora", "borealis"))
    assert aurora & borealis == {"buyer.17@orchard.example", "+447700900123"}


def test_what_crosses_between_exchanges_is_green_at_most() -> None:
    crossing = shared_with("cobalt", "aurora", is_apart=True)
    assert {each.label for each in crossing} == {Tlp.GREEN}
    here = shared_with("borealis", "aurora", is_apart=False)
    assert {each.label for each in here} == {Tlp.GREEN, Tlp.AMBER}
    assert len(crossing) == 3
    assert len(here) == 5


def test_what_has_no_label_is_shared_with_nobody() -> None:
    assert shared_with("aurora", "cobalt", is_apart=False) == []


@pytest.mark.parametrize("lab", LABS)
def test_a_list_is_read_as_it_was_written(lab: str) -> None:
    listing = read_identifiers(as_list(sample_accounts(lab)))
    assert not listing.faults
    found = [(each.kind, each.value) for each in listing.identifiers.values()]
    assert found == [(each.identifier.kind, each.identifier.value) for each in sample_accounts(lab)]
