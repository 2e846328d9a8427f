"""The scope guard: may a member publish this object in a collection of scope "agreement"?

An allow-list of types, properties, extensions and lengths (scope.toml), and a look at what the texts say, also in the
decoded payloads. Labels, signatures and STIX validity are checked elsewhere. Docs: docs/scope.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exchange.services.errors import OutOfScopeError
from exchange.services.scope_agreement import PLAIN, Agreement, Structure, TypeScope, agreement
from exchange.services.scope_origin import rests_on_origin
from exchange.services.scope_patterns import find_pattern_refusal
from exchange.services.scope_texts import find_hints, find_refusal, readable
from exchange.stix.errors import pointer_to, shown
from exchange.stix.markings import Tlp

Path = tuple[str | int, ...]
# How the location of a Sigma rule's description ends.
_DESCRIPTION: Final = "(description)"
_LAB_OR_NODE: Final = frozenset({"organization", "system"})


@dataclass(frozen=True, slots=True)
class RuleFields:
    """One rule inside a payload. alternatives: the fields that must match in each way to satisfy it."""

    location: str
    alternatives: frozenset[frozenset[str]]


@dataclass(frozen=True, slots=True)
class Payload:
    """What an object carries inside one of its properties, decoded: a Sigma rule or a playbook.

    pointer: of the property. kind: "sigma" or "cacao". label: the strictest marking inside. texts: (location, text).
    remarks: (location, text) of comments, which are no part of the content.
    matches: (location, field) compared with a value written down. unlisted: (location, key) the format does not know.
    """

    pointer: str
    kind: str
    label: Tlp | None
    texts: tuple[tuple[str, str], ...]
    matches: tuple[tuple[str, str], ...] = ()
    fields: tuple[str, ...] = ()
    rules: tuple[RuleFields, ...] = ()
    unlisted: tuple[tuple[str, str], ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ScopeWarning:
    """A hint that somebody should look; counted by rule."""

    rule: str
    pointer: str


def check_scope(members: Mapping[str, Any], payloads: Sequence[Payload]) -> tuple[ScopeWarning, ...]:
    """Check one object and its decoded payloads against the agreement.

    members: a checked STIX object. Cost: about 25 µs for an indicator of 1.4 kB, one core.

    Raises: OutOfScopeError with rule and pointer.
    """
    agreed = agreement()
    scope = _scope_of(members, agreed)
    prose: list[tuple[Path, str]] = []
    for name, value in members.items():
        limit = scope.limits.get(name)
        if limit is None:
            _check_structured(name, value, scope, agreed, prose)
        elif value.__class__ is str:
            if len(value) > (limit or agreed.plain_chars):
                raise _refuse("text-too-long", (name,), "The text is too long.")
            if limit and name not in scope.contact:
                prose.append(((name,), value))
        else:
            _check_value((name,), value, limit, agreed, prose)
    _check_kind(members, scope, agreed)
    warnings = _check_prose(prose, agreed)
    for payload in payloads:
        warnings.extend(_check_payload(payload, agreed))
    return tuple(warnings)


def _scope_of(members: Mapping[str, Any], agreed: Agreement) -> TypeScope:
    kind = members.get("type")
    scope = agreed.types.get(kind) if isinstance(kind, str) else None
    if scope is None:
        rule = agreed.refused_types.get(str(kind), "unlisted-type")
        raise _refuse(rule, ("type",), f"Objects of type {shown(kind)} are not shared.")
    return scope


def _check_structured(
    name: str, value: Any, scope: TypeScope, agreed: Agreement, prose: list[tuple[Path, str]]
) -> None:
    """A property that is no list of limits: extensions, a known structure, or not in the agreement."""
    if name == "extensions":
        _check_extensions(value, scope, agreed, prose)
        return
    structure = scope.structures.get(name)
    if structure is None or not isinstance(value, list):
        rule = agreed.refused_properties.get(name, "unlisted-property")
        raise _refuse(rule, (name,), f"The property {shown(name)} is not shared.")
    if len(value) > agreed.list_items:
        raise _refuse("text-too-long", (name,), "The list is too long.")
    for position, item in enumerate(value):
        _check_members((name, position), item, structure, agreed, prose)


def _check_extensions(value: Any, scope: TypeScope, agreed: Agreement, prose: list[tuple[Path, str]]) -> None:
    if not isinstance(value, dict):
        raise _refuse("unlisted-extension", ("extensions",), "Extensions are an object.")
    for identifier, body in value.items():
        structure = scope.extensions.get(identifier)
        if structure is None:
            raise _refuse("unlisted-extension", ("extensions", identifier), "The extension is not shared here.")
        if not structure.is_fixed:
            _check_members(("extensions", identifier), body, structure, agreed, prose)


def _check_members(
    path: Path, value: Any, structure: Structure, agreed: Agreement, prose: list[tuple[Path, str]]
) -> None:
    if not isinstance(value, dict):
        raise _refuse("unlisted-property", path, "An object is expected here.")
    for name, item in value.items():
        limit = structure.limits.get(name)
        if limit is not None:
            _check_value((*path, name), item, limit, agreed, prose)
        elif name not in structure.payload:
            raise _refuse("unlisted-property", (*path, name), f"The property {shown(name)} is not shared.")


def _check_value(path: Path, value: Any, limit: int, agreed: Agreement, prose: list[tuple[Path, str]]) -> None:
    if isinstance(value, str):
        if len(value) > (limit or agreed.plain_chars):
            raise _refuse("text-too-long", path, "The text is too long.")
        if limit:
            prose.append((path, value))
    elif isinstance(value, list | dict):
        _check_items(path, value, limit, agreed, prose)


def _check_items(
    path: Path, value: list[Any] | dict[str, Any], limit: int, agreed: Agreement, prose: list[tuple[Path, str]]
) -> None:
    """A flat list, or where no prose is expected a flat dictionary such as hashes."""
    if isinstance(value, dict) and limit != PLAIN:
        raise _refuse("unlisted-property", path, "A text is expected here.")
    # References may be many: a report of a thousand objects is a report.
    if limit != PLAIN and len(value) > agreed.list_items:
        raise _refuse("text-too-long", path, "The list is too long.")
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, list | dict) or len(str(step)) > agreed.plain_chars:
            raise _refuse("unlisted-property", (*path, step), "A text or a number is expected here.")
        _check_value((*path, step), item, limit, agreed, prose)


def _check_kind(members: Mapping[str, Any], scope: TypeScope, agreed: Agreement) -> None:
    """What is asked of single types beyond their lists."""
    kind = members["type"]
    if kind == "indicator":
        _check_indicator(members, agreed)
    elif kind == "identity":
        _check_identity(members)
    elif kind == "relationship" and members.get("relationship_type") in agreed.origin_relationships:
        raise _refuse("origin-alone", ("relationship_type",), "A place is never the whole of a claim.")
    required = scope.required_extension
    if required and required not in members.get("extensions", {}):
        raise _refuse(scope.required_rule, ("extensions",), "An extension that makes the object safe is missing.")


def _check_identity(members: Mapping[str, Any]) -> None:
    identity_class = members.get("identity_class")
    if identity_class not in _LAB_OR_NODE:
        is_person = identity_class == "individual"
        rule = "personal-data" if is_person else "price-or-customer-data"
        raise _refuse(rule, ("identity_class",), "Identities are those of labs and nodes.")


def _check_indicator(members: Mapping[str, Any], agreed: Agreement) -> None:
    language, pattern = members.get("pattern_type"), members.get("pattern")
    if language not in agreed.pattern_languages:
        raise _refuse("unlisted-language", ("pattern_type",), "Patterns are STIX or Sigma.")
    if language == "stix" and isinstance(pattern, str):
        _check_pattern(pattern, agreed)


def _check_pattern(pattern: str, agreed: Agreement) -> None:
    found = find_pattern_refusal(pattern, agreed)
    if found is not None:
        raise _refuse(found[0], ("pattern",), found[1])


def _check_prose(prose: list[tuple[Path, str]], agreed: Agreement) -> list[ScopeWarning]:
    """Look at all texts together; only where that finds something, at each."""
    together = readable("\n".join([text for _path, text in prose]))
    warnings: list[ScopeWarning] = []
    if find_refusal(together, agreed) is not None:
        for path, text in prose:
            found = find_refusal(readable(text), agreed)
            if found is not None:
                raise _refuse(found[0], path, found[1])
    if next(find_hints(together, agreed), None) is not None:
        for path, text in prose:
            warnings.extend(ScopeWarning(hint, pointer_to(path)) for hint in find_hints(readable(text), agreed))
    return warnings


def _check_payload(payload: Payload, agreed: Agreement) -> list[ScopeWarning]:
    for location, key in payload.unlisted:
        raise _refuse_inside(payload, "unlisted-property", location, f"The property {shown(key)} is not shared.")
    for location, field in payload.matches:
        broken = _match_refusal(field, agreed)
        if broken is not None:
            raise _refuse_inside(payload, broken, location, f"A value for {shown(field)}.")
    for field in payload.fields:
        if agreed.commercial_field.fullmatch(field):
            raise _refuse_inside(payload, "price-or-customer-data", "", f"The field {shown(field)}.")
    for rule in payload.rules:
        if any(rests_on_origin(alternative, agreed) for alternative in rule.alternatives):
            raise _refuse_inside(
                payload, "origin-alone", rule.location, "A way to satisfy the rule rests on origin alone."
            )
    return _check_payload_texts(payload, agreed)


def _match_refusal(field: str, agreed: Agreement) -> str | None:
    """Return the rule that a value written down for this field breaks."""
    if agreed.content_fields.fullmatch(field):
        return "prompt-or-completion"
    if agreed.account_fields.fullmatch(field):
        return "account-identifier"
    # A field that no log has is no feature, only a place to write something.
    return None if agreed.field_name.fullmatch(field) else "unlisted-property"


def _check_payload_texts(payload: Payload, agreed: Agreement) -> list[ScopeWarning]:
    """As `_check_prose`: all texts together first, then one by one only where that finds something."""
    texts = payload.texts
    warnings: list[ScopeWarning] = []
    _check_lengths(payload, agreed)
    if payload.kind == "cacao":
        texts = tuple(_without_appeal_addresses(payload, agreed))
    elif any(location.endswith("(author)") for location, _text in texts):
        warnings.append(ScopeWarning("names-an-author", payload.pointer))
    texts += payload.remarks
    together = readable("\n".join([text for _location, text in texts]))
    if find_refusal(together, agreed) is not None:
        for location, text in texts:
            found = find_refusal(readable(text), agreed)
            if found is not None:
                raise _refuse_inside(payload, found[0], location, found[1])
    if next(find_hints(together, agreed), None) is not None:
        hints = {hint for _location, text in texts for hint in find_hints(readable(text), agreed)}
        warnings.extend(ScopeWarning(hint, payload.pointer) for hint in sorted(hints))
    return warnings


def _check_lengths(payload: Payload, agreed: Agreement) -> None:
    """Remarks are few, and a rule's texts other than its description are short."""
    remark_chars = 0
    for location, text in payload.remarks:
        remark_chars += len(text)
        if remark_chars > agreed.remark_chars:
            raise _refuse_inside(payload, "text-too-long", location, "The comments are too long.")
    if payload.kind == "sigma":
        for location, text in payload.texts:
            if len(text) > agreed.literal_chars and (
                len(text) > agreed.description_chars or not location.endswith(_DESCRIPTION)
            ):
                raise _refuse_inside(payload, "text-too-long", location, "The text is too long.")


def _without_appeal_addresses(payload: Payload, agreed: Agreement) -> Iterator[tuple[str, str]]:
    for location, text in payload.texts:
        if agreed.refused_places.fullmatch(location):
            raise _refuse_inside(payload, "personal-data", location, "A playbook names no person.")
        if agreed.appeal_places.fullmatch(location):
            found = find_refusal(readable(text), agreed, may_hold_contact=True)
            if found is not None:
                raise _refuse_inside(payload, found[0], location, found[1])
        else:
            yield location, text


def _refuse(rule: str, path: Path, detail: str) -> OutOfScopeError:
    return OutOfScopeError(rule=rule, pointer=pointer_to(path), detail=f"{detail} Rule: {agreement().rules[rule]}")


def _refuse_inside(payload: Payload, rule: str, location: str, detail: str) -> OutOfScopeError:
    where = f" Place: {location}." if location else ""
    return OutOfScopeError(
        rule=rule, pointer=payload.pointer, detail=f"{detail}{where} Rule: {agreement().rules[rule]}"
    )
