"""The form of answers and errors of management commands."""

import io
import json
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management.base import CommandError

from exchange.management.answering import AnsweringCommand, Facts, short_name
from exchange.management.commands.create_token import read_expiry
from exchange.services.errors import InvalidRequestError
from exchange.stix.errors import StixError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Telling(AnsweringCommand):
    """Answers or raises what it was given."""

    requires_node = False

    def __init__(self, outcome: Facts | Exception) -> None:
        self.written = io.StringIO()
        super().__init__(stdout=self.written)
        self.outcome = outcome

    def act(self, **_options: Any) -> Facts:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    @property
    def said(self) -> str:
        return self.written.getvalue()


def test_facts_are_lines_for_people() -> None:
    command = Telling({"lab": "aurora", "read": ["a", "b"], "is_new": True, "contact": None, "write": []})
    command.handle(json=False)
    assert command.said == "lab: aurora\nread: a, b\nis new: yes\ncontact: none\nwrite: none\n"


def test_facts_are_one_json_object_for_programs() -> None:
    command = Telling({"lab": "aurora", "is_new": True})
    command.handle(json=True)
    assert json.loads(command.said) == {"lab": "aurora", "is_new": True}


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InvalidRequestError("no such scope", pointer="/scopes"), "no such scope (at /scopes)"),
        (StixError("label", "no label"), "no label"),
    ],
)
def test_refusal_is_one_line_that_names_the_place(error: Exception, line: str) -> None:
    with pytest.raises(CommandError) as caught:
        Telling(error).handle(json=False)
    assert str(caught.value) == line
    assert caught.value.returncode == 1


@pytest.mark.parametrize("name", ["Aurora", "au rora", "", "-a", "a/b", "a" * 65, "ä"])
def test_name_that_cannot_stand_in_an_address_is_refused(name: str) -> None:
    with pytest.raises(ArgumentTypeError):
        short_name(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90d", datetime(2027, 2, 21, 12, tzinfo=UTC)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00:00+02:00", datetime(2027, 1, 31, 10, tzinfo=UTC)),
    ],
)
def test_expiry_is_a_date_a_time_or_days(text: str, expected: datetime) -> None:
    assert read_expiry(text, NOON) == expected


@pytest.mark.parametrize("text", ["tomorrow", "d", "99999999999999d", "2027-13-01", ""])
def test_other_expiry_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="--expires takes"):
        read_expiry(text, NOON)
