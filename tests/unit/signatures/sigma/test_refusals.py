"""What `inspect_rule` refuses, and where it says the fault is."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.errors import ObjectInvalidError
from signatures.sigma import inspect_rule
from tests.unit.signatures.sigma.test_inspection import CORRELATION, FILTER, RULE


def refusal(text: str) -> ObjectInvalidError:
    with pytest.raises(ObjectInvalidError) as caught:
        inspect_rule(text)
    return caught.value


def rule_with(condition: str) -> str:
    return RULE.replace("(asked or family) and not evaluation", condition)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "yaml-empty"),
        ("- a list", "sigma-not-a-map"),
        ("title: one\ntitle: two", "yaml-duplicate-key"),
        ("!!python/object:os.system x", "yaml-tag"),
        ("a: &a [*a]", "yaml-alias"),
        ("<<: {a: 1}", "yaml-merge"),
        ("1: x", "yaml-key"),
        ("? [a]\n: b", "yaml-key"),
        ("x: 2026-13-45", "yaml-value"),
        ("x: .nan", "yaml-value"),
        ("x: " + "9" * 5000, "yaml-value"),
        ("x: [open", "yaml-syntax"),
        ("x: \x00", "yaml-syntax"),
        ("[" * 100_000, "yaml-too-deep"),
        ("x: " + "a" * 300_000, "yaml-too-large"),
        ("---\na: 1\n" * 100, "yaml-too-many-nodes"),
    ],
)
def test_hostile_yaml_is_refused(text: str, code: str) -> None:
    assert refusal(text).code == code


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    started = time.monotonic()
    assert refusal("\n".join(lines)).code == "yaml-alias"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("nothing", "sigma-invalid"),
        ("asked and (", "sigma-invalid"),
        ("1 of absent*", "sigma-invalid"),
        ("asked | count() by user.id > 5", "sigma-invalid"),
        ("(" * 40 + "asked" + ")" * 40, "sigma-condition-too-complex"),
        ("not " * 40 + "asked", "sigma-condition-too-complex"),
        ("1 of a*b*c*d*", "sigma-condition-too-complex"),
        (" or ".join(["asked"] * 1000), "sigma-condition-too-complex"),
        ("[]", "sigma-condition"),
        ("5", "sigma-condition"),
    ],
)
def test_a_condition_that_cannot_be_understood_is_refused(condition: str, code: str) -> None:
    assert refusal(rule_with(condition)).code == code


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("title: Reasoning asked for\n", "", "sigma-title"),
        ("6f1b0d5e-3c1a-4f0e-9a3b-2d7c5b8e1a01", "not-a-uuid", "sigma-id"),
        ("{category: llm_api, product: llm_gateway}", "{}", "sigma-logsource"),
        ("{category: llm_api, product: llm_gateway}", "[a]", "sigma-logsource"),
        ("level: low", "level: enormous", "sigma-invalid"),
        ("level: low", "level: low\ndate: tomorrow", "sigma-invalid"),
        ("level: low", "level: low\naction: global", "sigma-action"),
        ("tlp.green", "tlp", "sigma-tag"),
        ("tlp.green", "tlp.purple", "sigma-tlp-tag"),
        ("|startswith: 'cot_'", "|strtswith: 'cot_'", "sigma-invalid"),
        ("|startswith: 'cot_'", "|re: '('", "sigma-invalid"),
        ("|startswith: 'cot_'", ": [a, null]", "sigma-value"),
        ("|startswith: 'cot_'", ": []", "sigma-value"),
        ("|startswith: 'cot_'", ": {a: b}", "sigma-value"),
        ("|startswith: 'cot_'", "|windash: '- - - - - - - - - -'", "sigma-value"),
        ("    llmx.prompt.reasoning_request: true", "    {}", "sigma-selection"),
        ("falsepositives: [Academic evaluation suites]", "falsepositives: unknown", "sigma-type"),
        ("level: low", "level: low\ncorrelation: {}", "sigma-kind"),
    ],
)
def test_a_rule_outside_the_specification_is_refused(old: str, new: str, code: str) -> None:
    assert old in RULE
    assert refusal(RULE.replace(old, new)).code == code


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("  group-by: [family]\n", "", "sigma-group-by"),
        ("timespan: 24h", "timespan: 1 day", "sigma-timespan"),
        ("timespan: 24h", "timespan: 2w", "sigma-timespan"),
        ("timespan: 24h", "timespan: 0h", "sigma-timespan"),
        ("  timespan: 24h\n", "", "sigma-timespan"),
        ("value_count", "value_median", "sigma-correlation-type"),
        ("value_count", "event_count", "sigma-correlation-condition"),
        ("{field: user.id, gte: 50}", "{gte: 50}", "sigma-correlation-condition"),
        ("{field: user.id, gte: 50}", "{field: user.id, gte: 5, lte: 9}", "sigma-correlation-condition"),
        ("{field: user.id, gte: 50}", "{field: user.id, gte: 0.5}", "sigma-correlation-condition"),
        ("{field: user.id, gte: 50}", "{field: [a, b], gte: 5}", "sigma-correlation-condition"),
        ("{field: user.id, gte: 50}", "a and b", "sigma-correlation-condition"),
        ("rules: [reasoning_request]", "rules: [nobody]", "sigma-unknown-rule"),
        ("rules: [reasoning_request]", "rules: []", "sigma-rules"),
        ("{reasoning_request: llmx", "{nobody: llmx", "sigma-unknown-rule"),
        ("  timespan: 24h", "  surprise: 1\n  timespan: 24h", "sigma-correlation"),
        ("8e1a02", "8e1a01", "sigma-duplicate-id"),
    ],
)
def test_what_pysigma_would_let_pass_in_a_correlation_is_refused(old: str, new: str, code: str) -> None:
    assert old in CORRELATION
    assert refusal(RULE + CORRELATION.replace(old, new)).code == code


def test_a_long_list_that_a_condition_repeats_is_refused() -> None:
    values = "".join(f"      - v{number}\n" for number in range(5_000))
    text = rule_with(" or ".join(["asked"] * 100)).replace("llmx.prompt.reasoning_request: true", f"a:\n{values}")
    assert refusal(text).code == "sigma-condition-too-complex"


def test_a_name_used_twice_is_refused() -> None:
    second = RULE.replace("8e1a01", "8e1a09")
    assert refusal(f"{RULE}---\n{second}").code == "sigma-duplicate-name"


def test_correlations_in_a_circle_are_refused() -> None:
    text = CORRELATION.replace("correlation:\n", "name: circle\ncorrelation:\n")
    assert refusal(RULE + text.replace("[reasoning_request]", "[circle]")).code == "sigma-circular"


def test_a_filter_without_a_rule_is_no_signature() -> None:
    assert refusal(FILTER.replace("[reasoning_request]", "any")).code == "sigma-no-rule"


def test_a_filter_whose_condition_is_wrong_is_refused() -> None:
    assert refusal(RULE + FILTER.replace("not own", "not theirs")).code == "sigma-invalid"


def test_the_message_names_document_line_and_column() -> None:
    error = refusal(RULE + CORRELATION.replace("timespan: 24h", "timespan: 1 day"))
    assert error.message.startswith("Document 2, line 26, column 13:")


@given(st.text(max_size=200))
def test_no_text_makes_anything_but_our_own_error(text: str) -> None:
    with contextlib.suppress(ObjectInvalidError):
        inspect_rule(text)


@given(st.integers(0, len(RULE + CORRELATION) - 1), st.sampled_from("[]{}:,'\"&*!|>-% \n\t0x"))
def test_no_changed_character_makes_anything_but_our_own_error(place: int, character: str) -> None:
    text = RULE + CORRELATION
    with contextlib.suppress(ObjectInvalidError):
        inspect_rule(text[:place] + character + text[place + 1 :])
