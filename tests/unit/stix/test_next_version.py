"""What the next version of an object takes from the one before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exchange.stix.errors import ObjectInvalidError
from exchange.stix.extension_ids import SIGNATURE_EXTENSION
from exchange.stix.next_version import later_than, unsigned

BEFORE = "2026-11-25T12:00:00.250Z"


def test_a_version_is_later_than_the_one_before_also_where_the_clock_is_behind() -> None:
    assert later_than(BEFORE, datetime(2026, 11, 25, 13, tzinfo=UTC)) == "2026-11-25T13:00:00.000Z"
    assert later_than(BEFORE, datetime(2026, 11, 25, 11, tzinfo=UTC)) == "2026-11-25T12:00:00.251Z"
    with pytest.raises(ObjectInvalidError):
        later_than("yesterday", datetime(2026, 11, 25, tzinfo=UTC))


def test_the_signature_goes_and_other_extensions_stay() -> None:
    signed = {"id": "x", "extensions": {SIGNATURE_EXTENSION: {}, "other": {}}}
    assert unsigned(signed) == {"id": "x", "extensions": {"other": {}}}
    assert unsigned({"id": "x", "extensions": {SIGNATURE_EXTENSION: {}}}) == {"id": "x"}
    assert signed["extensions"] == {SIGNATURE_EXTENSION: {}, "other": {}}
