"""Every lab gives an identifier the same spelling, and tricks with characters are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.normalising import KINDS, IdentifierError, normalise, selector_input
from attribution.normalising.values import passes_luhn
from exchange.stix.extensions import SELECTOR_KINDS


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("email", "  Ada.Lovelace+Api@Example.COM ", "ada.lovelace+api@example.com"),
        ("email", "ada@Bücher.example", "ada@xn--bcher-kva.example"),
        ("email", "ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"),
        ("email", "ada@XN--BCHER-KVA.example.", "ada@xn--bcher-kva.example"),
        ("email", "\uff41da\uff20example\u3002com", "ada@example.com"),
        ("phone", "+44 (0)20 7946-0018", "+442079460018"),
        ("phone", "+1 202-555-0143", "+12025550143"),
        ("phone", "\uff0b\uff11 202.555.0143", "+12025550143"),
        ("payment-instrument", "4111 1111-1111 1111", "4111111111111111"),
        ("payment-instrument", "\uff14111111111111111", "4111111111111111"),
        ("account-login", "Straße_77", "strasse_77"),
        ("device", " 6F9619FF-8B86-D011 ", "6f9619ff-8b86-d011"),
    ],
)
def test_a_value_gets_its_one_spelling(kind: str, text: str, expected: str) -> None:
    assert normalise(kind, text) == expected
    assert selector_input(kind, text) == kind.encode() + b"\0" + expected.encode()


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("email", "ada", "both sides"),
        ("email", "@example.com", "both sides"),
        ("email", "ada@", "both sides"),
        ("email", "a da@example.com", "quoted"),
        ("email", "a..b@example.com", "dot"),
        ("email", "a" * 65 + "@example.com", "64 bytes"),
        ("email", "ada@localhost", "not a full name of a domain"),
        ("email", "ada@exa mple.com", "not a name of a domain"),
        ("email", "ada@[192.0.2.1]", "not a name of a domain"),
        ("email", "ada@-example-.com", "not a name of a domain"),
        ("email", "ada@p\u0430ypal.example", "Cyrillic and Latin"),
        ("email", "\u0430da@example.com", "Cyrillic and Latin"),
        ("email", "ada\u200b@example.com", "character 4 is an invisible"),
        ("email", "ada\u202emoc.elpmaxe@example.com", "character 4 is an invisible"),
        ("email", "a\x00da@example.com", "control"),
        ("phone", "020 7946 0018", "begins with +"),
        ("phone", "+999 123456789", "country code"),
        ("phone", "+44 1", "phone number"),
        ("phone", "+1 800 FLOWERS", "begins with +"),
        ("payment-instrument", "4111x111", "digits"),
        ("payment-instrument", "1234567", "8 to 19"),
        ("payment-instrument", "1" * 20, "8 to 19"),
        ("account-login", "two words", "space"),
        ("account-login", "\u3164", "shows nothing"),
        ("device", "", "empty"),
        ("device", "\ud800", "surrogate"),
        ("device", "x" * 1_025, "1024"),
        ("iban", "x", "kind"),
    ],
)
def test_what_is_no_identifier_is_refused_without_being_repeated(kind: str, text: str, reason: str) -> None:
    with pytest.raises(IdentifierError, match=reason.replace("+", r"\+")) as refused:
        normalise(kind, text)
    assert len(text) < 4 or text not in str(refused.value)


def test_the_kinds_are_those_of_the_wire_format() -> None:
    assert KINDS == SELECTOR_KINDS


@given(kind=st.sampled_from(sorted(KINDS)), text=st.text(max_size=40))
def test_a_normalised_value_stays_what_it_is(kind: str, text: str) -> None:
    try:
        once = normalise(kind, text)
    except IdentifierError:
        return
    assert normalise(kind, once) == once


@given(local=st.from_regex(r"[a-z]{1,8}", fullmatch=True), padded=st.sampled_from(["", " ", "\t", "\u3000"]))
def test_case_and_space_around_make_no_difference(local: str, padded: str) -> None:
    assert normalise("email", f"{padded}{local.upper()}@EXAMPLE.com{padded}") == f"{local}@example.com"


@pytest.mark.parametrize(("digits", "passes"), [("4111111111111111", True), ("4111111111111112", False)])
def test_the_check_digit_of_a_card_is_checked(digits: str, passes: bool) -> None:
    assert passes_luhn(digits) is passes
