"""The ingest checklist: from a syntactically sound object to one that is valid STIX 2.1.

What is checked: type, class and common properties, the OASIS schema, times, references, markings, deterministic
ids and patterns. Not checked: signatures and keys, the content of our own extensions, who may publish what, and
anything that depends on other objects. Nothing is corrected: an object is taken as it is, or refused.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from heapq import nsmallest
from itertools import islice
from typing import Any, Final

from exchange.stix.errors import MarkingError, ObjectInvalidError, pointer_to, shown
from exchange.stix.extension_ids import TLP2_EXTENSION
from exchange.stix.fixed import fixed_object, is_fixed
from exchange.stix.identifiers import acceptable_ids, is_uuid5, type_of
from exchange.stix.limits import MAX_NAME_CHARS, MAX_WARNINGS, MIN_NAME_CHARS
from exchange.stix.markings import OPENCTI_AMBER_STRICT_ID, Tlp, label_of, object_labels_of
from exchange.stix.object_classes import (
    CLASS_OF,
    CLASS_OF_NEW_TYPE,
    FORBIDDEN_PROPERTIES,
    RESERVED_PROPERTIES,
    ObjectClass,
)
from exchange.stix.pattern import check_pattern
from exchange.stix.periods import check_times
from exchange.stix.reading import RawObject
from exchange.stix.references import check_references
from exchange.stix.schema import TypeSchema, schema_of_class, schema_of_type
from exchange.stix.selectors import check_granular_markings
from exchange.stix.vocabularies import VOCABULARIES, VOCABULARY_OF

_TYPE_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_PROPERTY_NAME: Final = re.compile(r"[a-z][a-z0-9_]{2,249}|id")
_TYPE_NAME_CHARS: Final = range(MIN_NAME_CHARS, MAX_NAME_CHARS + 1)


@dataclass(frozen=True, slots=True)
class CheckWarning:
    """Something that is allowed and yet worth telling the producer. Fields as in `StixError`."""

    code: str
    message: str
    pointer: str


@dataclass(frozen=True, slots=True)
class CheckedObject:
    """A valid STIX 2.1 object. Nobody has looked at its signature yet.

    raw, members, canonical: as in `RawObject`. version: `modified`, else `created`, None for an observable.
    label: the strictest TLP marking, None if there is none.
    """

    raw: bytes
    members: Mapping[str, Any]
    canonical: bytes
    type: str
    id: str
    version: str | None
    spec_version: str
    label: Tlp | None
    is_sco: bool
    warnings: tuple[CheckWarning, ...]


@dataclass(frozen=True, slots=True)
class _Rules:
    """What is checked of a type, worked out once."""

    object_class: ObjectClass
    schema: TypeSchema
    forbidden: frozenset[str]
    references: frozenset[str]
    vocabularies: Mapping[str, tuple[str, frozenset[str]]]
    is_new: bool


def check_object(raw: RawObject) -> CheckedObject:
    """Check one object against STIX 2.1.

    Raises: ObjectInvalidError or MarkingError with the pointer of the first fault. Codes: `type`, `identifier`,
    `extension`, `forbidden-property`, `reserved-property`, `property-name`, `null`, `empty-list`, `schema`,
    `timestamp`, `order`, `reference`, `id-mismatch`, `pattern`, `value`, `marking`, `selector`, `fixed-object`.
    """
    members = raw.members
    object_type, object_id = _names_of(members)
    rules = _rules_for(object_type, members)
    if is_fixed(object_id):
        if raw.canonical != fixed_object(object_id):
            raise ObjectInvalidError("fixed-object", "This id stands for one fixed body, and this is another.")
        return _checked(raw, object_type, object_id, rules, ())
    _check_shape(raw, rules)
    names = members.keys()
    check_times(members, rules.schema.timestamps & names)
    check_references(members, object_type, rules.references & names)
    _check_markings(members, object_id)
    _check_values(members, object_type)
    if rules.object_class is ObjectClass.SCO and not rules.is_new:
        _check_observable_id(members, object_id)
    return _checked(raw, object_type, object_id, rules, tuple(islice(_warnings(members, rules), MAX_WARNINGS)))


def _checked(
    raw: RawObject, object_type: str, object_id: str, rules: _Rules, warnings: tuple[CheckWarning, ...]
) -> CheckedObject:
    members = raw.members
    is_sco = rules.object_class is ObjectClass.SCO
    return CheckedObject(
        raw=raw.raw,
        members=members,
        canonical=raw.canonical,
        type=object_type,
        id=object_id,
        version=None if is_sco else members.get("modified") or members["created"],
        spec_version=members.get("spec_version", "2.1"),
        label=label_of(members),
        is_sco=is_sco,
        warnings=warnings,
    )


def _names_of(members: Mapping[str, Any]) -> tuple[str, str]:
    """Return type and id, which belong together."""
    object_type, object_id = members.get("type"), members.get("id")
    if not isinstance(object_type, str):
        raise ObjectInvalidError("type", "An object has a type.", "/type" if "type" in members else "")
    if not isinstance(object_id, str):
        raise ObjectInvalidError("identifier", "An object has an id.", "/id" if "id" in members else "")
    if type_of(object_id) != object_type:
        raise ObjectInvalidError("identifier", f"The id of a {shown(object_type)} begins with its type.", "/id")
    return object_type, object_id


def _rules_for(object_type: str, members: Mapping[str, Any]) -> _Rules:
    extensions = members.get("extensions")
    declared = []
    if isinstance(extensions, dict):
        declared = [
            (name, CLASS_OF_NEW_TYPE[kind])
            for name, entry in extensions.items()
            if isinstance(entry, dict)
            and isinstance(kind := entry.get("extension_type"), str)
            and kind in CLASS_OF_NEW_TYPE
        ]
    known_class = CLASS_OF.get(object_type)
    if known_class is not None:
        if declared:
            message = f"{shown(object_type)} is a type of STIX itself, no extension can declare it."
            raise ObjectInvalidError("extension", message, pointer_to(["extensions", declared[0][0]]))
        return _rules_of_type(object_type, known_class)
    if object_type == "bundle" or not declared:
        message = f"{shown(object_type)} is no type of STIX 2.1 and no extension declares it."
        raise ObjectInvalidError("type", message, "/type")
    if len(declared) > 1:
        message = "Only one extension can declare the type of an object."
        raise ObjectInvalidError("extension", message, pointer_to(["extensions", declared[1][0]]))
    if _TYPE_NAME.fullmatch(object_type) is None or len(object_type) not in _TYPE_NAME_CHARS:
        raise ObjectInvalidError("type", f"{shown(object_type)} is no name of a type.", "/type")
    return _rules_of_class(declared[0][1])


@cache
def _rules_of_type(object_type: str, object_class: ObjectClass) -> _Rules:
    schema = schema_of_type(object_type)
    vocabularies = {
        name: (vocabulary, VOCABULARIES.get(vocabulary) or schema.vocabularies[vocabulary])
        for name, vocabulary in VOCABULARY_OF.get(object_type, {}).items()
    }
    return _Rules(object_class, schema, _forbidden(object_class), _reference_names(schema), vocabularies, is_new=False)


@cache
def _rules_of_class(object_class: ObjectClass) -> _Rules:
    schema = schema_of_class(object_class)
    return _Rules(object_class, schema, _forbidden(object_class), _reference_names(schema), {}, is_new=True)


def _forbidden(object_class: ObjectClass) -> frozenset[str]:
    return FORBIDDEN_PROPERTIES[object_class] | RESERVED_PROPERTIES


def _reference_names(schema: TypeSchema) -> frozenset[str]:
    return frozenset(name for name in schema.properties if name.endswith(("_ref", "_refs")))


def _check_shape(raw: RawObject, rules: _Rules) -> None:
    members = raw.members
    forbidden = rules.forbidden & members.keys()
    if forbidden:
        name = min(forbidden)
        code = "reserved-property" if name in RESERVED_PROPERTIES else "forbidden-property"
        message = f"{name} has no place on this sort of object ({rules.object_class.value})."
        raise ObjectInvalidError(code, message, f"/{name}")
    # The bytes may also stand in a text; that costs the walk and nothing else.
    if b"null" in raw.canonical or b"[]" in raw.canonical:
        _check_nothing_is_empty(members)
    rules.schema.check(members)
    if rules.object_class is ObjectClass.EXTENSION_DEFINITION and "created_by_ref" not in members:
        raise ObjectInvalidError("schema", '"created_by_ref" is a required property.')
    for name in members.keys() - rules.schema.properties:
        if _PROPERTY_NAME.fullmatch(name) is None:
            message = f"{shown(name)} is no name of a property."
            raise ObjectInvalidError("property-name", message, pointer_to([name]))


def _check_nothing_is_empty(members: Mapping[str, Any]) -> None:
    """Refuse null and empty lists anywhere (STIX 2.1 sections 2.8 and 3.1)."""
    stack: list[tuple[tuple[str | int, ...], Any]] = [((), members)]
    while stack:
        path, container = stack.pop()
        for step, child in container.items() if isinstance(container, Mapping) else enumerate(container):
            if child is None:
                raise ObjectInvalidError("null", "What has no value is left out, not null.", pointer_to((*path, step)))
            if child == []:
                raise ObjectInvalidError("empty-list", "What has no values is left out.", pointer_to((*path, step)))
            if isinstance(child, dict | list):
                stack.append(((*path, step), child))


def _check_markings(members: Mapping[str, Any], object_id: str) -> None:
    if "granular_markings" in members:
        check_granular_markings(members)
    if members["type"] != "marking-definition":
        return
    if object_id == OPENCTI_AMBER_STRICT_ID:
        message = "TLP:AMBER+STRICT has an official marking-definition; this private one is understood, never kept."
        raise MarkingError("marking", message, "/id")
    if members.get("definition_type") == "tlp" or TLP2_EXTENSION in members.get("extensions", {}):
        raise MarkingError("marking", "Only the official marking-definitions stand for TLP labels.", "/id")


def _check_values(members: Mapping[str, Any], object_type: str) -> None:
    if object_type == "indicator" and members["pattern_type"] == "stix":
        check_pattern(members["pattern"])
    elif object_type == "ipv6-addr":
        try:
            ipaddress.IPv6Interface(members["value"])
        except ValueError:
            message = f"{shown(members['value'])} is no IPv6 address or network."
            raise ObjectInvalidError("value", message, "/value") from None


def _check_observable_id(members: Mapping[str, Any], object_id: str) -> None:
    """Recompute a name-based id (STIX 2.1 section 2.9); which namespace made it cannot be seen from the id."""
    if is_uuid5(object_id) and object_id not in acceptable_ids(members):
        message = "The id is name-based, but it is not the one that follows from the properties."
        raise ObjectInvalidError("id-mismatch", message, "/id")


def _warnings(members: Mapping[str, Any], rules: _Rules) -> Iterator[CheckWarning]:
    for name in rules.vocabularies.keys() & members.keys():
        vocabulary, terms = rules.vocabularies[name]
        value = members[name]
        for position, term in enumerate(value if isinstance(value, list) else [value]):
            if term not in terms:
                pointer = f"/{name}/{position}" if isinstance(value, list) else f"/{name}"
                yield CheckWarning("vocabulary", f"{shown(term)} is not in {vocabulary}.", pointer)
    if not rules.is_new:
        yield from _unknown_properties(members, rules)
    labels = object_labels_of(members)
    if len(labels) > 1:
        message = f"Several TLP labels; the strictest counts: {max(labels)}."
        yield CheckWarning("several-labels", message, "/object_marking_refs")


def _unknown_properties(members: Mapping[str, Any], rules: _Rules) -> Iterator[CheckWarning]:
    unknown = members.keys() - rules.schema.properties
    if not unknown:
        return
    entries = members.get("extensions", {}).values()
    if any(entry.get("extension_type") == "toplevel-property-extension" for entry in entries):
        return
    for name in nsmallest(MAX_WARNINGS, unknown):
        message = f"{shown(name)} is no property of STIX 2.1 and no extension declares it."
        yield CheckWarning("unknown-property", message, pointer_to([name]))
