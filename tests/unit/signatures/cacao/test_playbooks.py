"""What `inspect_playbook` reads and what it refuses, by the validation list of the standard's reading."""

import base64
import contextlib
import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.stix.errors import StixError
from exchange.stix.markings import Tlp
from signatures.cacao import inspect_playbook
from signatures.cacao.commands import check_no_credentials
from signatures.cacao.definitions import variables_in

Playbook = dict[str, Any]
UUID = "0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a"
START, LOOK, CHECK, TELL, DONE, ENDED, NOTHING = (
    f"{kind}--{UUID}{number:02}"
    for number, kind in enumerate(("start", "action", "if-condition", "action", "end", "end", "end"), start=1)
)
AGENT = f"group--{UUID}10"
LOGIN = f"user-auth--{UUID}11"
HOST = f"http-api--{UUID}12"
AMBER = "marking-tlp--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
SIGMA = """\
title: Any request
tags: [tlp.green]
logsource: {category: llm_api}
detection: {any: {gen_ai.operation.name|exists: true}, condition: any}
"""


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def playbook() -> Playbook:
    return {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": f"playbook--{UUID}00",
        "name": "Look, then tell",
        "created_by": f"identity--{UUID}20",
        "created": "2026-11-02T00:00:00.000Z",
        "modified": "2026-11-03T00:00:00.000Z",
        "playbook_types": ["investigation"],
        "markings": [AMBER],
        "data_marking_definitions": {
            AMBER: {
                "type": "marking-tlp",
                "id": AMBER,
                "created_by": "identity--5abe695c-7bd5-4c31-8824-2528696cdbf1",
                "created": "2022-10-01T00:00:00.000Z",
                "tlpv2_level": "TLP:AMBER",
            }
        },
        "playbook_variables": {
            "__score__": {"type": "integer", "external": True},
            "__password__": {"type": "string", "external": True},
        },
        "agent_definitions": {AGENT: {"type": "group", "name": "Abuse desk"}},
        "target_definitions": {
            HOST: {
                "type": "http-api",
                "name": "Gateway",
                "address": {"dname": ["gateway.example"]},
                "authentication_info": LOGIN,
            }
        },
        "authentication_info_definitions": {
            LOGIN: {"type": "user-auth", "username": "reader", "password": "__password__:value"}
        },
        "workflow_start": START,
        "workflow": {
            START: {"type": "start", "on_completion": LOOK},
            LOOK: {
                "type": "action",
                "agent": AGENT,
                "commands": [{"type": "sigma", "command_b64": encoded(SIGMA)}],
                "on_completion": CHECK,
            },
            CHECK: {
                "type": "if-condition",
                "condition": "__score__:value > 80 AND NOT __score__:value IN (81, 82)",
                "on_true": TELL,
                "on_false": NOTHING,
                "on_completion": DONE,
            },
            TELL: {
                "type": "action",
                "agent": AGENT,
                "targets": [HOST],
                "commands": [
                    {
                        "type": "http-api",
                        "command": "POST /v1/limits HTTP/1.1",
                        "headers": {"Authorization": ["Bearer __password__:value"]},
                        "content_b64": encoded('{"factor": 0.5}'),
                    }
                ],
                "on_success": ENDED,
            },
            DONE: {"type": "end"},
            ENDED: {"type": "end"},
            NOTHING: {"type": "end"},
        },
    }


def changed(change: Callable[[Playbook], Any]) -> bytes:
    book = copy.deepcopy(playbook())
    change(book)
    return json.dumps(book).encode()


def at(*path: str | int, value: Any) -> Callable[[Playbook], None]:
    def change(book: Playbook) -> None:
        item: Any = book
        for step in path[:-1]:
            item = item[step]
        if value is None:
            del item[path[-1]]
        else:
            item[path[-1]] = value

    return change


def test_a_playbook_is_read() -> None:
    inspection = inspect_playbook(json.dumps(playbook()).encode())
    assert inspection.name == "Look, then tell"
    assert inspection.label is Tlp.AMBER
    assert not inspection.revoked
    ((pointer, rule),) = inspection.rules
    assert pointer == f"/workflow/{LOOK}/commands/0/command_b64"
    assert rule.label is Tlp.GREEN


def test_base64_is_decoded_before_anybody_looks_at_the_texts() -> None:
    texts = dict(inspect_playbook(json.dumps(playbook()).encode()).texts)
    assert texts[f"/workflow/{TELL}/commands/0/content_b64"] == '{"factor": 0.5}'


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        (at("spec_version", value="1.1"), "cacao-type", "/spec_version"),
        (at("name", value=None), "cacao-required", ""),
        (at("surprise", value=1), "cacao-unknown-property", "/surprise"),
        (at("id", value="playbook--1"), "cacao-identifier", "/id"),
        (at("priority", value=101), "cacao-type", "/priority"),
        (at("created", value="2026-11-02T00:00:00Z"), "cacao-type", "/created"),
        (at("created", value="2026-11-31T00:00:00.000Z"), "cacao-type", "/created"),
        (at("created", value="2026-11-04T00:00:00.000Z"), "cacao-period", "/modified"),
        (at("workflow_start", value=LOOK), "cacao-start", "/workflow_start"),
        (at("workflow", DONE, "on_completion", value=ENDED), "cacao-flow", f"/workflow/{DONE}"),
        (at("workflow", LOOK, "on_completion", value=None), "cacao-flow", f"/workflow/{LOOK}"),
        (at("workflow", LOOK, "on_success", value=DONE), "cacao-flow", f"/workflow/{LOOK}"),
        (
            at("workflow", LOOK, "on_completion", value="end--0"),
            "cacao-unknown-step",
            f"/workflow/{LOOK}/on_completion",
        ),
        (at("workflow", f"end--{UUID}99", value={"type": "end"}), "cacao-orphan-step", f"/workflow/end--{UUID}99"),
        (at("workflow", TELL, "on_success", value=LOOK), "cacao-circle", f"/workflow/{LOOK}"),
        (at("workflow", CHECK, "on_false", value=ENDED), "cacao-orphan-step", f"/workflow/{NOTHING}"),
        (at("workflow", LOOK, "agent", value=f"group--{UUID}55"), "cacao-unknown-party", f"/workflow/{LOOK}/agent"),
        (at("workflow", CHECK, "condition", value="score > 80"), "cacao-condition", f"/workflow/{CHECK}/condition"),
        (
            at("workflow", CHECK, "condition", value="__other__:value > 80"),
            "cacao-unknown-variable",
            f"/workflow/{CHECK}/condition",
        ),
        (
            at("workflow", TELL, "in_args", value=["__other__"]),
            "cacao-unknown-variable",
            f"/workflow/{TELL}/in_args/0",
        ),
        (
            at("workflow", LOOK, "commands", 0, "command_b64", value="not base64!"),
            "cacao-base64",
            f"/workflow/{LOOK}/commands/0/command_b64",
        ),
        (
            at("workflow", LOOK, "commands", 0, "command_b64", value=encoded("title: nothing")),
            "sigma-kind",
            f"/workflow/{LOOK}/commands/0/command_b64",
        ),
        (
            at("workflow", LOOK, "commands", 0, "type", value="perl"),
            "cacao-command-type",
            f"/workflow/{LOOK}/commands/0",
        ),
        (
            at("workflow", TELL, "commands", 0, "command", value="shut it down"),
            "cacao-http",
            f"/workflow/{TELL}/commands/0/command",
        ),
        (
            at("workflow", TELL, "commands", 0, "headers", "Authorization", value=["Bearer abcdef"]),
            "cacao-literal-secret",
            f"/workflow/{TELL}/commands/0/headers/Authorization",
        ),
        (
            at("authentication_info_definitions", LOGIN, "password", value="hunter2"),
            "cacao-literal-secret",
            f"/authentication_info_definitions/{LOGIN}/password",
        ),
        (
            at("playbook_variables", "__password__", "value", value="hunter2"),
            "cacao-literal-secret",
            "/playbook_variables/__password__/value",
        ),
        (at("description", value="use AKIA0123456789ABCDEF"), "cacao-literal-secret", "/description"),
        (
            at("target_definitions", HOST, "authentication_info", value="user-auth--x"),
            "cacao-unknown-login",
            f"/target_definitions/{HOST}/authentication_info",
        ),
        (at("target_definitions", HOST, "address", value={"fax": ["1"]}), "cacao-address", None),
        (at("data_marking_definitions", value=None), "cacao-unknown-marking", "/markings/0"),
        (at("data_marking_definitions", AMBER, "tlpv2_level", value="TLP:CLEAR"), "cacao-tlp", None),
        (at("playbook_variables", "score", value={"type": "integer"}), "cacao-variable-name", None),
        (at("playbook_variables", "__score__", "type", value="number"), "cacao-variable-type", None),
        (at("playbook_extensions", value={"extension-definition--x": {}}), "cacao-unknown-extension", None),
        (at("signatures", value=[{"type": "jss"}]), "cacao-required", "/signatures/0"),
    ],
)
def test_a_playbook_outside_the_standard_is_refused_with_its_place(
    change: Callable[[Playbook], Any], code: str, pointer: str | None
) -> None:
    with pytest.raises(StixError) as caught:
        inspect_playbook(changed(change))
    assert caught.value.code == code
    if pointer is not None:
        assert caught.value.pointer == pointer


def test_two_branches_with_one_end_are_refused() -> None:
    def share_the_end(book: Playbook) -> None:
        book["workflow"][CHECK]["on_false"] = ENDED
        del book["workflow"][NOTHING]

    with pytest.raises(StixError) as caught:
        inspect_playbook(changed(share_the_end))
    assert caught.value.code == "cacao-shared-end"
    assert caught.value.pointer == f"/workflow/{CHECK}/on_false"


def test_a_duplicate_name_is_refused() -> None:
    raw = json.dumps(playbook()).encode()
    with pytest.raises(StixError) as caught:
        inspect_playbook(raw.replace(b'"markings"', b'"name": "again", "markings"', 1))
    assert caught.value.code == "duplicate-name"


def test_a_playbook_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(StixError) as caught:
        inspect_playbook(b" " * (1024 * 1024 + 1))
    assert caught.value.code == "cacao-too-large"


def test_a_secret_is_not_repeated_in_the_message() -> None:
    with pytest.raises(StixError) as caught:
        inspect_playbook(changed(at("authentication_info_definitions", LOGIN, "password", value="hunter2")))
    assert "hunter2" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PATHS = st.sampled_from(
    [
        *((name,) for name in playbook()),
        *(("workflow", name, member) for name, step in playbook()["workflow"].items() for member in step),
        *(("workflow", name) for name in playbook()["workflow"]),
        ("workflow", LOOK, "commands", 0),
        ("workflow", TELL, "commands", 0, "headers"),
        ("agent_definitions", AGENT),
        ("target_definitions", HOST, "address"),
        ("authentication_info_definitions", LOGIN, "password"),
        ("data_marking_definitions", AMBER),
        ("playbook_variables", "__score__"),
    ]
)


@settings(max_examples=300)
@given(PATHS, JSON)
def test_no_changed_value_makes_anything_but_our_own_error(path: tuple[str | int, ...], value: Any) -> None:
    with contextlib.suppress(StixError):
        inspect_playbook(changed(at(*path, value=value)))


@given(st.text(alphabet="_a-: ", max_size=12).map(lambda text: text.replace(":", ":value")))
def test_variables_are_found_as_their_grammar_says(text: str) -> None:
    expected = re.findall(r"(__[a-zA-Z_][a-zA-Z0-9_-]{0,199}?__):value", text)
    assert variables_in(text) == frozenset(expected)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["_", "__a", "_:value", "__a__:value", "-----BEGIN A", "://a", "://a:", "a:"])
def test_a_megabyte_of_anything_is_searched_in_linear_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    variables_in(text)
    check_no_credentials(text, ())
