"""What commands read of a lab's own files."""

from __future__ import annotations

import pytest

from exchange.labtool.inputs import objects_in
from exchange.stix.errors import MalformedJsonError
from exchange.stix.limits import MAX_VALUES_PER_ENVELOPE
from exchange.stix.reading import split_body


def test_a_file_of_ones_own_may_hold_more_than_an_envelope() -> None:
    """A million imported networks are such a file; they go to the node in envelopes."""
    half = b'{"ranges":[' + b",".join([b"0"] * (MAX_VALUES_PER_ENVELOPE // 2 + 1)) + b"]}"
    body = b"[" + half + b"," + half + b"]"
    assert objects_in([body]) == [half, half]
    with pytest.raises(MalformedJsonError, match="too-many-values"):
        split_body(body)
