"""What changed between two versions, in a few lines."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.extension_ids import SIGNATURE_EXTENSION
from signatures.intake.changes import MAX_LINES, changes_between

VALUES = st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab\n", max_size=4)
EXTENSIONS = st.dictionaries(st.sampled_from([SIGNATURE_EXTENSION, "extension-definition--x"]), VALUES)
OBJECTS = st.fixed_dictionaries(
    {"modified": VALUES},
    optional={"name": VALUES, "pattern": VALUES, "labels": st.lists(VALUES), "extensions": EXTENSIONS},
)


def test_version_and_signature_are_no_change_but_other_extensions_are() -> None:
    old = {"modified": "1", "name": "n"}
    signed: dict[str, Any] = {"modified": "2", "name": "n", "extensions": {SIGNATURE_EXTENSION: {"jws": "x"}}}
    assert changes_between(old, signed) == ()
    assert changes_between(signed, {**signed, "extensions": {SIGNATURE_EXTENSION: {"jws": "y"}}}) == ()
    other = {**signed, "extensions": {**signed["extensions"], "extension-definition--x": {"a": 1}}}
    assert changes_between(signed, other) == ('/extensions: added {"extension-definition--x":{"a":1}}',)


def test_a_rule_is_told_by_its_lines() -> None:
    lines = changes_between({"pattern": "a\nb\nc\nd"}, {"pattern": "a\nB\nc\nd\ne"})
    assert lines == ("/pattern:", "- b", "+ B", "+ e")


def test_long_texts_lists_and_values_are_cut() -> None:
    long = changes_between({"pattern": "x\n" * 5_000}, {"pattern": "y\n" * 4_000})
    assert long == ("/pattern: 5000 lines became 4000",)
    many = changes_between({"pattern": "\n".join("abcdefghij" * 4)}, {"pattern": "\n".join("0123456789" * 4)})
    assert (len(many), many[-1]) == (MAX_LINES, "and more")
    (value,) = changes_between({"name": "n"}, {"name": "x" * 1_000})
    assert len(value) < 200


@given(OBJECTS, OBJECTS)
def test_there_is_a_line_exactly_where_something_but_version_and_signature_differs(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    def written(members: dict[str, Any]) -> str:
        others = [each for each in members.get("extensions", {}).items() if each[0] != SIGNATURE_EXTENSION]
        rest = {name: value for name, value in members.items() if name not in {"modified", "extensions"}}
        return json.dumps([rest, sorted(others)], sort_keys=True)

    assert (changes_between(old, new) == ()) == (written(old) == written(new))
