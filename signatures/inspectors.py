"""What an object carries inside: Sigma rules of indicators, CACAO playbooks of courses of action.

The publishing service finds `inspect_object` by its dotted path in the settings, so services know nothing of rooms
above them. It decodes and parses; whether the content may be published is the scope guard's question.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from exchange.services.scope_payloads import Notice, Payload, RuleFields
from exchange.stix.errors import ObjectInvalidError, StixError, pointer_to, shown
from exchange.stix.extension_ids import COA_PLAYBOOK_EXTENSION
from signatures.cacao import Finding, PlaybookInspection, Severity, check_safety, inspect_playbook
from signatures.cacao.carrying import BODY as _BODY
from signatures.cacao.carrying import playbook_in, repeated_of
from signatures.sigma import SigmaInspection, inspect_rule
from signatures.vocabulary import VOCABULARY

MAX_UNKNOWN_SHOWN: Final = 20
"""Looking for the nearest name of each takes milliseconds."""

MAX_FIELD_CHARS: Final = 100
"""More is no misspelling of anything."""

_PATTERN: Final = "/pattern"
_EXTENSION: Final = pointer_to(("extensions", COA_PLAYBOOK_EXTENSION))


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
    raw = playbook_in({"extensions": {COA_PLAYBOOK_EXTENSION: extension}}) or b""
    try:
        playbook = inspect_playbook(raw)
        findings = check_safety(playbook.members)
    except StixError as error:
        # A pointer cannot go into base64: the place inside goes into the sentence.
        raise type(error)(error.code, _with_place(error.message, error.pointer), _BODY) from None
    _check_agreement(extension, playbook)
    return _playbook_payloads(playbook, findings)


def _with_place(message: str, pointer: str) -> str:
    return f"{message} Place in the playbook: {pointer}." if pointer else message


def _check_agreement(extension: Mapping[str, Any], playbook: PlaybookInspection) -> None:
    """What the extension repeats of the playbook has to say the same."""
    for name, value in repeated_of(playbook.members).items():
        if name in extension and extension[name] != value:
            raise ObjectInvalidError(
                "playbook-mismatch",
                f"The extension says {shown(extension[name])}, the playbook {shown(value)}.",
                f"{_EXTENSION}/{name}",
            )


def _playbook_payloads(playbook: PlaybookInspection, findings: tuple[Finding, ...]) -> tuple[Payload, ...]:
    notices = [
        Notice(f"unsafe-{each.code}", _with_place(each.message, each.pointer), refuses=each.severity is Severity.REFUSE)
        for each in findings
    ]
    notices += [Notice(code, _with_place(text, pointer), refuses=False) for code, pointer, text in playbook.warnings]
    body = Payload(pointer=_BODY, kind="cacao", label=playbook.label, texts=playbook.texts, notices=tuple(notices))
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
        notices=tuple(_unknown_fields(rule, prefix)),
    )


def _unknown_fields(rule: SigmaInspection, prefix: str) -> Iterator[Notice]:
    unknown = [mention for mention in rule.mentions if mention.field not in VOCABULARY.fields]
    for mention in unknown[:MAX_UNKNOWN_SHOWN]:
        nearest = VOCABULARY.nearest(mention.field[:MAX_FIELD_CHARS])
        yield Notice(
            "field-unknown",
            f"{prefix}document {mention.document}, {mention.place}: {shown(mention.field)} is no field of the"
            f" vocabulary {VOCABULARY.version}{f'; {nearest} is one' if nearest else ''}",
            refuses=False,
        )
    if len(unknown) > MAX_UNKNOWN_SHOWN:
        more = len(unknown) - MAX_UNKNOWN_SHOWN
        yield Notice("field-unknown", f"{prefix}{more} more are no fields of the vocabulary either", refuses=False)
