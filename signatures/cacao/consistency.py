"""What a playbook says of itself, against what it is: its UUIDs, its summary, its activities.

A UUID under two types is refused; a summary or a list of activities that the workflow does not bear out is a warning,
because editors write them and forget them.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from exchange.stix.errors import pointer_to, shown
from signatures.cacao.shape import Members, Path, fault

_SECTIONS: Final = (
    "workflow",
    "agent_definitions",
    "target_definitions",
    "authentication_info_definitions",
    "data_marking_definitions",
    "extension_definitions",
)


def check_uuids(playbook: Members) -> None:
    """Check that no UUID is used under two types (CACAO 2.0 section 10.10), and that the summary has known names.

    Raises: ObjectInvalidError with a pointer.
    """
    owners: dict[str, str] = {}
    for identifier, path in _identifiers(playbook):
        kind, _dashes, uuid = identifier.partition("--")
        if owners.setdefault(uuid, kind) != kind:
            raise fault("identifier", f"The UUID of {shown(identifier)} is that of another type too.", path)
    for name in playbook.get("playbook_processing_summary", {}):
        if name not in _SUMMARY and name not in _OF_SIGNATURES:
            raise fault("summary", f"{shown(name)} is no part of a summary.", ("playbook_processing_summary", name))


def inconsistencies_of(playbook: Members) -> Iterator[tuple[str, str, str]]:
    """What the summary and the activities say and the workflow does not: (code, JSON pointer, sentence)."""
    for name, said in playbook.get("playbook_processing_summary", {}).items():
        if name in _SUMMARY and said != _SUMMARY[name](playbook):
            text = f"The summary says {str(said).lower()}, and the playbook is otherwise."
            yield "cacao-summary", pointer_to(("playbook_processing_summary", name)), text
    reflected = {command.get("playbook_activity") for command in _commands(playbook)}
    for position, activity in enumerate(playbook.get("playbook_activities", ())):
        if activity not in reflected:
            text = f"No command has the activity {shown(activity)}."
            yield "cacao-activity", pointer_to(("playbook_activities", position)), text


def _identifiers(playbook: Members) -> Iterator[tuple[str, Path]]:
    yield playbook["id"], ("id",)
    for section in _SECTIONS:
        for identifier in playbook.get(section, {}):
            yield identifier, (section, identifier)


def _commands(playbook: Members) -> Iterator[Mapping[str, Any]]:
    return chain.from_iterable(step.get("commands", ()) for step in playbook["workflow"].values())


def _has_type(kind: str) -> Any:
    return lambda playbook: any(step["type"] == kind for step in playbook["workflow"].values())


_SUMMARY: Final[Mapping[str, Any]] = {
    "manual_playbook": lambda playbook: all(command["type"] == "manual" for command in _commands(playbook)),
    "external_playbooks": _has_type("playbook-action"),
    "parallel_processing": _has_type("parallel"),
    "if_logic": _has_type("if-condition"),
    "while_logic": _has_type("while-condition"),
    "switch_logic": _has_type("switch-condition"),
    "temporal_logic": lambda playbook: any(
        name in step for step in playbook["workflow"].values() for name in ("delay", "timeout")
    ),
    "data_markings": lambda playbook: "markings" in playbook,
    "extensions": lambda playbook: "extension_definitions" in playbook,
}
# A signature may be added at any time, and is no new version: what was said of it before is not held against anybody.
_OF_SIGNATURES: Final = frozenset({"digital_signatures", "countersigned_signatures"})
