"""The shape of Sigma documents, checked before pySigma sees them.

pySigma assumes well-typed input and bounded conditions, and accepts several things that the specification forbids
(sigma specification 2.1.0: rules, correlations, filters). What a condition means is left to `parsing.py`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from exchange.stix.errors import shown
from signatures.sigma.limits import (
    MAX_CONDITION_CHARS,
    MAX_CONDITION_NEGATIONS,
    MAX_CONDITION_NESTING,
    MAX_CONDITION_VALUES,
    MAX_CONDITIONS,
    MAX_DESCRIPTION_CHARS,
    MAX_EXPANDED_DASHES,
    MAX_MODIFIERS,
    MAX_SELECTOR_STARS,
    MAX_VALUE_CHARS,
)
from signatures.sigma.yaml_reading import YamlDocument

RULE_KEYS: Final = frozenset(
    [
        "title",
        "id",
        "related",
        "name",
        "taxonomy",
        "status",
        "description",
        "license",
        "author",
        "references",
        "date",
        "modified",
        "logsource",
        "detection",
        "correlation",
        "filter",
        "fields",
        "falsepositives",
        "level",
        "tags",
        "scope",
        "generate",
    ]
)
_TEXT_KEYS: Final = ("title", "id", "name", "status", "description", "license", "author", "level", "taxonomy")
_LIST_KEYS: Final = ("references", "fields", "falsepositives", "tags", "scope")
_TAG: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")
_NEGATION: Final = re.compile(r"\bnot\b", re.IGNORECASE)
_SELECTOR: Final = re.compile(r"\bof\s+(\S+)")


def check_shape(document: YamlDocument) -> None:
    """Check one document's keys, types and bounds.

    Raises: ObjectInvalidError with the place.
    """
    value = document.value
    if not isinstance(value, dict):
        raise document.fault("sigma-not-a-map", "a Sigma document is a map.")
    kinds = [key for key in ("detection", "correlation", "filter") if key in value]
    if len(kinds) != 1:
        raise document.fault("sigma-kind", "a document has exactly one of `detection`, `correlation` and `filter`.")
    if "action" in value:
        raise document.fault("sigma-action", "the obsolete `action` documents are refused.", ("action",))
    _check_common(document, value)
    if kinds != ["correlation"]:
        _check_logsource(document, value.get("logsource"))
        _check_detections(document, value[kinds[0]], kinds[0])


def _check_common(document: YamlDocument, value: Mapping[str, Any]) -> None:
    for key in _TEXT_KEYS:
        if key in value and (not isinstance(value[key], str) or not value[key].strip()):
            raise document.fault("sigma-type", f"`{key}` is a non-empty text.", (key,))
    for key in _LIST_KEYS:
        if key in value and not _is_list_of_text(value[key]):
            raise document.fault("sigma-type", f"`{key}` is a list of texts.", (key,))
    if "title" not in value:
        raise document.fault("sigma-title", "a document needs a `title`.")
    if len(value.get("description", "")) > MAX_DESCRIPTION_CHARS:
        raise document.fault("sigma-description", "the description is too long.", ("description",))
    if "id" in value and not _is_uuid(value["id"]):
        raise document.fault("sigma-id", "`id` is a UUID in its hyphenated form.", ("id",))
    for position, tag in enumerate(value.get("tags", ())):
        if _TAG.fullmatch(tag) is None:
            raise document.fault(
                "sigma-tag", f"{shown(tag)} is not `namespace.value` in lower case.", ("tags", position)
            )
    _check_related(document, value.get("related", []))


def _check_related(document: YamlDocument, related: Any) -> None:
    is_list = isinstance(related, list)
    if not is_list or not all(
        isinstance(item, dict)
        and item.keys() == {"id", "type"}
        and _is_uuid(item["id"])
        and isinstance(item["type"], str)
        for item in related
    ):
        raise document.fault(
            "sigma-related", "`related` is a list of maps with `id` (a UUID) and `type`.", ("related",)
        )


def _check_logsource(document: YamlDocument, logsource: Any) -> None:
    if (
        not isinstance(logsource, dict)
        or not logsource.keys() & {"category", "product", "service"}
        or not all(isinstance(item, str) and item for item in logsource.values())
    ):
        raise document.fault(
            "sigma-logsource",
            "`logsource` is a map of texts with a `category`, `product` or `service`.",
            ("logsource",),
        )


def _check_detections(document: YamlDocument, detections: Any, kind: str) -> None:
    if not isinstance(detections, dict):
        raise document.fault("sigma-type", f"`{kind}` is a map.", (kind,))
    if "condition" not in detections:
        raise document.fault("sigma-condition", f"`{kind}` needs a `condition`.", (kind,))
    reserved = {"condition", "rules"} if kind == "filter" else {"condition"}
    if not detections.keys() - reserved:
        raise document.fault("sigma-selection", f"`{kind}` needs at least one selection.", (kind,))
    check_conditions(document, detections["condition"], (kind, "condition"))
    if kind == "filter" and not _is_filter_target(detections.get("rules")):
        raise document.fault("sigma-filter", "`rules` is `any` or a list of ids or names.", (kind, "rules"))
    for name, definition in detections.items():
        if name not in reserved:
            _check_definition(document, definition, (kind, name), may_nest=True)
    _check_expansion(document, detections, kind)


def _check_expansion(document: YamlDocument, detections: Mapping[str, Any], kind: str) -> None:
    conditions = detections["condition"]
    words = sum(len(text.split()) for text in (conditions if isinstance(conditions, list) else [conditions]))
    if words * _count_values(detections) > MAX_CONDITION_VALUES:
        raise document.fault(
            "sigma-condition-too-complex", "the condition repeats too many values.", (kind, "condition")
        )


def _count_values(definition: Any) -> int:
    if isinstance(definition, dict | list):
        inner = definition.values() if isinstance(definition, dict) else definition
        return sum(map(_count_values, inner))
    return 1


def check_conditions(document: YamlDocument, conditions: Any, path: tuple[str | int, ...]) -> None:
    """Check that a condition, or a list of them, is text that can be parsed at bounded cost.

    Raises: ObjectInvalidError.
    """
    listed = conditions if isinstance(conditions, list) else [conditions]
    if not listed or len(listed) > MAX_CONDITIONS or not all(isinstance(item, str) for item in listed):
        raise document.fault("sigma-condition", "a condition is a text, or a short list of texts.", path)
    for condition in listed:
        stars = [pattern.count("*") for pattern in _SELECTOR.findall(condition)]
        if (
            len(condition) > MAX_CONDITION_CHARS
            or _nesting(condition) > MAX_CONDITION_NESTING
            or len(_NEGATION.findall(condition)) > MAX_CONDITION_NEGATIONS
            or max(stars, default=0) > MAX_SELECTOR_STARS
        ):
            raise document.fault("sigma-condition-too-complex", "the condition is too long or too deeply nested.", path)


def _check_definition(document: YamlDocument, definition: Any, path: tuple[str | int, ...], *, may_nest: bool) -> None:
    if isinstance(definition, dict):
        if not definition:
            raise document.fault("sigma-selection", "the selection is empty.", path)
        for key, value in definition.items():
            _check_field(document, key, value, (*path, key))
    elif isinstance(definition, list) and may_nest:
        if not definition:
            raise document.fault("sigma-selection", "the selection is empty.", path)
        for position, item in enumerate(definition):
            _check_definition(document, item, (*path, position), may_nest=False)
    elif isinstance(definition, str | int | float) and not isinstance(definition, bool):
        _check_value(document, definition, path, dashes=False)
    else:
        raise document.fault("sigma-selection", "a selection is a map, a list or a text.", path)


def _check_field(document: YamlDocument, key: str, value: Any, path: tuple[str | int, ...]) -> None:
    modifiers = key.split("|")[1:]
    if len(modifiers) > MAX_MODIFIERS:
        raise document.fault("sigma-modifier", f"{shown(key)} has too many modifiers.", path)
    values = value if isinstance(value, list) else [value]
    if not values:
        raise document.fault("sigma-value", f"{shown(key)} has no value.", path)
    for position, item in enumerate(values):
        where = (*path, position) if isinstance(value, list) else path
        if item is None and isinstance(value, list):
            raise document.fault("sigma-value", "`null` stands alone, never inside a list.", where)
        if item is not None:
            _check_value(document, item, where, dashes="windash" in modifiers)


def _check_value(document: YamlDocument, value: Any, path: tuple[str | int, ...], *, dashes: bool) -> None:
    if not isinstance(value, str | int | float):
        raise document.fault("sigma-value", "a value is a text, a number or a truth value.", path)
    if isinstance(value, str) and len(value) > MAX_VALUE_CHARS:
        raise document.fault("sigma-value", f"the value has more than {MAX_VALUE_CHARS} characters.", path)
    if dashes and isinstance(value, str) and len(re.findall(r"[-/]", value)) > MAX_EXPANDED_DASHES:
        raise document.fault("sigma-value", "`windash` with that many dashes expands without bound.", path)


def _nesting(condition: str) -> int:
    depth = deepest = 0
    for character in condition:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def _is_filter_target(rules: Any) -> bool:
    return rules == "any" or (isinstance(rules, list) and bool(rules) and _is_list_of_text(rules))


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and _all_text(value)


def _all_text(values: Iterable[Any]) -> bool:
    return all(isinstance(item, str) and item.strip() for item in values)


def _is_uuid(text: Any) -> bool:
    try:
        return isinstance(text, str) and str(UUID(text)) == text.lower()
    except ValueError:
        return False
