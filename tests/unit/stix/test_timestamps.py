"""Timestamps: reading keeps every digit, writing gives the two forms of STIX and TAXII."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.errors import ObjectInvalidError
from exchange.stix.timestamps import format_stix, format_taxii, ordering_key, parse_timestamp, without_trailing_zeros

moments = st.datetimes(timezones=st.just(UTC))


@given(moments)
def test_what_is_written_is_read_back(moment: datetime) -> None:
    assert parse_timestamp(format_taxii(moment)) == moment
    assert parse_timestamp(format_stix(moment)) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, timezone(timedelta(hours=2)))
    assert format_stix(moment) == "2026-01-02T01:04:05.678Z"
    assert format_taxii(moment) == "2026-01-02T01:04:05.678901Z"


def test_a_time_without_a_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="time zone"):
        format_stix(datetime(2026, 1, 2))  # noqa: DTZ001 - the mistake under test


def test_digits_beyond_microseconds_are_cut_not_rounded() -> None:
    assert parse_timestamp("2026-01-02T03:04:05.9999999Z").microsecond == 999_999
    assert parse_timestamp("2026-01-02T03:04:05.999999999Z").microsecond == 999_999
    assert parse_timestamp("2026-01-02T03:04:05.1Z").microsecond == 100_000


@given(
    st.lists(
        st.tuples(moments, st.text("0123456789", max_size=9)).map(
            lambda pair: (
                pair[0].isoformat(timespec="seconds").removesuffix("+00:00") + ("." if pair[1] else "") + pair[1] + "Z"
            )
        ),
        min_size=2,
        max_size=2,
    )
)
def test_the_ordering_key_orders_at_full_precision(pair: list[str]) -> None:
    def exact(text: str) -> tuple[datetime, int]:
        fraction = text[:-1].partition(".")[2]
        return parse_timestamp(text).replace(microsecond=0), int(fraction.ljust(20, "0"))

    left, right = pair
    assert (ordering_key(left) < ordering_key(right)) == (exact(left) < exact(right))
    assert (ordering_key(left) == ordering_key(right)) == (exact(left) == exact(right))
    assert exact(without_trailing_zeros(left)) == exact(left)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30T00:00:00Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:04:60Z",
        "0000-01-01T00:00:00Z",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05+00:00",
        "2026-01-02T03:04:05z",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:05.Z",
        "2026-1-2T03:04:05Z",
        "2026-01-02T03:04:05.1234567890Z",
        "2026-01-02T03:04:05." + "0" * 100 + "Z",
        "2026-01-02T03:04:05Z\n",
        "٢٠٢٦-01-02T03:04:05Z",
        "",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ObjectInvalidError) as caught:
        parse_timestamp(text, "/valid_from")
    assert (caught.value.code, caught.value.pointer) == ("timestamp", "/valid_from")
