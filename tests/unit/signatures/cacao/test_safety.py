"""The safety check: each rule broken and kept, on every kind of way through a workflow."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.stix.errors import ObjectInvalidError
from signatures.cacao import Severity, check_safety, inspect_playbook, refuse_unsafe
from signatures.cacao.safety import MAX_FINDINGS, RULES
from signatures.samples.playbooks import NAMES, playbook_bytes
from tests.support.playbooks import NOTICE, Playbook, manual, raw, request, workflow

ALLOWED = "__allow_listed__:value = false"
UNDISPUTED = "__disputed__:value = false"


def findings(book: Playbook, severity: Severity = Severity.REFUSE) -> list[tuple[str, str]]:
    """(code, kind of step at fault) of the rules that a valid playbook breaks."""
    members = inspect_playbook(raw(book)).members
    return [
        (each.code, [*each.pointer.split("/"), "", ""][2].partition("--")[0])
        for each in check_safety(members)
        if each.severity is severity
    ]


def codes(book: Playbook, severity: Severity = Severity.REFUSE) -> set[str]:
    return {code for code, _step in findings(book, severity)}


def when(condition: str, then: str, go_on: str, **more: Any) -> Playbook:
    return {"type": "if-condition", "condition": condition, "on_true": then, "on_completion": go_on, **more}


def tell(go_on: str) -> Playbook:
    return manual(**NOTICE, on_completion=go_on)


def undo(go_on: str) -> Playbook:
    return request("DELETE /v1/suspension", "restore-capabilities", on_completion=go_on)


def command(kind: str, text: str, activity: str = "", **more: Any) -> Playbook:
    declared = {"playbook_activity": activity} if activity else {}
    return {"type": "action", "agent": "people", "commands": [{"type": kind, "command": text, **declared}], **more}


def watch(go_on: str) -> Playbook:
    return manual("match-indicator", on_completion=go_on)


def suspend(go_on: str) -> Playbook:
    return request("PUT /v1/suspension", "restrict-access", on_completion=go_on)


def revoke(go_on: str) -> Playbook:
    return request("POST /v1/keys/revoke", "eliminate-risk", on_completion=go_on)


def ask(go_on: str, **more: Any) -> Playbook:
    return manual("analyze-collected-data", "Decide", out_args=["__approved__"], on_completion=go_on, **more)


def guarded(**steps: Playbook) -> Playbook:
    """These steps, beginning with `act` and ending in `end_act`, where everything else that is asked for is given."""
    return workflow(
        "error",
        watch=watch("check"),
        check=when(f"{ALLOWED} AND {UNDISPUTED}", "warn", "end"),
        warn=tell("act"),
        error=undo("end_error"),
        **steps,
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_samples_break_no_rule(name: str) -> None:
    assert check_safety(inspect_playbook(playbook_bytes(name)).members) == ()


def test_a_playbook_that_only_looks_is_safe() -> None:
    assert check_safety(inspect_playbook(raw(workflow(watch=watch("end")))).members) == ()


def test_a_block_with_nothing_around_it_breaks_every_rule_about_blocks() -> None:
    book = workflow(act=revoke("end"))
    assert findings(book) == [
        ("irreversible-without-approval", "action"),
        ("blocking-without-allow-list-check", "action"),
        ("blocking-on-disputed-alone", "action"),
        ("no-roll-back", "action"),
        ("no-notice", "action"),
    ]
    assert codes(book, Severity.WARN) == {"not-staged"}
    with pytest.raises(ObjectInvalidError) as caught:
        refuse_unsafe(check_safety(inspect_playbook(raw(book)).members))
    assert caught.value.code == "unsafe-irreversible-without-approval"
    assert caught.value.pointer.startswith("/workflow/action--")


def test_a_guarded_block_breaks_none() -> None:
    assert codes(guarded(act=suspend("end_act"))) == set()


# --- approval, on all ways

APPROVED = "__approved__:value = true"


def test_approval_asked_and_given_lets_an_irreversible_step_follow() -> None:
    book = guarded(act=ask("gate"), gate=when(APPROVED, "revoke", "end_act"), revoke=revoke("end_revoke"))
    assert codes(book) == set()


@pytest.mark.parametrize(
    "condition",
    [
        "__approved__:value = false",
        "__approved__:value != true",
        f"{APPROVED} OR __score__:value > 90",
        "NOT " + APPROVED,
    ],
)
def test_a_branch_that_is_taken_without_a_yes_is_no_approval(condition: str) -> None:
    book = guarded(act=ask("gate"), gate=when(condition, "revoke", "end_act"), revoke=revoke("end_revoke"))
    assert codes(book) == {"irreversible-without-approval"}


def test_the_branch_for_no_can_be_the_guarded_one() -> None:
    gate = when("__approved__:value = false", "end_no", "end_act", on_false="revoke")
    assert codes(guarded(act=ask("gate"), gate=gate, revoke=revoke("end_revoke"))) == set()


def test_a_variable_that_nobody_was_asked_for_is_no_approval() -> None:
    book = guarded(act=when(APPROVED, "revoke", "end_act"), revoke=revoke("end_revoke"))
    assert codes(book) == {"irreversible-without-approval"}


def test_a_decision_that_a_machine_may_write_is_no_approval() -> None:
    machine = request("GET /v1/decision", "scan-system", out_args=["__approved__"], on_completion="gate")
    book = guarded(
        act=ask("machine"), machine=machine, gate=when(APPROVED, "revoke", "end_act"), revoke=revoke("end_revoke")
    )
    assert codes(book) == {"irreversible-without-approval"}


def test_a_step_that_succeeds_when_a_person_approves_is_an_approval_on_success_alone() -> None:
    asked = manual("analyze-collected-data", "Approve the revocation, or fail this step")
    on_success = guarded(act={**asked, "on_success": "revoke"}, revoke=revoke("end_act"))
    assert codes(on_success) == set()
    whatever = guarded(act={**asked, "on_completion": "revoke"}, revoke=revoke("end_act"))
    assert codes(whatever) == {"irreversible-without-approval"}
    refused = guarded(act={**asked, "on_success": "end_act", "on_failure": "revoke"}, revoke=revoke("end_revoke"))
    assert codes(refused) == {"irreversible-without-approval"}


def test_a_machine_approves_nothing() -> None:
    asked = request("POST /v1/approve", "analyze-collected-data", on_success="revoke")
    assert codes(guarded(act=asked, revoke=revoke("end_act"))) == {"irreversible-without-approval"}


def test_approval_in_one_branch_does_not_count_after_the_branches() -> None:
    book = guarded(act=when("__score__:value > 90", "ask", "revoke"), ask=ask("end_ask"), revoke=revoke("end_act"))
    assert codes(book) == {"irreversible-without-approval"}


def test_approval_in_both_branches_counts_after_them() -> None:
    yes = {"activity": "analyze-collected-data", "text": "Approve, or fail this step"}
    book = guarded(
        act=when("__score__:value > 90", "one", "revoke", on_false="two"),
        one=manual(**yes, on_success="end_one"),
        two=manual(**yes, on_success="end_two"),
        revoke=revoke("end_act"),
    )
    assert codes(book) == set()


def test_approval_in_one_parallel_branch_counts_after_all_have_run_and_not_in_the_other() -> None:
    approve = manual("analyze-collected-data", "Approve, or fail this step", on_success="end_one")
    after_all = guarded(
        act={"type": "parallel", "next_steps": ["one", "two"], "on_completion": "revoke"},
        one=approve,
        two=watch("end_two"),
        revoke=revoke("end_act"),
    )
    assert codes(after_all) == set()
    beside = guarded(
        act={"type": "parallel", "next_steps": ["one", "two"], "on_completion": "end_act"},
        one=approve,
        two=revoke("end_two"),
    )
    assert codes(beside) == {"irreversible-without-approval"}


def test_approval_in_a_loop_that_may_never_run_does_not_count_after_it() -> None:
    approve = manual("analyze-collected-data", "Approve, or fail this step", on_success="end_body")
    loop = {"type": "while-condition", "condition": "__score__:value > 1", "on_true": "ask", "on_completion": "revoke"}
    assert codes(guarded(act=loop, ask=approve, revoke=revoke("end_act"))) == {"irreversible-without-approval"}
    inside = manual("analyze-collected-data", "Approve, or fail this step", on_success="revoke")
    assert codes(guarded(act={**loop, "on_completion": "end_act"}, ask=inside, revoke=revoke("end_body"))) == set()


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ({"true": "revoke", "default": "end_no"}, set()),
        ({"true": "end_no", "default": "revoke"}, {"irreversible-without-approval"}),
        ({"false": "end_no", "default": "revoke"}, set()),
        ({"false": "end_no", "true": "revoke"}, set()),
    ],
)
def test_cases_of_a_switch_are_read_as_conditions(cases: dict[str, str], expected: set[str]) -> None:
    switch = {"type": "switch-condition", "switch": "__approved__:value", "cases": cases, "on_completion": "end_act"}
    assert codes(guarded(act=ask("gate"), gate=switch, revoke=revoke("end_revoke"))) == expected


def test_an_error_leads_to_the_exception_step_before_anything_was_approved() -> None:
    book = workflow("error", act=ask("end"), error=revoke("end_error"))
    assert "irreversible-without-approval" in codes(book)


# --- allow-list, disputes, notice, undoing


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (UNDISPUTED, {"blocking-without-allow-list-check"}),
        (ALLOWED, {"blocking-on-disputed-alone"}),
        (f"{ALLOWED} AND __evidence_families__:value >= 2", set()),
        (f"{ALLOWED} AND __evidence_families__:value > 1", set()),
        (f"{ALLOWED} AND __evidence_families__:value >= 1", {"blocking-on-disputed-alone"}),
        (f"{ALLOWED} AND ({UNDISPUTED} OR __evidence_families__:value >= 2)", set()),
        (f"{ALLOWED} AND ({UNDISPUTED} OR __score__:value > 99)", {"blocking-on-disputed-alone"}),
        (f"{ALLOWED} OR {UNDISPUTED}", {"blocking-on-disputed-alone", "blocking-without-allow-list-check"}),
        ("NOT __allow_listed__:value = true AND __disputed__:value != true", set()),
    ],
)
def test_conditions_are_read_for_what_they_make_certain(condition: str, expected: set[str]) -> None:
    book = workflow("error", watch=watch("check"), check=when(condition, "warn", "end"), warn=tell("act"),
                    act=suspend("end_act"), error=undo("end_error"))  # fmt: skip
    assert codes(book) == expected


def test_the_customer_is_told_before_or_after_on_every_way() -> None:
    def book(act: Playbook, **steps: Playbook) -> Playbook:
        check = when(f"{ALLOWED} AND {UNDISPUTED}", "act", "end")
        return workflow("error", watch=watch("check"), check=check, act=act, error=undo("end_error"), **steps)

    assert codes(book(suspend("after"), after=tell("end_act"))) == set()
    assert codes(book(suspend("end_act"))) == {"no-notice"}
    one_way = when("__score__:value > 5", "after", "end_act")
    assert codes(book(suspend("choice"), choice=one_way, after=tell("end_after"))) == {"no-notice"}
    both = when("__score__:value > 5", "after", "end_act", on_false="other")
    told = book(suspend("choice"), choice=both, after=tell("end_after"), other=tell("end_other"))
    assert codes(told) == set()
    beside = {"type": "parallel", "next_steps": ["after", "look"], "on_completion": "end_act"}
    assert codes(book(suspend("all"), all=beside, after=tell("end_after"), look=watch("end_look"))) == set()
    without_address = book(suspend("after"), after=manual("deliver-content", "Tell them", on_completion="end_act"))
    assert codes(without_address) == {"no-appeal-route"}


def test_an_appeal_route_is_an_address_a_variable_or_the_contact_of_who_writes() -> None:
    def book(text: str) -> Playbook:
        act = manual("deliver-content", text, on_completion="suspend")
        check = when(f"{ALLOWED} AND {UNDISPUTED}", "act", "end")
        return workflow("error", watch=watch("check"), check=check, act=act, suspend=suspend("end_act"),
                        error=undo("end_error"))  # fmt: skip

    assert codes(book("Appeals: __appeal_address__:value")) == set()
    assert codes(book("You can appeal at https://lab.example/appeals")) == set()
    assert codes(book("You can appeal")) == {"no-appeal-route"}
    by_contact = book("You can appeal")
    for agent in by_contact["agent_definitions"].values():
        if agent["type"] == "group":
            agent["contact"] = {"email": {"appeal": "appeals@lab.example"}}
    assert codes(by_contact) == set()


def test_what_takes_access_away_can_be_followed_by_what_gives_it_back() -> None:
    check = when(f"{ALLOWED} AND {UNDISPUTED}", "warn", "end")
    around = {"watch": watch("check"), "check": check, "warn": tell("act")}
    assert codes(workflow(**around, act=suspend("undo"), undo=undo("end_act"))) == set()
    assert codes(workflow(**around, act=undo("suspend"), suspend=suspend("end_act"))) == {"no-roll-back"}
    loop = {
        "type": "while-condition",
        "condition": "__score__:value > 1",
        "on_true": "undo",
        "on_completion": "end_act",
    }
    round_a_loop = workflow(**around, act=loop, undo=undo("suspend"), suspend=suspend("end_body"))
    assert codes(round_a_loop) == set()


@pytest.mark.parametrize(
    "given",
    [
        "curl -u admin:hunter22 https://gateway.example",
        "deploy --password=hunter22",
        '{"api_key": "a1b2c3d4e5"}',
        "login --token a1b2c3d4e5",
    ],
)
def test_a_secret_in_clear_is_refused_and_not_repeated(given: str) -> None:
    book = workflow(act={**request("GET /v1/x", "scan-system"), "on_completion": "end"})
    book["workflow"][next(each for each in book["workflow"] if each.startswith("action"))]["commands"] = [
        {"type": "bash", "command": given, "playbook_activity": "scan-system"}
    ]
    (finding, *_) = check_safety(inspect_playbook(raw(book)).members)
    assert finding.code == "secret-in-clear"
    assert finding.pointer.endswith("/commands/0/command")
    assert "hunter22" not in finding.message


def test_a_variable_for_a_secret_has_no_value_and_a_reference_is_none() -> None:
    book = workflow(act=watch("end"))
    book["playbook_variables"]["__gateway_token__"] = {"type": "string", "value": "a1b2c3d4"}
    assert codes(book) == {"secret-in-clear"}
    del book["playbook_variables"]["__gateway_token__"]["value"]
    (step,) = (each for each in book["workflow"].values() if each["type"] == "action")
    step["commands"] = [{"type": "bash", "command": "login --token __gateway_token__:value"}]
    assert codes(book) == set()


# --- what a step does, warnings


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (request("DELETE /v1/accounts/7"), "irreversible-without-approval"),
        (request("POST /v1/accounts/7/terminate", "scan-system"), "irreversible-without-approval"),
        (request("POST /v1/accounts/7/suspend", "deliver-content"), "no-roll-back"),
        (manual("restrict-access", "Close the account for good"), "irreversible-without-approval"),
        (command("manual", "Ban them"), "no-roll-back"),
        (command("bash", "rm -rf /srv/accounts", "restore-data"), "irreversible-without-approval"),
    ],
)
def test_words_make_a_declared_activity_stronger_and_never_weaker(step: Playbook, code: str) -> None:
    assert code in codes(workflow(act={**step, "on_completion": "end"}))


@pytest.mark.parametrize(
    "step",
    [
        manual("deliver-content", "Write that the keys were revoked. Appeals: __appeal_address__:value"),
        manual("analyze-collected-data", "Look at who was blocked"),
        request("DELETE /v1/clusters/7/rate-limit"),
        request("POST /v1/clusters/7/unblock"),
        manual("compose-content", "Write a letter about the suspension"),
    ],
)
def test_what_speaks_of_a_block_or_takes_one_back_is_none(step: Playbook) -> None:
    assert codes(workflow(act={**step, "on_completion": "end"})) == set()


@pytest.mark.parametrize(
    ("book", "code"),
    [
        (workflow(act=request("PUT /v1/rate-limit", "restrict-access", on_completion="end")), "limit-never-lifted"),
        (
            workflow(act=request("PUT /v1/rate-limit", "restrict-access", on_completion="end")),
            "limiting-without-allow-list-check",
        ),
        (workflow(act=request("POST /v1/x", on_completion="end")), "effect-not-declared"),
        (workflow(act=command("bash", "uptime", "scan-system", on_completion="end")), "runs-code"),
        (
            workflow(act={"type": "playbook-action", "playbook_id": "playbook--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a01",
                          "on_completion": "end"}),
            "other-playbook",
        ),
    ],
)  # fmt: skip
def test_what_a_person_should_look_at_is_a_warning_and_no_refusal(book: Playbook, code: str) -> None:
    assert codes(book) == set()
    assert code in codes(book, Severity.WARN)


def test_a_playbook_that_restricts_and_never_ends_is_a_warning() -> None:
    book = workflow(act=request("PUT /v1/rate-limit", "restrict-access", on_completion="end"))
    del book["valid_until"]
    assert "no-end-date" in codes(book, Severity.WARN)


def test_every_rule_has_a_code_of_its_own_and_findings_are_bounded() -> None:
    listed = [rule.code for rule in RULES]
    assert len(set(listed)) == len(listed)
    steps = {f"s{number}": revoke(f"s{number + 1}") for number in range(30)}
    found = check_safety(inspect_playbook(raw(workflow(**steps, s30=revoke("end")))).members)
    assert len(found) == MAX_FINDINGS
