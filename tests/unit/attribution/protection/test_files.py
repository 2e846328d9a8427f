"""The operators' CSV file of protected networks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.protection.files import COLUMNS, read_allowed_lines, read_until
from exchange.stix.errors import ObjectInvalidError

HEAD = ",".join(COLUMNS)


def test_a_bad_line_concerns_nobody_else() -> None:
    raw = f"""\ufeff{HEAD}\r
# front doors\r
\r
198.51.100.0/24,"Cloud, front door",cloud-front-door,https://cloud.example/ranges,2027-01-31\r
203.0.113.0/24,two columns\r
203.0.113.0/24,Lab,lab-egress,mail,2027-02-30\r
192.0.2.0/24,Lab,lab-egress,mail,2027-01-31T12:00:00Z\r
"""
    good, short, never, last = read_allowed_lines(raw.encode())
    assert (good.number, good.fields["title"], good.until) == (
        4,
        "Cloud, front door",
        datetime(2027, 1, 31, tzinfo=UTC),
    )
    assert (short.number, short.fault) == (5, "2 columns; 5 are expected")
    assert (never.number, never.fault) == (6, "'2027-02-30' is no date.")
    assert (last.fault, last.until) == (None, datetime(2027, 1, 31, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "columns"),
        (b"net,title\n", "columns"),
        (f"{HEAD}\n".encode("utf-16"), "encoding"),
        (f"{HEAD}\n192.0.2.0/24,Universit\xe4t,other,x,2027-01-31\n".encode("latin-1"), "encoding"),
        (f"{HEAD}\n{'x' * 40}".encode() + b"\n#" * 100_000 + b"\na,b,c,d,e\n", "too-many-lines"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(raw: bytes, code: str) -> None:
    with pytest.raises(ObjectInvalidError) as refused:
        list(read_allowed_lines(raw))
    assert refused.value.code == code


@given(st.text(max_size=200))
def test_whatever_stands_below_the_head_is_a_line_or_a_fault(text: str) -> None:
    for line in read_allowed_lines(f"{HEAD}\n{text}".encode("utf-8", "replace")):
        assert (line.until is None) == (line.fault is not None)


@pytest.mark.parametrize("text", ["", "tomorrow", "2027-1-31", "20270131T1", "2027-W05-1", "2027-01-31T12:00:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ObjectInvalidError):
        read_until(text)
