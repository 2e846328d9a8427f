"""The fourteen points of the validation list, each refused with its place in the playbook."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from exchange.stix.errors import StixError
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from signatures.cacao import inspect_playbook, sign_playbook
from signatures.samples.playbooks import playbook_bytes
from tests.support.playbooks import Playbook, manual, raw, request, workflow

UUID = "0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a"


def sample(name: str = "rate_limits") -> Playbook:
    book: Playbook = json.loads(playbook_bytes(name))
    return book


def refusal(book: Playbook) -> tuple[str, str]:
    with pytest.raises(StixError) as caught:
        inspect_playbook(raw(book))
    return caught.value.code, caught.value.pointer


def first(book: Playbook, kind: str) -> str:
    return next(str(identifier) for identifier in book["workflow"] if identifier.startswith(kind + "--"))


def renamed(book: Playbook, old: str, new: str) -> Playbook:
    changed: Playbook = json.loads(json.dumps(book).replace(old, new))
    return changed


@pytest.mark.parametrize(
    "name", ["type", "spec_version", "id", "name", "created_by", "created", "modified", "workflow_start", "workflow"]
)
def test_point_1_what_is_required_is_there_and_the_version_is_right(name: str) -> None:
    book = sample()
    del book[name]
    assert refusal(book) == ("cacao-required", "")
    assert refusal({**sample(), "spec_version": "cacao-1.1"}) == ("cacao-type", "/spec_version")
    assert refusal({**sample(), "type": "playbook-template"}) == ("cacao-type", "/type")


def test_point_2_ids_keys_and_types_agree_and_no_uuid_has_two_types() -> None:
    book = sample()
    action = first(book, "action")
    book["workflow"][action]["type"] = "start"
    assert refusal(book)[1].startswith(f"/workflow/{action}")
    book = sample()
    agent = next(iter(book["agent_definitions"]))
    book["agent_definitions"][agent]["type"] = "sector"
    assert refusal(book)[1].startswith(f"/agent_definitions/{agent}")
    book = sample()
    other = "end--" + first(book, "start").partition("--")[2]
    assert refusal(renamed(book, first(book, "end"), other)) == ("cacao-identifier", f"/workflow/{other}")
    start = first(book, "start")
    assert refusal(renamed(book, start, "start--" + UUID.replace("-4e7f-", "-1e7f-") + "01"))[0] == "cacao-identifier"


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        (lambda b: b["workflow"][first(b, "start")].update(on_completion=f"end--{UUID}99"), "cacao-unknown-step", None),
        (lambda b: b.update(agent_definitions={}), "cacao-unknown-party", None),
        (lambda b: b.update(target_definitions={}), "cacao-unknown-party", None),
        (lambda b: b.update(authentication_info_definitions={}), "cacao-unknown-login", None),
        (lambda b: b.update(data_marking_definitions={}), "cacao-unknown-marking", "/markings/0"),
        (
            lambda b: b["workflow"][first(b, "action")].update(step_extensions={f"extension-definition--{UUID}99": {}}),
            "cacao-unknown-extension",
            None,
        ),
        (
            lambda b: next(iter(b["authentication_info_definitions"].values())).update(
                authentication_info_extensions={f"extension-definition--{UUID}99": {}}
            ),
            "cacao-unknown-extension",
            None,
        ),
        (lambda b: b.update(workflow_exception=f"end--{UUID}99"), "cacao-unknown-step", "/workflow_exception"),
    ],
)
def test_point_3_whatever_is_named_is_defined(
    change: Callable[[Playbook], Any], code: str, pointer: str | None
) -> None:
    book = sample()
    change(book)
    found = refusal(book)
    assert found[0] == code
    assert found[1].startswith(pointer or "/")


def test_point_4_one_start_an_end_no_orphans_and_loops_by_while_alone() -> None:
    book = sample()
    book["workflow_start"] = first(book, "action")
    assert refusal(book) == ("cacao-start", "/workflow_start")
    book = sample()
    book["workflow"][f"start--{UUID}50"] = {"type": "start", "on_completion": first(book, "action")}
    assert refusal(book) == ("cacao-start", "/workflow_start")
    orphaned = sample()
    orphaned["workflow"][f"end--{UUID}51"] = {"type": "end"}
    assert refusal(orphaned) == ("cacao-orphan-step", f"/workflow/end--{UUID}51")
    circle = workflow(
        one=manual("scan-system", on_completion="two"), two=manual("scan-system", on_success="end", on_failure="one")
    )
    assert refusal(circle)[0] == "cacao-circle"
    itself = workflow(one=manual("scan-system", on_success="end", on_failure="one"))
    assert refusal(itself)[0] == "cacao-circle"
    loop = {"type": "while-condition", "condition": "__score__:value > 1", "on_true": "two", "on_completion": "end"}
    inspect_playbook(raw(workflow(one=loop, two=manual("scan-system", on_completion="end_body"))))
    back = workflow(one=loop, two=manual("scan-system", on_completion="one"))
    assert refusal(back)[0] == "cacao-circle"


def test_point_5_every_branch_has_an_end_of_its_own() -> None:
    shared = workflow(
        one={"type": "parallel", "next_steps": ["two", "three"], "on_completion": "end"},
        two=manual("scan-system", on_completion="end_both"),
        three=manual("scan-system", on_completion="end_both"),
    )
    code, pointer = refusal(shared)
    assert code == "cacao-shared-end"
    assert pointer.endswith("/next_steps/1")
    into_the_main_way = workflow(
        one={"type": "if-condition", "condition": "__score__:value > 1", "on_true": "two", "on_completion": "two"},
        two=manual("scan-system", on_completion="end"),
    )
    assert refusal(into_the_main_way)[0] == "cacao-shared-end"


@pytest.mark.parametrize(
    "flow",
    [
        {},
        {"on_failure": "end"},
        {"on_completion": "end", "on_success": "end"},
        {"on_completion": "end", "on_failure": "end"},
    ],
)
def test_point_6_a_step_goes_on_by_completion_or_by_success(flow: dict[str, str]) -> None:
    book = workflow(one=manual("scan-system", on_completion="two"), two=manual("scan-system", on_completion="end"))
    step = next(each for each in book["workflow"] if each.startswith("action"))
    end = next(each for each in book["workflow"] if each.startswith("end"))
    del book["workflow"][step]["on_completion"]
    book["workflow"][step] |= dict.fromkeys(flow, end)
    assert refusal(book) == ("cacao-flow", f"/workflow/{step}")


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"created": "2026-11-09T09:00:00Z"}, "cacao-type", "/created"),
        ({"created": "2026-11-09T09:00:00.0000Z"}, "cacao-type", "/created"),
        ({"modified": "2026-11-09T09:00:00.00Z"}, "cacao-type", "/modified"),
        ({"modified": "2026-11-09T08:59:59.999Z"}, "cacao-period", "/modified"),
        ({"valid_until": "2026-11-09T09:00:00.000Z"}, "cacao-period", "/valid_until"),
    ],
)
def test_point_7_times_have_three_digits_and_their_order(changes: dict[str, str], code: str, pointer: str) -> None:
    assert refusal({**sample(), **changes}) == (code, pointer)


def test_point_8_conditions_follow_the_grammar_of_stix_patterns() -> None:
    book = sample()
    step = first(book, "while-condition")
    book["workflow"][step]["condition"] = "__score__:value >"
    assert refusal(book) == ("cacao-condition", f"/workflow/{step}/condition")


@pytest.mark.parametrize(
    ("section", "kind", "change", "where"),
    [
        ("workflow", "while-condition", {"condition": "__other__:value > 1"}, "/condition"),
        ("workflow", "action", {"in_args": ["__other__"]}, "/in_args/0"),
        ("workflow", "action", {"description": "of __other__:value"}, "/description"),
        ("workflow", "switch-condition", {"switch": "__other__:value"}, "/switch"),
        ("workflow", "switch-condition", {"switch": "anything"}, "/switch"),
        ("target_definitions", "http-api", {"address": {"dname": ["__other__:value"]}}, "/address/dname/0"),
        ("authentication_info_definitions", "oauth2", {"token": "__other__:value"}, "/token"),
    ],
)
def test_point_9_variables_that_are_referred_to_exist(
    section: str, kind: str, change: dict[str, Any], where: str
) -> None:
    book = sample("rate_limits" if kind == "while-condition" else "query_monitoring")
    identifier = next(each for each in book[section] if each.startswith(kind + "--"))
    book[section][identifier] |= change
    assert refusal(book) == ("cacao-unknown-variable", f"/{section}/{identifier}{where}")


def test_point_10_base64_is_decoded_and_sigma_rules_are_parsed() -> None:
    book = sample()
    step = next(each for each, members in book["workflow"].items() if "command_b64" in str(members))
    place = f"/workflow/{step}/commands/0/command_b64"
    for text, code in (
        ("%%%", "cacao-base64"),
        (base64.b64encode(b"\xff\xfe").decode(), "cacao-base64"),
        (base64.b64encode(b"title: nothing").decode(), "sigma-kind"),
        (base64.b64encode(b"a: &a [*a, *a]").decode(), None),
    ):
        book["workflow"][step]["commands"][0]["command_b64"] = text
        found = refusal(book)
        assert found[1].startswith(place)
        assert code in (None, found[0])


def test_point_11_the_stricter_of_the_markings_is_the_playbooks_label() -> None:
    """That the carrying object counts as at least that strict is tested where objects are published."""
    assert inspect_playbook(raw(sample())).label is Tlp.GREEN
    red = renamed(sample(), "bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "e828b379-4e03-4974-9ac4-e53a884c97c1")
    assert refusal(red)[0] == "cacao-tlp"
    assert inspect_playbook(raw(renamed(red, "TLP:GREEN", "TLP:RED"))).label is Tlp.RED


def test_point_12_signatures_are_recomputed() -> None:
    book = sign_playbook(sample(), SigningKey.generate("sig"), signee="Lab A", at="2026-11-10T00:00:00.000Z")
    assert len(inspect_playbook(raw(book)).signatures) == 1
    assert refusal({**book, "name": "Another"}) == ("jss-invalid", "/signatures/0/value")
    book["signatures"][0]["modified"] = "2026-11-09T00:00:00.000Z"
    assert refusal(book) == ("cacao-period", "/signatures/0/modified")
    book = sign_playbook(sample(), SigningKey.generate("sig"), signee="Lab A", at="2026-11-10T00:00:00.000Z")
    book["signatures"][0]["signature"] = {"type": "jss"}
    assert refusal(book) == ("cacao-required", "/signatures/0/signature")


def test_point_12_a_signature_that_cannot_be_recomputed_is_a_warning() -> None:
    book = sign_playbook(sample(), SigningKey.generate("sig"), signee="Lab A", at="2026-11-10T00:00:00.000Z")
    book["signatures"][0]["algorithm"] = "LMS_SHA256_M32_H5"
    assert [warning[:2] for warning in inspect_playbook(raw(book)).warnings] == [
        ("cacao-signature-unchecked", "/signatures/0")
    ]


def test_point_13_size_depth_and_numbers_are_bounded() -> None:
    for body, code in (
        (b" " * (1024 * 1024 + 1), "cacao-too-large"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "too-deep"),
        (b"[" * 100_000, "too-deep"),
    ):
        with pytest.raises(StixError) as caught:
            inspect_playbook(body)
        assert caught.value.code == code
    many = workflow(**{f"s{n}": manual("scan-system", on_completion=f"s{n + 1}") for n in range(500)},
                    s500=manual("scan-system", on_completion="end"))  # fmt: skip
    assert refusal(many) == ("cacao-workflow", "/workflow")
    commands = workflow(one=manual("scan-system", on_completion="end"))
    step = next(each for each in commands["workflow"] if each.startswith("action"))
    commands["workflow"][step]["commands"] *= 51
    assert refusal(commands) == ("cacao-too-many", f"/workflow/{step}/commands")


@pytest.mark.parametrize(
    ("header", "content"),
    [
        ({"Authorization": ["Bearer abcdefgh"]}, ""),
        ({"X-Api-Key": ["abcdefgh"]}, ""),
        ({}, "-----BEGIN PRIVATE KEY-----"),
        ({}, "https://name:password@gateway.example/"),
        ({}, "AKIA0123456789ABCDEF"),
    ],
)
def test_point_14_no_secret_stands_in_clear(header: dict[str, list[str]], content: str) -> None:
    step = request("POST /v1/x", "scan-system", on_completion="end")
    step["commands"][0] |= {"headers": header} if header else {"content": content}
    code, pointer = refusal(workflow(one=step))
    assert code == "cacao-literal-secret"
    assert "/commands/0/" in pointer


def test_a_summary_and_activities_that_the_workflow_does_not_bear_out_are_warnings() -> None:
    book = workflow(one=manual("scan-system", on_completion="end"))
    book["playbook_processing_summary"] = {"manual_playbook": True, "if_logic": True, "digital_signatures": True}
    book["playbook_activities"] = ["scan-system", "restrict-access"]
    assert [warning[:2] for warning in inspect_playbook(raw(book)).warnings] == [
        ("cacao-summary", "/playbook_processing_summary/if_logic"),
        ("cacao-activity", "/playbook_activities/1"),
    ]
    book["playbook_processing_summary"] = {"is_nice": True}
    assert refusal(book) == ("cacao-summary", "/playbook_processing_summary/is_nice")
