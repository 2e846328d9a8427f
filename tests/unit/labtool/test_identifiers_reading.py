"""Lists of identifiers: every sound line is taken, every other is reported by number and never repeated."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.issuing.statements import Epoch, Statement
from exchange.labtool.errors import DataError
from exchange.labtool.identifiers_reading import Identifier, read_identifiers
from exchange.labtool.issuer import IssuerError
from exchange.labtool.selector_values import Values, read_values, write_values
from exchange.stix.markings import Tlp

SEEN = datetime(2026, 11, 1, tzinfo=UTC)


def test_csv_and_json_lines_say_the_same() -> None:
    listing = read_identifiers(
        b"\xef\xbb\xbfkind,value,confidence,first_seen,last_seen\r\n"
        b'Email, "Ada@Example.com",80,2026-11-01T00:00:00Z,\r\n\r\n'
        b'{"kind":"phone","value":"+44 20 7946 0018","confidence":null}\n'
    )
    assert listing.faults == {}
    assert listing.identifiers == {
        2: Identifier("email", "ada@example.com", 80, SEEN),
        4: Identifier("phone", "+442079460018"),
    }


def test_an_identifier_that_stands_twice_is_there_once_as_it_stands_last() -> None:
    listing = read_identifiers(b"email,ada@example.com,10\nemail,ADA@example.com,20\n")
    assert listing.identifiers == {2: Identifier("email", "ada@example.com", 20)}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"email", "columns"),
        (b"email,ada@example.com,1,,,more", "columns"),
        (b'email,"ada@example.com', "columns"),
        (b"iban,ada@example.com", "kind"),
        (b"email,", "kind and value"),
        (b"email,\xff\xfeada@example.com", "UTF-8"),
        ("email,ada@example.com".encode("utf-16"), "UTF-8"),
        (b"email,ada@example.com,101", "confidence"),
        (b"email,ada@example.com,high", "confidence"),
        (b"email,ada@example.com,,yesterday", "first_seen"),
        (b"email,ada@example.com,,2026-11-02T00:00:00Z,2026-11-01T00:00:00Z", "before first_seen"),
        (b'{"kind":"email","value":"ada@example.com"', "JSON object"),
        (b'{"kind":"email","value":7}', "texts"),
        (b'{"kind":"email","value":"ada@example.com","confidence":true}', "confidence"),
        (b'{"kind":"email","value":"ada@example.com","name":"Ada"}', "member"),
        (b"email," + b"a" * 20_000, "16384 bytes"),
    ],
)
def test_a_bad_line_in_the_middle_is_reported_and_the_rest_taken(line: bytes, reason: str) -> None:
    listing = read_identifiers(b"email,one@example.com\n" + line + b"\nemail,two@example.com\n")
    assert [each.value for each in listing.identifiers.values()] == ["one@example.com", "two@example.com"]
    assert list(listing.faults) == [2]
    assert reason in listing.faults[2]
    assert "ada" not in listing.faults[2].lower()


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    listing = read_identifiers(body)
    assert not listing.identifiers.keys() & listing.faults.keys()


def test_values_stand_in_no_repr() -> None:
    values = Values()
    values.keep([Identifier("email", "ada@example.com")], Tlp.AMBER)
    assert "ada" not in repr(values) + repr(Identifier("email", "ada@example.com"))


def test_the_file_of_values_comes_back_as_it_was_and_is_private(tmp_path: Path) -> None:
    values = Values(keys={"identity--x": {"2026-11": "ab"}})
    values.keep([Identifier("email", "ada@example.com", 80, SEEN, SEEN)], Tlp.AMBER_STRICT)
    path = tmp_path / "new" / "values.json"
    write_values(path, values)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_values(path) == values
    assert read_values(tmp_path / "none") == Values()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"keys":{},"values":[{"kind":"email","value":"ada@","marking":"amber"}]}']
)
def test_another_file_is_no_file_of_values(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "values.json"
    path.write_bytes(body)
    with pytest.raises(DataError, match="not a file of values") as refused:
        read_values(path)
    assert "ada" not in str(refused.value.__cause__) + str(refused.value.__context__)


def test_an_epoch_that_changes_its_key_is_refused() -> None:
    values = Values()
    for key, fails in ((b"\1" * 32, False), (b"\1" * 32, False), (b"\2" * 32, True)):
        statement = Statement("identity--x", SEEN, (Epoch("2026-11", key, "current", SEEN, None),))
        if fails:
            with pytest.raises(IssuerError, match="another key"):
                values.remember_keys(statement)
        else:
            values.remember_keys(statement)
