"""The query of a TAXII read (TAXII 2.1 section 3.4), without a server."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.services.errors import InvalidRequestError
from exchange.taxii.filters import (
    Filters,
    read_deletion_filters,
    read_filters,
    read_object_filters,
    read_versions_filters,
)

INDICATOR = "indicator--2b3c7a51-6f1c-4c86-a4f0-4a3d5b0c9a51"


def read(query: str) -> Filters:
    return read_filters(query, page_limit=1000)


def test_no_query_asks_for_a_full_page_of_everything() -> None:
    filters = read("")
    assert filters.page.limit == 1000
    assert filters.page.added_after is None
    assert not filters.is_unsatisfiable


def test_a_limit_over_that_of_the_collection_counts_as_that() -> None:
    assert read("limit=5").page.limit == 5
    assert read("limit=999999999").page.limit == 1000


@pytest.mark.parametrize(
    "value", ["0", "-1", "x", "1.5", "", "+1", "1e3", "%20", "123456789012345678901234567890", "%00", "\u0661", "1_0"]
)
def test_a_limit_that_is_no_whole_number_above_zero_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequestError):
        read(f"limit={value}")


@pytest.mark.parametrize("digits", range(7))
def test_added_after_takes_zero_to_six_digits_of_a_second(digits: int) -> None:
    fraction = "." + "123456"[:digits] if digits else ""
    microsecond = int("123456"[:digits].ljust(6, "0"))
    expected = datetime(2026, 1, 31, 23, 59, 58, microsecond, tzinfo=UTC)
    assert read(f"added_after=2026-01-31T23:59:58{fraction}Z").page.added_after == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2026-01-31",
        "2026-01-31T23:59:58",
        "2026-01-31T23:59:58+00:00",
        "2026-01-31T23:59:58.1234567Z",
        "2026-02-30T00:00:00Z",
        "2026-01-31 23:59:58Z",
        "2026-01-31T23:59:58.Z",
        "2026-01-31T23:59:58Z,2026-01-31T23:59:58Z",
        "%00",
        "0000-01-01T00:00:00Z",
        "1" * 30,
    ],
)
def test_an_added_after_of_another_form_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequestError):
        read(f"added_after={value}")


def test_lists_are_split_at_commas_and_brackets_may_be_encoded() -> None:
    filters = read(f"match%5Btype%5D=indicator,malware&match[id]={INDICATOR}")
    assert filters.page.types == ("indicator", "malware")
    assert filters.page.ids == (INDICATOR,)


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&limit=1",
        "added_after=2026-01-31T23:59:58Z&added_after=2026-01-31T23:59:58Z",
        "match[type]=indicator&match[type]=malware",
        "match[type]=indicator&match%5Btype%5D=malware",
        "match[id]=",
        "match[id]=indicator",
        f"match[id]={INDICATOR},",
        f"match[id]={INDICATOR}%00",
        "match[type]=",
        "match[type]=indicator,,malware",
        "match[type]=indicator, malware",
        "match[type]=Indicator",
        "match[version]=yesterday",
        "match[version]=",
        "match[version]=last,last",
        "match[version]=all,last",
        "match[version]=2026-01-01T00:00:00.5Z,2026-01-01T00:00:00.500Z",
        "match[spec_version]=two",
        "match[spec_version]=",
        "next=%00",
        "next=a%20b",
        "next=" + "a" * 2000,
        "x=" + "a" * 8000,
        "x=%ff",
        "&".join(f"x{number}=1" for number in range(40)),
    ],
)
def test_what_is_malformed_or_repeated_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequestError):
        read(query)


def test_all_versions_are_served_on_request() -> None:
    assert read("match[version]=all").page.all_versions
    assert not read("match[version]=last").page.all_versions


def test_versions_are_words_or_instants_whatever_their_digits() -> None:
    assert read("match[version]=first,last").page.versions == ("first", "last")
    assert read("match[version]=first,2026-01-01T00:00:00.500Z").page.versions == ("first", "2026-01-01T00:00:00.5")
    assert read("match[version]=2026-01-01T00:00:00Z").page.versions == ("2026-01-01T00:00:00.",)


def test_an_object_has_its_id_in_the_path_and_no_filter_for_it() -> None:
    query = f"match[id]={INDICATOR}x&match[type]=,&match[version]=first&limit=2"
    page = read_object_filters(query, stix_id=INDICATOR, page_limit=1000).page
    assert (page.ids, page.types, page.versions, page.limit) == ((INDICATOR,), (), ("first",), 2)


def test_versions_are_listed_whatever_match_version_says() -> None:
    page = read_versions_filters("match[version]=,", stix_id=INDICATOR, page_limit=1000).page
    assert (page.ids, page.all_versions) == ((INDICATOR,), True)


def test_a_deletion_means_every_version_if_none_is_named() -> None:
    assert read_deletion_filters("").versions is None
    assert read_deletion_filters("match[version]=all").versions is None
    assert read_deletion_filters("match[version]=last").versions == ("last",)
    assert read_deletion_filters("match[spec_version]=2.0").is_unsatisfiable
    with pytest.raises(InvalidRequestError):
        read_deletion_filters("match[version]=all,first")


def test_the_newest_version_may_be_asked_for_by_name() -> None:
    assert read("match[version]=last").page == read("").page


def test_an_older_specification_matches_nothing() -> None:
    assert read("match[spec_version]=2.0").is_unsatisfiable
    assert not read("match[spec_version]=2.0,2.1").is_unsatisfiable


def test_unknown_parameters_are_left_alone() -> None:
    assert read("match[foo]=1&foo=2&foo=3").page == read("").page


def test_an_empty_next_is_none() -> None:
    assert read("next=").page.cursor == ""


@given(st.text(max_size=200))
def test_any_query_is_read_or_refused(query: str) -> None:
    with suppress(InvalidRequestError):
        assert 1 <= read(query).page.limit <= 1000
