"""Changes between two JSON values: applied, they give the second; and they stay within their bounds."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.difference import MAX_CHANGES, Change, difference

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet="ab/~\n\u00e9", max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(alphabet="ab/~", max_size=2), inner, max_size=4)
    ),
    max_leaves=25,
)


def applied(value: Any, changes: list[Change]) -> Any:
    """RFC 6902 section 4, for the operations that there are; each `old` has to be what stands there."""
    value = copy.deepcopy(value)
    for change in changes:
        if change.path == "":
            assert (change.op, same(change.old, value)) == ("replace", True)
            value = copy.deepcopy(change.new)
            continue
        *path, last = [step.replace("~1", "/").replace("~0", "~") for step in change.path.split("/")[1:]]
        place = value
        for step in path:
            place = place[int(step)] if isinstance(place, list) else place[step]
        key: Any = int(last) if isinstance(place, list) else last
        if change.op != "add":
            assert same(place[key], change.old)
        if change.op == "remove":
            del place[key]
        elif change.op == "add" and isinstance(place, list):
            assert key <= len(place)
            place.insert(key, copy.deepcopy(change.new))
        else:
            assert (change.op == "add") == (not isinstance(place, list) and key not in place)
            place[key] = copy.deepcopy(change.new)
    return value


def same(one: Any, other: Any) -> bool:
    """Python takes True for 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@given(VALUES, VALUES)
def test_the_changes_applied_to_the_first_give_the_second(old: Any, new: Any) -> None:
    assert same(applied(old, difference(old, new)), new)


@given(VALUES)
def test_what_is_the_same_has_no_changes(value: Any) -> None:
    assert difference(value, copy.deepcopy(value)) == []


@given(st.dictionaries(st.text(max_size=2), VALUES), st.data())
def test_one_changed_member_is_all_that_is_told(old: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.text(max_size=2))
    new = {**old, name: "another text than any"}
    changes = difference(old, new)
    assert [change.path for change in changes] == ["/" + name.replace("~", "~0").replace("/", "~1")]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ([1, 2, 3], [1, 9, 2, 3], [Change("add", "/1", new=9)]),
        ([1, 2, 3], [1, 3], [Change("remove", "/1", old=2)]),
        ([1, 2], [], [Change("remove", "/1", old=2), Change("remove", "/0", old=1)]),
        ({"a": {"b": 1}}, {"a": {"b": True}}, [Change("replace", "/a/b", 1, True)]),
        ({"a/b~c": 1}, {}, [Change("remove", "/a~1b~0c", old=1)]),
        ({"a": None}, {"a": 0}, [Change("replace", "/a", None, 0)]),
        ("a", "b", [Change("replace", "", "a", "b")]),
    ],
)
def test_changes_are_told_at_the_place_where_they_are(old: Any, new: Any, told: list[Change]) -> None:
    assert difference(old, new) == told


def test_a_member_that_changed_in_too_many_places_is_replaced_and_the_others_are_still_told() -> None:
    many = list(range(MAX_CHANGES + 1))
    old, new = {"many": many, "name": "a"}, {"many": [each + 1 for each in many[::-1]], "name": "b"}
    changes = difference(old, new)
    assert [(change.op, change.path) for change in changes] == [("replace", "/many"), ("replace", "/name")]


def test_an_object_of_too_many_new_members_is_replaced_as_a_whole() -> None:
    new = {f"x{index}": index for index in range(MAX_CHANGES + 1)}
    assert difference({}, new) == [Change("replace", "", {}, new)]


@pytest.mark.parametrize("depth", [1, 2, 30])
def test_long_names_do_not_multiply(depth: int) -> None:
    inner: Any = {"a": 1, "b": 1}
    for _ in range(depth):
        inner = {"n" * 600: inner}
    old, new = {"x": inner}, {"x": json.loads(json.dumps(inner).replace("1", "2"))}
    changes = difference(old, new)
    assert sum(len(change.path) for change in changes) <= 2_500
    assert same(applied(old, changes), new)


def test_a_name_longer_than_a_pointer_may_be_replaces_the_whole() -> None:
    old, new = {"n" * 2_000: 1}, {"n" * 2_000: 2}
    assert difference(old, new) == [Change("replace", "", old, new)]
