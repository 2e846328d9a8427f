"""What an object carries inside: Sigma rules of indicators, CACAO playbooks of courses of action.

The publishing service finds `inspect_object` by its dotted path in the settings, so services know nothing of rooms
above them. It decodes and parses; whether the content may be published is the scope guard's question.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from exchange.services.scope_payloads import Payload, RuleFields
from exchange.stix.errors import ObjectInvalidError, StixError, pointer_to, shown
from exchange.stix.extension_ids import COA_PLAYBOOK_EXTENSION
from signatures.cacao import PlaybookInspection, inspect_playbook
from signatures.sigma import SigmaInspection, inspect_rule

_PATTERN: Final = "/pattern"
_EXTENSION: Final = pointer_to(("extensions", COA_PLAYBOOK_EXTENSION))
_BODY: Final = f"{_EXTENSION}/playbook_bin"


def inspect_object(members: Mapping[str, Any]) -> tuple[Payload, ...]:
    """Return the decoded payloads of a checked STIX object; most carry none.

    Raises: ObjectInvalidError or MalformedJsonError with a pointer into the object.
    """
    kind = members.get("type")
    if kind == "indicator" and members.get("pattern_type") == "sigma":
        return (_inspect_sigma(members["pattern"]),)
    if kind == "course-of-action":
        extension = members.get("extensions", {}).get(COA_PLAYBOOK_EXTENSION)
        return () if extension is None else _inspect_extension(extension)
    return ()


def _inspect_sigma(text: Any) -> Payload:
    if not isinstance(text, str):
        raise ObjectInvalidError("sigma-not-text", "A pattern is a text.", _PATTERN)
    try:
        return _sigma_payload(inspect_rule(text), _PATTERN, "")
    except ObjectInvalidError as error:
        raise error.within(_PATTERN) from None


def _inspect_extension(extension: Any) -> tuple[Payload, ...]:
    if not isinstance(extension, dict):
        raise ObjectInvalidError("playbook-extension", "The extension is an object.", _EXTENSION)
    if "playbook_bin" not in extension:
        return ()
    if extension.get("playbook_standard") != "cacao":
        raise ObjectInvalidError(
            "playbook-standard", "Only CACAO playbooks can be checked.", f"{_EXTENSION}/playbook_standard"
        )
    try:
        playbook = inspect_playbook(_decode(extension["playbook_bin"]))
    except StixError as error:
        # A pointer cannot go into base64: the place inside goes into the sentence.
        place = f" Place in the playbook: {error.pointer}." if error.pointer else ""
        raise type(error)(error.code, f"{error.message}{place}", _BODY) from None
    _check_agreement(extension, playbook)
    return _playbook_payloads(playbook)


def _decode(encoded: Any) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (ValueError, TypeError, binascii.Error):
        raise ObjectInvalidError("playbook-base64", "The playbook is not base64.", "") from None


def _check_agreement(extension: Mapping[str, Any], playbook: PlaybookInspection) -> None:
    """What the extension repeats of the playbook has to say the same."""
    said = {
        "playbook_id": playbook.id,
        "playbook_modification_time": playbook.modified,
        "playbook_creator": playbook.created_by,
        "revoked": playbook.revoked,
    }
    for name, value in said.items():
        if name in extension and extension[name] != value:
            raise ObjectInvalidError(
                "playbook-mismatch",
                f"The extension says {shown(extension[name])}, the playbook {shown(value)}.",
                f"{_EXTENSION}/{name}",
            )


def _playbook_payloads(playbook: PlaybookInspection) -> tuple[Payload, ...]:
    body = Payload(pointer=_BODY, kind="cacao", label=playbook.label, texts=playbook.texts)
    return (body, *(_sigma_payload(rule, _BODY, f"{pointer}: ") for pointer, rule in playbook.rules))


def _sigma_payload(rule: SigmaInspection, pointer: str, prefix: str) -> Payload:
    return Payload(
        pointer=pointer,
        kind="sigma",
        label=rule.label,
        texts=tuple((prefix + location, text) for location, text in rule.texts),
        remarks=tuple((prefix + location, text) for location, text in rule.remarks),
        matches=tuple((prefix + match.location, match.field) for match in rule.matches),
        fields=rule.fields,
        rules=tuple(
            RuleFields(prefix + features.location, frozenset(branch.matched for branch in features.branches))
            for features in rule.rules
        ),
        unlisted=tuple((prefix + location, key) for location, key in rule.unlisted),
    )
