"""Whatever becomes of a sample on its way, reading, checking and drawing it makes our own error or none."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.stix.errors import StixError
from exchange.stix.keys import SigningKey
from signatures.cacao import check_safety, inspect_playbook, sign_playbook
from signatures.cacao.carrying import course_of_action
from signatures.cacao.drawing import draw_playbook
from signatures.samples.playbooks import NAMES, playbook_bytes

SAMPLES = [json.loads(playbook_bytes(name)) for name in NAMES]
SAMPLES.append(
    sign_playbook(SAMPLES[0], SigningKey.from_seed(bytes(32), "sig"), signee="Lab A", at="2026-11-10T00:00:00.000Z")
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, item in inner for found in places(item, (*path, name)))]


PLACES = [places(book)[1:] for book in SAMPLES]


def judge(raw: bytes) -> None:
    """All that is done with a playbook from outside."""
    try:
        inspection = inspect_playbook(raw)
    except StixError as error:
        assert error.code  # noqa: PT017 - either an error of ours, or the rest
        return
    draw_playbook(inspection.members, check_safety(inspection.members))
    course_of_action(raw, inspection, producer=inspection.created_by, markings=[])


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A sample in which one to three places were replaced, left out, copied or exchanged."""
    number = draw(st.integers(0, len(SAMPLES) - 1))
    book = copy.deepcopy(SAMPLES[number])
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(PLACES[number]))
        other = draw(st.sampled_from(PLACES[number]))
        change = draw(st.sampled_from(["replace", "drop", "copy", "text"]))
        holder, value = book, book
        try:
            for name in path[:-1]:
                holder = holder[name]
            for name in other:
                value = value[name]
            if change == "drop":
                del holder[path[-1]]
            elif change == "copy":
                holder[path[-1]] = copy.deepcopy(value)
            elif change == "text":
                holder[path[-1]] = str(value)[: draw(st.integers(0, 40))]
            else:
                holder[path[-1]] = draw(JSON)
        except (KeyError, IndexError, TypeError):
            continue
    return json.dumps(book).encode()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(mutations())
def test_a_changed_sample_makes_no_error_but_ours(raw: bytes) -> None:
    judge(raw)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(SAMPLES[:3]), st.data())
def test_steps_joined_at_random_make_no_error_but_ours(book: dict[str, Any], data: st.DataObject) -> None:
    book = copy.deepcopy(book)
    ids = list(book["workflow"])
    for _ in range(data.draw(st.integers(1, 4))):
        step = book["workflow"][data.draw(st.sampled_from(ids))]
        name = data.draw(st.sampled_from(["on_completion", "on_success", "on_failure", "on_true", "on_false"]))
        step[name] = data.draw(st.sampled_from(ids))
    judge(json.dumps(book).encode())


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(NAMES).map(playbook_bytes), st.integers(0, 20_000), st.binary(max_size=4))
def test_bytes_that_were_changed_or_cut_off_make_no_error_but_ours(raw: bytes, place: int, other: bytes) -> None:
    judge(raw[:place] + other + raw[place + len(other) :])
    judge(raw[:place])
