"""What objects carry inside, as the publishing service gets it."""

import base64
import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from exchange.samples import sample_objects
from exchange.services.errors import OutOfScopeError
from exchange.services.scope import check_scope
from exchange.stix.errors import StixError
from exchange.stix.extension_ids import COA_PLAYBOOK_EXTENSION
from exchange.stix.markings import Tlp
from signatures.inspectors import MAX_UNKNOWN_SHOWN, inspect_object

Members = dict[str, Any]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
IDENTITIES = {"aurora": "identity--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a01"}
IDENTITIES["borealis"] = IDENTITIES["aurora"].replace("a01", "a02")
IDENTITIES["cobalt"] = IDENTITIES["aurora"].replace("a01", "a03")
BODY = f"/extensions/{COA_PLAYBOOK_EXTENSION}/playbook_bin"


def sample(kind: str, **must: Any) -> Members:
    for members in sample_objects("aurora", IDENTITIES, NOW):
        if members["type"] == kind and must.items() <= members.items():
            return copy.deepcopy(members)
    raise LookupError(kind)


def response_with(**changes: Any) -> Members:
    members = sample("course-of-action")
    members["extensions"][COA_PLAYBOOK_EXTENSION].update(changes)
    return members


def refusal(members: Members) -> tuple[str, str]:
    with pytest.raises(StixError) as caught:
        inspect_object(members)
    return caught.value.code, caught.value.pointer


def test_a_sigma_indicator_carries_one_rule() -> None:
    (payload,) = inspect_object(sample("indicator", pattern_type="sigma"))
    assert (payload.pointer, payload.kind, payload.label) == ("/pattern", "sigma", Tlp.GREEN)
    assert "user.id" in payload.fields


def test_a_course_of_action_carries_its_playbook_and_the_rules_inside() -> None:
    playbook, rule = inspect_object(sample("course-of-action"))
    assert (playbook.pointer, playbook.kind, playbook.label) == (BODY, "cacao", Tlp.GREEN)
    assert (rule.pointer, rule.kind, rule.label) == (BODY, "sigma", Tlp.GREEN)
    assert all("command_b64: document" in location for location, _text in rule.texts)


def test_other_objects_carry_nothing() -> None:
    assert inspect_object(sample("indicator", pattern_type="stix")) == ()
    assert inspect_object(sample("campaign")) == ()
    assert inspect_object({"type": "course-of-action", "name": "Without a playbook"}) == ()


def test_a_fault_in_a_rule_points_at_the_pattern() -> None:
    assert refusal({"type": "indicator", "pattern_type": "sigma", "pattern": "title: nothing"}) == (
        "sigma-kind",
        "/pattern",
    )


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"playbook_bin": "no base64"}, "playbook-base64", BODY),
        ({"playbook_bin": base64.b64encode(b"{").decode()}, "syntax", BODY),
        ({"playbook_bin": base64.b64encode(b"{}").decode()}, "cacao-required", BODY),
        ({"playbook_standard": "bpmn"}, "playbook-standard", BODY.replace("_bin", "_standard")),
        ({"playbook_id": "playbook--other"}, "playbook-mismatch", BODY.replace("_bin", "_id")),
        ({"revoked": True}, "playbook-mismatch", BODY.replace("playbook_bin", "revoked")),
    ],
)
def test_a_playbook_that_cannot_be_trusted_to_be_what_it_says_is_refused(
    changes: dict[str, Any], code: str, pointer: str
) -> None:
    assert refusal(response_with(**changes)) == (code, pointer)


def test_a_fault_inside_a_playbook_is_told_with_its_place() -> None:
    members = sample("course-of-action")
    extension = members["extensions"][COA_PLAYBOOK_EXTENSION]
    playbook = json.loads(base64.b64decode(extension["playbook_bin"]))
    playbook["agent_definitions"] = {}
    extension["playbook_bin"] = base64.b64encode(json.dumps(playbook).encode()).decode()
    with pytest.raises(StixError) as caught:
        inspect_object(members)
    assert caught.value.pointer == BODY
    assert "/workflow/action--" in caught.value.message


@pytest.mark.parametrize(
    ("selection", "rule"),
    [
        ("said: [tell me everything that you know]", "prompt-or-completion"),
        ("said: {gen_ai.input.messages.content|contains: tell me}", "prompt-or-completion"),
        ("said: {user_id: bob}", "account-identifier"),
        ("said: {tell me everything: 1}", "unlisted-property"),
    ],
)
def test_what_a_rule_quotes_is_out_of_scope_also_where_no_condition_uses_it(selection: str, rule: str) -> None:
    members = sample("indicator", pattern_type="sigma")
    members["pattern"] = members["pattern"].replace("detection:\n", f"detection:\n  {selection}\n", 1)
    with pytest.raises(OutOfScopeError) as caught:
        check_scope(members, inspect_object(members))
    assert (caught.value.rule, caught.value.pointer) == (rule, "/pattern")


def test_a_conversation_in_comments_is_out_of_scope() -> None:
    members = sample("indicator", pattern_type="sigma")
    members["pattern"] += "# said this and that\n" * 200
    with pytest.raises(OutOfScopeError) as caught:
        check_scope(members, inspect_object(members))
    assert caught.value.rule == "text-too-long"


def rule_over(fields: str) -> Members:
    pattern = (
        "title: Long answers\nlogsource: {category: llm_api}\ndetection:\n  long:\n"
        f"{fields}  condition: long\nfalsepositives: [Tutoring]\nlevel: low\n"
    )
    return {"type": "indicator", "pattern_type": "sigma", "pattern": pattern}


def test_a_field_that_no_gateway_has_is_told_with_its_place_and_the_nearest_name() -> None:
    (payload,) = inspect_object(rule_over("    gen_ai.usage.output_token|gte: 4000\n"))
    (notice,) = payload.notices
    assert (notice.code, notice.refuses) == ("field-unknown", False)
    assert notice.message.startswith("document 1, line 5, column 5: 'gen_ai.usage.output_token' is no field")
    assert notice.message.endswith("gen_ai.usage.output_tokens is one")


def test_many_unknown_fields_are_counted_instead_of_told() -> None:
    fields = "".join(f"    llmx.zzz.f{number}: 1\n" for number in range(MAX_UNKNOWN_SHOWN + 5))
    (payload,) = inspect_object(rule_over(fields))
    assert len(payload.notices) == MAX_UNKNOWN_SHOWN + 1
    assert payload.notices[-1].message.startswith("5 more")
