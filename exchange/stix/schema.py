"""The OASIS JSON schemas of STIX 2.1, compiled once per type.

They come with PyPI `stix2-validator` and are read from there, with the corrections below; that package's own
code is not imported. What no JSON schema can say (order of times, targets of references, ids) is in `checks.py`.

Where the published schemas are laxer than STIX 2.1, and what is done about it:
- `spec_version` may be 2.0; identifiers may have capitals (see `identifiers.py`): corrected here;
- names of properties are matched without an anchor: corrected here;
- common properties that a class must not have; `created_by_ref` of an extension-definition; references of
  observables, which are plain strings; targets of `created_by_ref`, `object_marking_refs` and of references to an
  extension-definition; days that do not exist; empty lists outside known properties: `checks.py`.
Where they are stricter:
- a granular marking must have `marking_ref`, though `lang` may stand in its place, and selectors may not hold the
  capitals of `hashes.SHA-256`: corrected here, checked in `selectors.py`;
- the expression for IPv6 has lost its backslashes: it refuses `::ffff:192.0.2.1` and accepts `sss::1`; corrected
  here, checked in `checks.py`;
- an extension's members need three letters, but `at` of our withdrawal extension has two: corrected here.
A windows-registry-key with nothing but `modified_time`, or a process with nothing but `created_time`, is refused
by a slip in their lists of names; nobody needs such an object, so that stays.
"""

import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from exchange.stix.errors import ObjectInvalidError, pointer_to
from exchange.stix.object_classes import CLASS_OF, ObjectClass

_BASE_URI: Final = "http://raw.githubusercontent.com/oasis-open/cti-stix2-json-schemas/stix2.1/schemas/"
# Long enough for the schemas' own words; what follows is mostly a regular expression.
_MAX_MESSAGE_CHARS: Final = 160
_COMPOSED_OF: Final = ("allOf", "oneOf", "anyOf")
_FOLDER_OF_CLASS: Final = {ObjectClass.SDO: "sdos", ObjectClass.SRO: "sros", ObjectClass.SCO: "observables"}

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TypeSchema:
    """A compiled schema and what can be read off it.

    properties: the names it knows. timestamps: those that hold a timestamp. vocabularies: by vocabulary name.
    """

    validator: jsonschema_rs.Draft202012Validator
    properties: frozenset[str]
    timestamps: frozenset[str]
    vocabularies: dict[str, frozenset[str]]

    def check(self, members: Any) -> None:
        """Accept members that fit. Raises: ObjectInvalidError (`schema`) with the pointer of the first fault."""
        if self.validator.is_valid(members):
            return
        try:
            self.validator.validate(members)
        except jsonschema_rs.ValidationError as error:
            message, pointer = _readable(error.message), pointer_to(error.instance_path)
            raise ObjectInvalidError("schema", message, pointer) from None


@cache
def schema_of_type(object_type: str) -> TypeSchema:
    """Return the schema of a type of STIX 2.1 itself. Raises: KeyError for other types."""
    return _type_schema(f"{_FOLDER_OF_CLASS.get(CLASS_OF[object_type], 'common')}/{object_type}.json")


@cache
def schema_of_class(object_class: ObjectClass) -> TypeSchema:
    """Return the schema of what all objects of a class share, for types that an extension adds."""
    return _type_schema("common/cyber-observable-core.json" if object_class is ObjectClass.SCO else "common/core.json")


def _type_schema(name: str) -> TypeSchema:
    schema = _load(name)
    compiled = jsonschema_rs.validator_for(
        schema,
        retriever=_retrieve,
        # Linear in the length of the text, whatever the expression: the text is hostile.
        pattern_options=jsonschema_rs.RegexOptions(),
        mask="the value",
    )
    if not isinstance(compiled, jsonschema_rs.Draft202012Validator):
        raise TypeError(f"the schema {name} is not of JSON Schema 2020-12")
    properties: set[str] = set()
    timestamps: set[str] = set()
    for property_name, described in _properties_in(schema):
        properties.add(property_name)
        if any(part.get("$ref") == "../common/timestamp.json" for part in (described, *described.get("allOf", ()))):
            timestamps.add(property_name)
    vocabularies = {
        key: frozenset(described["enum"])
        for key, described in schema.get("definitions", {}).items()
        if key.endswith("-ov") and "enum" in described
    }
    return TypeSchema(compiled, frozenset(properties), frozenset(timestamps), vocabularies)


def _properties_in(schema: Schema) -> Iterator[tuple[str, Any]]:
    """Yield the properties that a schema names for the object itself, through composition and references."""
    yield from schema.get("properties", {}).items()
    for keyword in _COMPOSED_OF:
        for part in schema.get(keyword, ()):
            yield from _properties_in(part)
    reference = schema.get("$ref", "")
    if reference.startswith("../common/"):
        yield from _properties_in(_load(reference.removeprefix("../")))


def _retrieve(uri: str) -> Schema:
    """Serve a reference between the schemas from the package; nothing is ever fetched."""
    if not uri.startswith(_BASE_URI):
        raise LookupError(f"no schema {uri} is installed")
    return _load(uri.removeprefix(_BASE_URI))


@cache
def _folder() -> Path:
    spec = importlib.util.find_spec("stix2validator")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("stix2-validator, which carries the JSON schemas of STIX 2.1, is not installed")
    return Path(spec.submodule_search_locations[0]) / "schemas-2.1" / "schemas"


def _load(name: str) -> Schema:
    schema: Schema = json.loads((_folder() / name).read_text(encoding="utf-8"))
    correct = _CORRECTIONS.get(name)
    if correct is not None:
        correct(schema)
    return schema


def _correct_version(schema: Schema) -> None:
    schema["properties"]["spec_version"]["enum"] = ["2.1"]


def _correct_identifier(schema: Schema) -> None:
    hexadecimal = "[0-9a-f]"
    uuid = f"{hexadecimal}{{8}}-{hexadecimal}{{4}}-[1-5]{hexadecimal}{{3}}-[89ab]{hexadecimal}{{3}}-{hexadecimal}{{12}}"
    schema["pattern"] = f"^[a-z][a-z0-9]*(-[a-z0-9]+)*--{uuid}$"


def _correct_names(schema: Schema) -> None:
    by_pattern = schema["patternProperties"]
    by_pattern["^([a-z][a-z0-9_]{2,249}|id)$"] = by_pattern.pop("^([a-z][a-z0-9_]{2,249})|id$")


def _correct_extension(schema: Schema) -> None:
    schema["allOf"] = [
        {
            "patternProperties": {
                "_bin$": {"$ref": "../common/binary.json"},
                "_hex$": {"$ref": "../common/hex.json"},
            }
        }
    ]


def _correct_granular_marking(schema: Schema) -> None:
    schema["required"] = ["selectors"]
    del schema["properties"]["selectors"]["items"]["pattern"]


def _correct_ipv6(schema: Schema) -> None:
    for part in schema["allOf"]:
        part.get("properties", {}).get("value", {}).pop("pattern", None)


_CORRECTIONS: Final[dict[str, Callable[[Schema], None]]] = {
    "common/core.json": _correct_version,
    "common/cyber-observable-core.json": _correct_version,
    "common/marking-definition.json": _correct_version,
    "common/identifier.json": _correct_identifier,
    "common/properties.json": _correct_names,
    "common/extension.json": _correct_extension,
    "common/granular-marking.json": _correct_granular_marking,
    "observables/ipv6-addr.json": _correct_ipv6,
}


def _readable(message: str) -> str:
    """Return the schema library's words, without what a hostile name could smuggle into a terminal or log."""
    printable = "".join(letter if " " <= letter <= "~" else "?" for letter in message[: _MAX_MESSAGE_CHARS + 1])
    if len(printable) > _MAX_MESSAGE_CHARS:
        printable = printable[: _MAX_MESSAGE_CHARS - 3] + "..."
    return printable[:1].upper() + printable[1:] + "."
