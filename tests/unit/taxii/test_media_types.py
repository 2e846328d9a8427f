"""The decision tables of content negotiation (TAXII 2.1 sections 1.6.8 and 3.1)."""

from __future__ import annotations

import pytest

from exchange.taxii.media_types import is_acceptable, is_taxii, names_taxii


@pytest.mark.parametrize(
    "accept",
    [
        "application/taxii+json;version=2.1",
        "application/taxii+json; version=2.1",
        "application/taxii+json ; Version=2.1",
        'application/taxii+json;version="2.1"',
        "APPLICATION/TAXII+JSON;VERSION=2.1",
        "application/taxii+json",
        "application/taxii+json;version=2.1;q=0.1",
        "application/taxii+json;q=0.5;version=2.1",
        "text/html, application/taxii+json;version=2.1",
        "application/taxii+json;version=2.0, application/taxii+json;version=2.1",
        'text/plain;note="a,b", application/taxii+json',
        "nonsense, application/taxii+json",
        "*/*",
        "application/*;q=0.2",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "*/*;q=0, application/taxii+json",
    ],
)
def test_an_accept_header_that_takes_taxii_is_served(accept: str) -> None:
    assert is_acceptable(accept)


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "application/taxii+json;version=2.0",
        "application/taxii+json;version=9.9",
        "application/taxii+json;version=2.10",
        "application/json",
        "application/xml",
        "application/stix+json;version=2.1",
        "application/vnd.oasis.taxii+json;version=2.0",
        "application/taxii+json;version=2.1;q=0",
        "application/taxii+json;version=2.1;q=0.000",
        "application/taxii+json;version=2.1;q=0, */*",
        "application/taxii+json;q=2",
        "application/taxii+json;q=nan",
        "application/taxii+json;version",
        "application/taxii+jsonx",
        'application/taxii+json;version="2.1',
        "*" * 100_000,
        "application/taxii+json" + "," * 100_000,
    ],
)
def test_an_accept_header_without_taxii_2_1_is_not_acceptable(accept: str | None) -> None:
    assert not is_acceptable(accept)


@pytest.mark.parametrize(
    ("content_type", "is_ours"),
    [
        ("application/taxii+json;version=2.1", True),
        ("application/taxii+json", True),
        ('Application/TAXII+json; version="2.1"', True),
        ("application/taxii+json;version=2.1;charset=utf-8", True),
        ("application/taxii+json;version=2.0", False),
        ("application/json", False),
        ("application/stix+json;version=2.1", False),
        ("multipart/form-data; boundary=x", False),
        ("application/taxii+json, application/taxii+json", False),
        ("*/*", False),
        ("", False),
        (None, False),
    ],
)
def test_a_body_is_taxii_with_or_without_its_version(content_type: str | None, is_ours: bool) -> None:
    assert is_taxii(content_type) is is_ours


def test_only_clients_of_taxii_name_it() -> None:
    assert names_taxii("application/taxii+json;version=2.0")
    assert not names_taxii("text/html,*/*;q=0.8")
    assert not names_taxii(None)
