"""The bytes of a manifest: dates in the form of TAXII, whatever they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import orjson
from hypothesis import given
from hypothesis import strategies as st

from exchange.services.query import Manifest, ManifestRecord
from exchange.stix.timestamps import format_taxii
from exchange.taxii.envelopes import write_manifest

ID = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-9, minutes=-30))])


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=ZONES))  # noqa: DTZ001 - Hypothesis takes bounds without a zone
def test_every_date_has_six_digits_and_a_z(moment: datetime) -> None:
    for date in (moment, moment.replace(microsecond=0), moment.replace(microsecond=10)):
        written = orjson.loads(write_manifest(Manifest([ManifestRecord(1, date, ID, "2026-01-01T00:00:00Z")])))
        assert written["objects"][0]["date_added"] == format_taxii(date)
