"""The vocabulary's data file, and what is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from signatures.vocabulary import VOCABULARY, FieldType, Privacy, read_vocabulary
from signatures.vocabulary.document import document

ROOT = Path(__file__).parents[4]
FIELD = """
[[field]]
name = "llmx.window.requests"
type = "integer"
unit = "{request}"
privacy = "P0"
source = "llmx"
ocsf = ""
description = "Requests."
"""
HEAD = 'version = "1"\nocsf_version = "2"\n'


def test_the_file_holds_what_rules_of_the_eight_behaviours_need() -> None:
    needed = {
        "user.id": Privacy.P2,
        "llmx.prompt.template_family": Privacy.P1,
        "llmx.payment.instrument_token": Privacy.P2,
        "llmx.account.first_peak_latency_s": Privacy.P0,
        "llmx.thinking.replay": Privacy.P0,
        "llmx.model.hours_since_release": Privacy.P0,
        "llmx.cluster.id": Privacy.P1,
        "gen_ai.usage.output_tokens": Privacy.P0,
    }
    assert {name: VOCABULARY.fields[name].privacy for name in needed} == needed
    assert VOCABULARY.fields["llmx.thinking.replay"].type is FieldType.BOOLEAN
    assert VOCABULARY.fields["user.id"].ocsf == "actor.user.uid"


def test_no_field_holds_what_was_said() -> None:
    for name in VOCABULARY.fields:
        assert not name.startswith(("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"))


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("gen_ai.usage.output_token", "gen_ai.usage.output_tokens"),
        ("llmx.prompt.template_familiy", "llmx.prompt.template_family"),
        ("userid", "user.id"),
        ("zzz", None),
    ],
)
def test_a_misspelt_name_is_near_the_one_that_was_meant(written: str, nearest: str | None) -> None:
    assert VOCABULARY.nearest(written) == nearest


def test_the_page_is_what_the_data_says() -> None:
    written = (ROOT / "docs" / "vocabulary.md").read_text(encoding="utf-8")
    assert written == document(VOCABULARY), "write it anew: python -m signatures.vocabulary > docs/vocabulary.md"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FIELD + FIELD, "twice"),
        (FIELD.replace("integer", "int"), "llmx.window.requests: 'int'"),
        (FIELD.replace('"P0"', '"P3"'), "P3"),
        (FIELD.replace('source = "llmx"', 'source = "otel"'), "its source"),
        (FIELD.replace("Requests.", "Requests"), "sentence"),
        (FIELD.replace("llmx.window.requests", "llmx..x"), "no name"),
        (FIELD.replace("unit =", "units ="), "llmx.window.requests"),
    ],
)
def test_a_mistake_in_the_data_is_named(text: str, said: str) -> None:
    assert read_vocabulary(HEAD + FIELD).fields["llmx.window.requests"].unit == "{request}"
    with pytest.raises(ValueError, match=said):
        read_vocabulary(HEAD + text)
