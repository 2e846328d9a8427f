"""Domains and autonomous systems: the form in which they are compared, and tricks refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.names import parents_of, parse_asn, parse_domain
from exchange.stix.errors import ObjectInvalidError


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Example.COM.", "example.com"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("BU\u0308CHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("\uff45xample\u3002com", "example.com"),
        ("\u65e5\u672c\u30b4\u30eb.jp", "xn--uckzf280oncb.jp"),
    ],
)
def test_a_domain_has_one_form(written: str, name: str) -> None:
    assert parse_domain(written) == name


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("p\u0430ypal.com", "mixes Cyrillic and Latin letters"),
        ("xn--pypal-4ve.com", "mixes Cyrillic and Latin letters"),
        ("pay\u200bpal.com", "invisible"),
        ("pay\u00adpal.com", "invisible"),
        ("\u202emoc.com", "invisible"),
        ("a_b.example", "not a name"),
        ("-a.example", "not a name"),
        ("a..example", "not a name"),
        ("xn--zzzzzz.com", "not a name"),
        ("a" * 64 + ".example", "not a name"),
        ("a." * 2_000 + "example", "more than"),
        ("localhost", "not a full name"),
        ("192.0.2.1", "not a full name"),
        ("", "not a name"),
    ],
)
def test_what_is_no_domain_is_refused_with_its_reason(written: str, reason: str) -> None:
    with pytest.raises(ObjectInvalidError, match=reason) as refusal:
        parse_domain(written)
    assert refusal.value.code == "domain"


@given(st.text(max_size=40))
def test_a_form_is_its_own_form_and_no_text_breaks_it(text: str) -> None:
    try:
        name = parse_domain(text)
    except ObjectInvalidError:
        return
    assert name.isascii()
    assert parse_domain(name) == name


def test_a_name_counts_for_what_is_below_it() -> None:
    assert parents_of("a.b.example.com") == ["a.b.example.com", "b.example.com", "example.com"]


@pytest.mark.parametrize(("written", "number"), [("AS64500", 64500), ("as0", 0), ("4294967295", 2**32 - 1)])
def test_systems_are_numbers(written: str, number: int) -> None:
    assert parse_asn(written) == number


@pytest.mark.parametrize("written", ["", "AS", "AS-1", "4294967296", "1.10", "064500", "AS 5", "\u0665"])
def test_what_is_no_system_is_refused(written: str) -> None:
    with pytest.raises(ObjectInvalidError):
        parse_asn(written)
