"""What If-None-Match says, and what it is taken for when it is not well formed."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from exchange.http.validators import ANY, MAX_HEADER_CHARS, is_known, known_tags, tag_of


def tags(header: str | None) -> frozenset[str]:
    headers = {} if header is None else {"If-None-Match": header}
    return known_tags(RequestFactory().get("/", headers=headers))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, set()),
        ("", set()),
        ('"a"', {"a"}),
        ('W/"a"', {"a"}),
        ('W/"a", "b" ,W/"c"', {"a", "b", "c"}),
        ("*", {ANY}),
        (" * ", {ANY}),
        ("a", set()),
        ('w/"a"', set()),
        ('"a" "b"', set()),
        ('"a", broken, "b"', {"a", "b"}),
        ('"' + "a" * MAX_HEADER_CHARS + '"', set()),
    ],
)
def test_tags_are_read_and_what_is_malformed_is_no_tag(header: str | None, expected: set[str]) -> None:
    assert tags(header) == expected


def test_a_star_knows_every_tag_and_a_quoted_star_only_itself() -> None:
    assert is_known("a", tags("*"))
    assert not is_known("a", tags('"b"'))
    assert is_known("a", tags('"b", "a"'))


def test_a_tag_follows_from_the_bytes() -> None:
    assert tag_of(b"one") == tag_of(b"one") != tag_of(b"other")
