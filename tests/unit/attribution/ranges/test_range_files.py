"""Files of networks: what is taken, what is refused, and that a bad line costs itself alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.ranges.importing import Wanted, id_of, objects_of, part_of, parts_for
from attribution.ranges.range_files import MAX_LINE_BYTES, Line, Remark, Rules, read_ranges
from exchange.stix.errors import ObjectInvalidError
from exchange.stix.extension_ids import RANGES_EXTENSION
from exchange.stix.extensions_ranges import MAX_RANGES, Ranges

LAB = "identity--11111111-1111-4111-8111-111111111111"
HEAD = b"range,kind,asn,confidence,first_seen,last_seen,source\n"


def read(body: bytes, rules: Rules | None = None) -> tuple[list[Line], list[Remark]]:
    found = list(read_ranges(body.splitlines(keepends=True), rules or Rules()))
    return [each for each in found if isinstance(each, Line)], [each for each in found if isinstance(each, Remark)]


def refused(body: bytes) -> list[tuple[int, str]]:
    return [(each.number, each.text) for each in read(body)[1] if each.is_refused]


def test_every_column_is_taken_in_any_order() -> None:
    lines, remarks = read(
        b"\xef\xbb\xbfSource;last_seen;range;kind;asn;confidence;first_seen\r\n"
        b'"a; b";2026-11-24T10:00:00Z;203.0.113.0/24;VPN;AS64500;70;2026-11-01\r\n'
    )
    assert remarks == []
    assert lines == [
        Line(2, lines[0].net, "vpn", 64500, 70, "2026-11-01T00:00:00.000Z", "2026-11-24T10:00:00.000Z", "a; b")
    ]
    assert str(lines[0].net) == "203.0.113.0/24"


def test_a_plain_list_has_comments_and_what_is_changed_is_said() -> None:
    lines, remarks = read(b"# list\n\n192.0.2.1\n192.0.2.7/24 # note\n::ffff:192.0.2.9\n192.0.2.1/32\n", Rules("proxy"))
    assert [str(line.net) for line in lines] == ["192.0.2.1/32", "192.0.2.0/24", "192.0.2.9/32"]
    assert {line.kind for line in lines} == {"proxy"}
    assert [(each.number, each.is_refused) for each in remarks] == [(4, False), (5, False), (6, False)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"192.0.2.300", "not an IPv4"),
        (b"192.0.2.1-192.0.2.9", "span"),
        (b"12.0.0.0/7", "wider than /8"),
        (b"2001::/18", "wider than /19"),
        (b"::1", "no network that is shared"),
        (b"192.0.2.1,tor", "none of"),
        (b"192.0.2.1,vpn,x", "autonomous system"),
        (b"192.0.2.1,vpn,1,101", "from 0 to 100"),
        (b"192.0.2.1,vpn,1,70,yesterday", "no timestamp"),
        (b"192.0.2.1,vpn,1,70,2026-11-02,2026-11-01", "earlier"),
        (b"192.0.2.1,vpn,1,70,,,a,b", "8 values"),
        (b'192.0.2.1,vpn,1,70,,,"a', "quotation"),
        (b"192.0.2.1,vpn,1,70,,," + b"s" * 201, "printable"),
        (b"1" * (MAX_LINE_BYTES + 1), "more than"),
        (b"\xff\xfe", "not an IPv4"),
        (b"\0", "not an IPv4"),
    ],
)
def test_one_bad_line_in_the_middle_is_named_and_the_rest_is_taken(line: bytes, reason: str) -> None:
    good = [f"198.51.{n // 256}.{n % 256}\n".encode() for n in range(2_000)]
    body = HEAD + b"".join(good[:1_000]) + line + b"\n" + b"".join(good[1_000:])
    assert len(read(body)[0]) == 2_000
    ((number, text),) = refused(body)
    assert number == 1_002
    assert reason in text


def test_a_line_in_another_encoding_is_taken_with_a_remark() -> None:
    lines, remarks = read(HEAD + "192.0.2.1,vpn,,,,,Müller\n".encode("latin-1") + "192.0.2.2,vpn,,,,,Müller\n".encode())
    assert [line.source for line in lines] == ["Müller", "Müller"]
    assert [(each.number, each.is_refused) for each in remarks] == [(2, False)]


@pytest.mark.parametrize("body", ["192.0.2.1\n".encode("utf-16"), b"range,range\n", b"range,colour\n192.0.2.1,red\n"])
def test_a_file_that_cannot_be_read_at_all_is_refused_as_one(body: bytes) -> None:
    with pytest.raises(ObjectInvalidError):
        read(body)


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_break_it_and_every_line_that_says_something_is_accounted_for(raw: list[bytes]) -> None:
    body = [HEAD, *(line.replace(b"\n", b"") + b"\n" for line in raw)]
    found = list(read_ranges(body, Rules()))
    said = {number for number, line in enumerate(body, 1) if number > 1 and says_something(line)}
    assert {each.number for each in found} == said


def says_something(line: bytes) -> bool:
    try:
        text = line.decode().strip()
    except UnicodeDecodeError:
        text = line.decode("latin-1").strip()
    return bool(text) and not text.startswith("#")


def lines_of(count: int) -> list[Line]:
    return read(b"".join(f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}\n".encode() for n in range(count)))[0]


def test_the_same_name_makes_the_same_objects_and_none_is_too_large() -> None:
    lines = lines_of(30_000)
    objects = objects_of(lines, Wanted(LAB, "feed", ()), modified="2026-11-25T00:00:00.000Z")
    assert [each["id"] for each in objects] == [id_of(LAB, "feed", number) for number in range(4)]
    sizes = [len(Ranges.parse(each["extensions"][RANGES_EXTENSION], "").ranges) for each in objects]
    assert sum(sizes) == 30_000
    assert max(sizes) <= MAX_RANGES
    assert objects_of(lines[::-1], Wanted(LAB, "feed", ()), modified="2026-11-25T00:00:00.000Z") == objects


def test_a_list_that_grows_keeps_each_network_or_moves_it_to_a_new_object() -> None:
    for line in lines_of(500):
        assert part_of(line.net, 8) in (part_of(line.net, 4), part_of(line.net, 4) + 4)


def test_an_object_without_networks_left_says_so_and_objects_are_never_left_over() -> None:
    objects = objects_of(lines_of(1), Wanted(LAB, "feed", (), parts=2), modified="2026-11-25T00:00:00.000Z")
    assert len(objects) == 2
    assert sorted("extensions" in each for each in objects) == [False, True]
    assert (parts_for(MAX_RANGES), parts_for(MAX_RANGES + 1)) == (1, 2)
    with pytest.raises(ObjectInvalidError):
        parts_for(10**9)
