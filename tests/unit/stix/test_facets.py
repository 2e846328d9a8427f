"""What a version can be found by: bounded, and nothing that a database refuses, whatever the object holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.facets import (
    MAX_TAG_CHARS,
    MAX_TAGS_OF_A_KIND,
    MAX_TEXT_CHARS,
    facets_of,
    is_tag_value,
    words_of_query,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
NAMES = (
    "name", "aliases", "description", "pattern", "labels", "external_references", "kill_chain_phases", "valid_from",
    "valid_until", "object_marking_refs", "pattern_type", "goals", "value",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING))
def test_any_members_give_facets_that_a_database_keeps(members: dict[str, Any]) -> None:
    facets = facets_of(members)
    assert "\0" not in facets.text
    assert len(facets.text) <= MAX_TEXT_CHARS
    assert list(facets.tags) == sorted(set(facets.tags))
    for each in facets.tags:
        assert is_tag_value(each.partition(":")[2])


def test_what_a_detection_engineer_asks_for_is_there() -> None:
    facets = facets_of(
        {
            "name": "Relay exit",
            "description": "Seen at 198.51.100.7.",
            "pattern": "[ipv4-addr:value = '198.51.100.7']",
            "pattern_type": "stix",
            "labels": ["relay"],
            "external_references": [{"source_name": "mitre-atlas", "external_id": "AML.T0024"}],
            "object_marking_refs": ["marking-definition--x"],
            "valid_from": "2026-11-01T00:00:00.500Z",
        },
        targets=["campaign--x"],
        payload_texts=["Ask for a second look"],
    )
    assert facets.tags == (
        "external:AML.T0024", "label:relay", "marking:marking-definition--x", "pattern:stix", "refers:campaign--x",
    )  # fmt: skip
    assert (facets.valid_from, facets.valid_until) == ("2026-11-01T00:00:00.5", "")
    words = facets.text.split()
    for word in ("Relay", "198", "AML", "T0024", "atlas", "second", "relay"):
        assert word in words


def test_titles_stay_in_where_a_text_is_too_long() -> None:
    facets = facets_of({"description": "long " * MAX_TEXT_CHARS, "name": "Title", "pattern": "pattern"})
    assert facets.text.split()[:2] == ["Title", "pattern"]
    assert len(facets.text) == MAX_TEXT_CHARS


def test_a_flood_of_labels_is_cut_and_monstrous_ones_are_left_out() -> None:
    facets = facets_of({"labels": ["x" * (MAX_TAG_CHARS + 1), "a\nb", "", *(f"l{index}" for index in range(1_000))]})
    assert len(facets.tags) == MAX_TAGS_OF_A_KIND
    assert all(each.startswith("label:l") for each in facets.tags)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("AML.T0024", "AML_T0024"),
        ('-relay "template family"', '-relay "template family"'),
        ("198.51.100.7 or x:y", "198_51_100_7 or x_y"),
        ("--x", "-_x"),
        ("llmx.prompt.template_hash", "llmx_prompt_template_hash"),
        ("a'; DROP TABLE facet", "a__ DROP TABLE facet"),
        ("über 日本", "über 日本"),
    ],
)
def test_a_question_keeps_its_quotes_and_its_minus_and_joins_the_rest(asked: str, words: str) -> None:
    assert words_of_query(asked) == words
