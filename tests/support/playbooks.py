"""Playbooks for tests: short names for steps, so that a workflow can be read."""

from __future__ import annotations

import json
from typing import Any

Playbook = dict[str, Any]
_REFERRING = ("on_completion", "on_success", "on_failure", "on_true", "on_false")
_VARIABLES = ("allow_listed", "disputed", "evidence_families", "approved", "appeal_address", "score", "kind")
_AGENTS: dict[str, dict[str, Any]] = {
    "people": {"type": "group", "name": "Trust and safety"},
    "machine": {"type": "security-category", "name": "Orchestrator", "category": ["orchestrator"]},
}


def uuid_of(number: int) -> str:
    """A UUIDv4 for the number."""
    return f"0d1d3a53-2b0e-4e7f-8a63-{number:012x}"


def manual(activity: str, text: str = "As it says", **more: Any) -> Playbook:
    """What an action step has whose one command is for a person."""
    command = {"type": "manual", "command": text, "playbook_activity": activity}
    return {"type": "action", "agent": "people", "commands": [command], **more}


def request(line: str, activity: str = "", **more: Any) -> Playbook:
    """What an action step has whose one command is an HTTP request."""
    command = {"type": "http-api", "command": f"{line} HTTP/1.1"}
    command |= {"playbook_activity": activity} if activity else {}
    return {"type": "action", "agent": "machine", "commands": [command], **more}


NOTICE = {"activity": "deliver-content", "text": "Appeals: __appeal_address__:value"}


def workflow(exception: str = "", /, **steps: Playbook) -> Playbook:
    """A playbook of these steps. Names stand for ids; `end` and names that begin with it are ends, the first is begun
    with."""
    kinds = {name: step["type"] for name, step in steps.items()}
    named = {name for step in steps.values() for name in _named_by(step)}
    kinds |= dict.fromkeys(sorted(named - kinds.keys()), "end")
    ids = {name: f"{kind}--{uuid_of(number)}" for number, (name, kind) in enumerate(kinds.items(), start=100)}
    agents = {name: f"{agent['type']}--{uuid_of(number)}" for number, (name, agent) in enumerate(_AGENTS.items(), 10)}
    start = f"start--{uuid_of(1)}"
    filled = {ids[name]: _filled(steps.get(name, {"type": "end"}), ids, agents) for name in kinds}
    book: Playbook = {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": f"playbook--{uuid_of(2)}",
        "name": "A playbook under test",
        "created_by": f"identity--{uuid_of(3)}",
        "created": "2026-11-02T00:00:00.000Z",
        "modified": "2026-11-02T00:00:00.000Z",
        "valid_until": "2027-11-02T00:00:00.000Z",
        "playbook_variables": {f"__{name}__": {"type": "string", "external": True} for name in _VARIABLES},
        "agent_definitions": {agents[name]: agent for name, agent in _AGENTS.items()},
        "workflow_start": start,
        "workflow": {start: {"type": "start", "on_completion": next(iter(ids.values()))}, **filled},
    }
    return book | ({"workflow_exception": ids[exception]} if exception else {})


def id_of(book: Playbook, name: str) -> str:
    """The id of a step by its name in `workflow`."""
    return next(str(identifier) for identifier, step in book["workflow"].items() if step.get("name") == name)


def raw(book: Playbook) -> bytes:
    """Its bytes."""
    return json.dumps(book).encode()


def _named_by(step: Playbook) -> list[str]:
    found = [step[name] for name in _REFERRING if name in step]
    return found + list(step.get("next_steps", ())) + list(step.get("cases", {}).values())


def _filled(step: Playbook, ids: dict[str, str], agents: dict[str, str]) -> Playbook:
    filled: Playbook = {name: ids[value] if name in _REFERRING else value for name, value in step.items()}
    if "next_steps" in step:
        filled["next_steps"] = [ids[name] for name in step["next_steps"]]
    if "cases" in step:
        filled["cases"] = {case: ids[name] for case, name in step["cases"].items()}
    if "agent" in step:
        filled["agent"] = agents[step["agent"]]
    return filled
