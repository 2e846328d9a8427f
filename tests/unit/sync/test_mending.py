"""What OpenTAXII does to `spec_version`, put back; everything else stays byte for byte."""

from __future__ import annotations

import json

import pytest

from exchange.sync.pulling.mending import mended


def test_a_type_in_the_place_of_the_spec_version_is_put_back() -> None:
    body = b'{ "type": "indicator", "spec_version": "indicator", "confidence": 1.50, "name": "\\u00e9" }'
    assert mended(body) == '{"confidence":1.5,"name":"é","spec_version":"2.1","type":"indicator"}'.encode()


@pytest.mark.parametrize(
    "body",
    [
        b'{ "type": "indicator", "spec_version": "2.1" }',
        b'{ "type": "indicator", "spec_version": "malware" }',
        b'{ "type": "indicator" , "spec_version": "2.1", "x": {"type": "y", "spec_version": "y"} }',
        b'{ "type": "indicator", "spec_version": "indicator", "type": "indicator" }',
        b'{ "spec_version": "indicator" }',
        b'[ {"type": "indicator", "spec_version": "indicator"} ]',
        b'{ "type": "indicator", "spec_version": "indicator"',
        json.dumps({"type": ["a"], "spec_version": "a"}).encode(),
    ],
)
def test_everything_else_stays_as_it_came(body: bytes) -> None:
    assert mended(body) == body
