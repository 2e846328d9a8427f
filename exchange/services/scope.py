"""The scope guard: may a member publish this object in a collection of scope "agreement"?

An allow-list of types, properties, extensions and lengths (scope.toml), and a look at what the texts say, also in the
decoded payloads. Labels, signatures and STIX validity are checked elsewhere. Docs: docs/scope.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from exchange.services.errors import OutOfScopeError
from exchange.services.scope_agreement import HASHES, PLAIN, Agreement, Structure, TypeScope, agreement
from exchange.services.scope_patterns import find_pattern_refusal
from exchange.services.scope_payloads import Payload, RuleFields, ScopeWarning, check_payload
from exchange.services.scope_texts import find_hints, find_refusal, readable
from exchange.stix.errors import pointer_to, shown

__all__ = ["Payload", "RuleFields", "ScopeWarning", "check_scope"]

Path = tuple[str | int, ...]
_PATTERN: Final = "pattern"
_HEX_DIGITS: Final = frozenset("0123456789abcdefABCDEF")
_LAB_OR_NODE: Final = frozenset({"organization", "system"})


@dataclass(slots=True)
class _Seen:
    """What was met on the way through an object. prose: texts to look at. chars: of all text outside the pattern."""

    prose: list[tuple[Path, str]] = field(default_factory=list)
    chars: int = 0


def check_scope(members: Mapping[str, Any], payloads: Sequence[Payload]) -> tuple[ScopeWarning, ...]:
    """Check one object and its decoded payloads against the agreement.

    members: a checked STIX object. Cost: about 25 µs for an indicator of 1.4 kB, one core.

    Raises: OutOfScopeError with rule and pointer.
    """
    agreed = agreement()
    scope = _scope_of(members, agreed)
    seen = _Seen()
    for name, value in members.items():
        limit = scope.limits.get(name)
        if limit is None:
            _check_structured(name, value, scope, agreed, seen)
        elif value.__class__ is str:
            if len(value) > (limit or agreed.plain_chars):
                raise _refuse("text-too-long", (name,), "The text is too long.")
            if name != _PATTERN:
                seen.chars += len(value)
            if limit and name not in scope.contact:
                seen.prose.append(((name,), value))
        else:
            _check_value((name,), value, limit, agreed, seen)
    if seen.chars > agreed.total_chars:
        raise _refuse("text-too-long", (), "The texts of the object together are too long.")
    _check_kind(members, scope, agreed)
    warnings = _check_prose(seen.prose, agreed)
    for payload in payloads:
        warnings.extend(check_payload(payload, agreed))
    return tuple(warnings)


def _scope_of(members: Mapping[str, Any], agreed: Agreement) -> TypeScope:
    kind = members.get("type")
    scope = agreed.types.get(kind) if isinstance(kind, str) else None
    if scope is None:
        rule = agreed.refused_types.get(str(kind), "unlisted-type")
        raise _refuse(rule, ("type",), f"Objects of type {shown(kind)} are not shared.")
    return scope


def _check_structured(name: str, value: Any, scope: TypeScope, agreed: Agreement, seen: _Seen) -> None:
    """A property that is no list of limits: extensions, a known structure, or not in the agreement."""
    if name == "extensions":
        _check_extensions(value, scope, agreed, seen)
        return
    structure = scope.structures.get(name)
    if structure is None or not isinstance(value, list):
        rule = agreed.refused_properties.get(name, "unlisted-property")
        raise _refuse(rule, (name,), f"The property {shown(name)} is not shared.")
    if len(value) > agreed.structure_items:
        raise _refuse("text-too-long", (name,), "The list is too long.")
    for position, item in enumerate(value):
        _check_members((name, position), item, structure, agreed, seen)


def _check_extensions(value: Any, scope: TypeScope, agreed: Agreement, seen: _Seen) -> None:
    if not isinstance(value, dict):
        raise _refuse("unlisted-extension", ("extensions",), "Extensions are an object.")
    for identifier, body in value.items():
        structure = scope.extensions.get(identifier)
        if structure is None:
            raise _refuse("unlisted-extension", ("extensions", identifier), "The extension is not shared here.")
        if not structure.is_fixed:
            _check_members(("extensions", identifier), body, structure, agreed, seen)


def _check_members(path: Path, value: Any, structure: Structure, agreed: Agreement, seen: _Seen) -> None:
    if not isinstance(value, dict):
        raise _refuse("unlisted-property", path, "An object is expected here.")
    for name, item in value.items():
        limit = structure.limits.get(name)
        if limit is not None:
            _check_value((*path, name), item, limit, agreed, seen)
        elif name not in structure.payload:
            raise _refuse("unlisted-property", (*path, name), f"The property {shown(name)} is not shared.")


def _check_value(path: Path, value: Any, limit: int, agreed: Agreement, seen: _Seen) -> None:
    if isinstance(value, str):
        if len(value) > (limit or agreed.plain_chars):
            raise _refuse("text-too-long", path, "The text is too long.")
        seen.chars += len(value)
        if limit:
            seen.prose.append((path, value))
    elif isinstance(value, list | dict):
        _check_items(path, value, limit, agreed, seen)


def _check_items(path: Path, value: list[Any] | dict[str, Any], limit: int, agreed: Agreement, seen: _Seen) -> None:
    """A flat list, or hashes."""
    if limit == HASHES:
        _check_hashes(path, value, agreed)
        return
    if isinstance(value, dict):
        raise _refuse("unlisted-property", path, "A text is expected here.")
    # References may be many: a report of a thousand objects is a report.
    is_references = limit == PLAIN and str(path[-1]).endswith("_refs")
    if not is_references and len(value) > agreed.list_items:
        raise _refuse("text-too-long", path, "The list is too long.")
    spent = seen.chars
    for step, item in enumerate(value):
        if isinstance(item, list | dict):
            raise _refuse("unlisted-property", (*path, step), "A text or a number is expected here.")
        _check_value((*path, step), item, limit, agreed, seen)
    if is_references:
        # An identifier has no room for text, except in a type that somebody invents.
        seen.chars = spent + sum(len(str(item)) for item in value if str(item).partition("--")[0] not in agreed.types)


def _check_hashes(path: Path, value: list[Any] | dict[str, Any], agreed: Agreement) -> None:
    """Hashes of known kinds, with hexadecimal digits of the right number: nothing else fits in."""
    for name, text in value.items() if isinstance(value, dict) else ((0, value),):
        digits = agreed.hash_digits.get(str(name))
        if digits is None or not isinstance(text, str) or len(text) != digits or not _HEX_DIGITS.issuperset(text):
            raise _refuse("unlisted-property", (*path, name), "A hash of a listed kind, in hexadecimal, is expected.")


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
            hints = find_hints(readable(text), agreed, may_run_on=path == (_PATTERN,))
            warnings.extend(ScopeWarning(hint, pointer_to(path)) for hint in hints)
    return warnings


def _refuse(rule: str, path: Path, detail: str) -> OutOfScopeError:
    return OutOfScopeError(rule=rule, pointer=pointer_to(path), detail=f"{detail} Rule: {agreement().rules[rule]}")
