"""Reasons are one line that a person can read, whatever was sent."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.models.onward import MAX_REASON_CHARS
from attribution.onward.reasons import check_reason
from exchange.services.errors import InvalidRequestError, OutOfScopeError


def is_plain(text: str) -> bool:
    """Neither invisible nor a line break: no character of the categories C and Z but the space."""
    return all(each == " " or unicodedata.category(each)[0] not in "CZ" for each in text)


@given(st.text(max_size=MAX_REASON_CHARS + 20))
def test_what_is_taken_comes_back_as_it_was_and_can_be_read(text: str) -> None:
    is_sound = 0 < len(text.strip()) <= len(text) <= MAX_REASON_CHARS and is_plain(text)
    try:
        taken = check_reason(text)
    except InvalidRequestError:
        assert not is_sound
    except OutOfScopeError:
        assert is_sound
    else:
        assert is_sound
        assert taken == text


def test_a_grant_needs_no_reason_and_blanks_are_none() -> None:
    assert check_reason("", may_be_empty=True) == ""
    with pytest.raises(InvalidRequestError):
        check_reason("  ", may_be_empty=True)
