"""What `inspect_rule` says about sound Sigma texts."""

from exchange.stix.markings import Tlp
from signatures.sigma import Branch, inspect_rule

RULE = """\
title: Reasoning asked for
id: 6f1b0d5e-3c1a-4f0e-9a3b-2d7c5b8e1a01
name: reasoning_request
logsource: {category: llm_api, product: llm_gateway}
detection:
  asked:
    llmx.prompt.reasoning_request: true
  family:
    llmx.prompt.template_family|startswith: 'cot_'
  evaluation:
    llmx.account.declared_use: evaluation
  condition: (asked or family) and not evaluation
falsepositives: [Academic evaluation suites]
level: low
tags: [atlas.aml-t0024-002, tlp.green]
"""
CORRELATION = """\
---
title: Template family over many accounts
id: 6f1b0d5e-3c1a-4f0e-9a3b-2d7c5b8e1a02
tags: [tlp.amber-strict]
correlation:
  type: value_count
  rules: [reasoning_request]
  group-by: [family]
  aliases:
    family: {reasoning_request: llmx.prompt.template_family}
  timespan: 24h
  condition: {field: user.id, gte: 50}
"""
FILTER = """\
---
title: Not our own tests
logsource: {category: llm_api}
filter:
  rules: [reasoning_request]
  own: {llmx.org.id: our-own}
  condition: not own
"""


def test_a_rule_and_its_correlation_are_read_as_one() -> None:
    inspection = inspect_rule(RULE + CORRELATION)
    assert inspection.title == "Template family over many accounts"
    assert inspection.ids == (
        "6f1b0d5e-3c1a-4f0e-9a3b-2d7c5b8e1a01",
        "6f1b0d5e-3c1a-4f0e-9a3b-2d7c5b8e1a02",
    )
    assert inspection.names == ("reasoning_request",)
    assert inspection.fields == (
        "llmx.account.declared_use",
        "llmx.prompt.reasoning_request",
        "llmx.prompt.template_family",
        "user.id",
    )
    assert inspection.warnings == ()


def test_the_strictest_tlp_tag_is_the_label() -> None:
    assert inspect_rule(RULE).label is Tlp.GREEN
    assert inspect_rule(RULE + CORRELATION).label is Tlp.AMBER_STRICT
    assert inspect_rule(RULE.replace(", tlp.green", "")).label is None


def test_each_alternative_of_a_condition_is_told_apart() -> None:
    (features,) = inspect_rule(RULE).rules
    excluded = frozenset({"llmx.account.declared_use"})
    assert features.branches == {
        Branch(frozenset({"llmx.prompt.reasoning_request"}), excluded),
        Branch(frozenset({"llmx.prompt.template_family"}), excluded),
    }


def test_a_filter_becomes_part_of_the_rule_that_it_applies_to() -> None:
    (features,) = inspect_rule(RULE + FILTER).rules
    assert all("llmx.org.id" in branch.excluded for branch in features.branches)


def test_a_field_that_is_only_grouped_by_is_not_matched_with_a_value() -> None:
    matched = {match.field for match in inspect_rule(RULE + CORRELATION).matches}
    assert "user.id" not in matched
    assert "llmx.prompt.template_family" in matched


def test_presence_and_comparison_of_two_fields_are_no_values() -> None:
    text = RULE.replace("llmx.prompt.reasoning_request: true", "gen_ai.input.messages|exists: true")
    assert "gen_ai.input.messages" not in {match.field for match in inspect_rule(text).matches}


def test_every_text_comes_with_its_place() -> None:
    texts = inspect_rule(RULE).texts
    assert ("document 1, line 13, column 18 (falsepositives/0)", "Academic evaluation suites") in texts
    assert any("template_family" in text for _location, text in texts)


def test_keys_that_the_specification_does_not_know_are_named() -> None:
    inspection = inspect_rule(RULE + "customers: [one, two]\n")
    assert [key for _location, key in inspection.unlisted] == ["customers"]


def test_a_selection_that_no_condition_uses_is_a_warning() -> None:
    inspection = inspect_rule(RULE.replace("(asked or family)", "asked"))
    assert any("'family' is not used" in warning for warning in inspection.warnings)


def test_an_empty_document_at_the_end_is_no_fault() -> None:
    assert inspect_rule(RULE + "---\n").title == "Reasoning asked for"


def matched_fields(selections: str) -> set[str]:
    text = RULE.replace("  condition:", f"{selections}\n  condition:")
    return {match.field for match in inspect_rule(text).matches}


def test_a_value_without_a_field_is_a_match_in_the_whole_event() -> None:
    for selection in ("  said: ['tell me everything']", "  said: tell me", "  said: {'|all': [a, b]}"):
        assert "(keywords)" in matched_fields(selection)
    assert "(keywords)" not in {match.field for match in inspect_rule(RULE).matches}


def test_a_selection_that_no_condition_uses_counts_as_a_match() -> None:
    assert "prompt" in matched_fields("  unused: [{'prompt|contains': tell me}]")


def test_a_filter_counts_as_a_match() -> None:
    text = RULE + FILTER.replace("llmx.org.id", "user_id")
    assert "user_id" in {match.field for match in inspect_rule(text).matches}


def test_absence_is_no_value_and_neither_is_another_field() -> None:
    assert matched_fields("  there: {prompt: null, 'completion|fieldref': answer}").isdisjoint({"prompt", "completion"})


def test_a_text_in_the_place_of_a_field_name_is_a_value() -> None:
    assert "completion" in matched_fields("  there: {'completion|fieldref': tell me everything}")


def test_comments_and_names_of_anchors_are_remarks_with_their_place() -> None:
    text = "# é first\n---\n" + RULE.replace("level: low", "level: &said low  # not sure")
    text = text.replace("falsepositives:", "description: | # inside\n  no # remark\n# two\n# three\nfalsepositives:")
    remarks = inspect_rule(text + "# last").remarks
    assert [remark for _place, remark in remarks] == [
        "# é first",
        " inside",
        "# two\n# three",
        "&said",
        "# not sure",
        "# last",
    ]
    assert remarks[4][0] == "line 20 (remark)"
    assert inspect_rule(RULE).remarks == ()


def test_fields_of_a_gateway_come_with_their_places_in_the_order_of_the_text() -> None:
    named = [(each.document, each.place, each.field) for each in inspect_rule(RULE + CORRELATION).mentions]
    assert named == [
        (1, "line 7, column 5", "llmx.prompt.reasoning_request"),
        (1, "line 9, column 5", "llmx.prompt.template_family"),
        (1, "line 11, column 5", "llmx.account.declared_use"),
        (2, "line 25, column 33", "llmx.prompt.template_family"),
        (2, "line 27, column 22", "user.id"),
    ]


def test_fields_of_other_log_sources_are_not_a_gateways() -> None:
    assert inspect_rule(RULE.replace("{category: llm_api, product: llm_gateway}", "{product: aws}")).mentions == ()
