"""A playbook inside STIX: the course-of-action that carries its exact bytes, and what the extension repeats of it.

The playbook extension is version 3.0.0 of the community's Course of Action extension for Security Playbooks. Ids
follow from the producer and the playbook, so that the same playbook makes the same objects again.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final

from exchange.stix.errors import ObjectInvalidError, pointer_to
from exchange.stix.extension_ids import COA_PLAYBOOK_EXTENSION
from exchange.stix.identifiers import derived_uuid
from signatures.cacao.inspection import PlaybookInspection
from signatures.cacao.shape import Members

BODY: Final = pointer_to(("extensions", COA_PLAYBOOK_EXTENSION, "playbook_bin"))
"""Where the playbook stands in a course-of-action."""

MAX_NAME_CHARS: Final = 300
MAX_DESCRIPTION_CHARS: Final = 8_000
"""What the agreement allows a course-of-action (exchange/services/scope.toml)."""

_REPEATED: Final[Mapping[str, str]] = {
    "playbook_id": "id",
    "playbook_creator": "created_by",
    "playbook_creation_time": "created",
    "playbook_modification_time": "modified",
    "playbook_valid_from": "valid_from",
    "playbook_valid_until": "valid_until",
    "playbook_impact": "impact",
    "playbook_severity": "severity",
    "playbook_priority": "priority",
    "playbook_type": "playbook_types",
    "revoked": "revoked",
}


def extension_of(raw: bytes, playbook: Members, *, abstraction: str = "template") -> dict[str, Any]:
    """Return the extension that carries a checked playbook. raw: its bytes. abstraction: `template` or `executable`."""
    repeated = {name: playbook[member] for name, member in _REPEATED.items() if member in playbook}
    return {
        "extension_type": "property-extension",
        # The extension's times are of its own description, which begins with the playbook.
        "created": playbook["created"],
        "modified": playbook["modified"],
        **repeated,
        "playbook_standard": "cacao",
        "playbook_abstraction": abstraction,
        "playbook_bin": base64.b64encode(raw).decode("ascii"),
    }


def repeated_of(playbook: Members) -> Mapping[str, Any]:
    """What an extension may repeat of a playbook, by its names; not being revoked is said by silence too."""
    return {"revoked": False} | {name: playbook[each] for name, each in _REPEATED.items() if each in playbook}


def course_of_action(
    raw: bytes,
    inspection: PlaybookInspection,
    *,
    producer: str,
    markings: Sequence[str],
    modified: str = "",
    abstraction: str = "template",
) -> dict[str, Any]:
    """Return the unsigned course-of-action that carries a playbook.

    producer: identity id of the lab that publishes it, which need not have written it. markings: ids of
    marking-definitions. modified: the version, that of the playbook if it is empty; a signature more is no new version
    of a playbook, and one of the course-of-action.
    """
    playbook = inspection.members
    members = {
        "type": "course-of-action",
        "spec_version": "2.1",
        "id": course_id(producer, inspection.id),
        "created_by_ref": producer,
        "created": playbook["created"],
        "modified": modified or playbook["modified"],
        "name": inspection.name[:MAX_NAME_CHARS],
        **({"description": playbook["description"][:MAX_DESCRIPTION_CHARS]} if "description" in playbook else {}),
        "object_marking_refs": list(markings),
        "extensions": {COA_PLAYBOOK_EXTENSION: extension_of(raw, playbook, abstraction=abstraction)},
    }
    return members | ({"revoked": True} if inspection.revoked else {})


def mitigates(course: Mapping[str, Any], target: str) -> dict[str, Any]:
    """Return the unsigned relationship that says what a course-of-action mitigates."""
    return {
        "type": "relationship",
        "spec_version": "2.1",
        "id": f"relationship--{derived_uuid('mitigates', course['id'], target)}",
        "created_by_ref": course["created_by_ref"],
        # One relationship for all versions of the playbook.
        "created": course["created"],
        "modified": course["created"],
        "relationship_type": "mitigates",
        "source_ref": course["id"],
        "target_ref": target,
        "object_marking_refs": list(course["object_marking_refs"]),
    }


def course_id(producer: str, playbook_id: str) -> str:
    """The id of the course-of-action in which a producer publishes a playbook, the same for all its versions."""
    return f"course-of-action--{derived_uuid('playbook', producer, playbook_id)}"


def playbook_in(members: Mapping[str, Any]) -> bytes | None:
    """Return the bytes of the playbook that a course-of-action carries, None if it carries none.

    Raises: ObjectInvalidError (`playbook-base64`) with a pointer into the object.
    """
    extension = members.get("extensions", {}).get(COA_PLAYBOOK_EXTENSION)
    if not isinstance(extension, dict) or "playbook_bin" not in extension:
        return None
    try:
        return base64.b64decode(extension["playbook_bin"], validate=True)
    except (ValueError, TypeError, binascii.Error):
        raise ObjectInvalidError("playbook-base64", "The playbook is not base64.", BODY) from None
