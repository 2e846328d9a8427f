"""The checks of Sigma correlations that pySigma does not make (specification 2.1.0, correlation rules).

Shape, one time unit, mandatory group-by, references without circles. Each text has to be whole in itself: what a
correlation or a filter refers to stands in the same text, because that is what gets signed.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from exchange.stix.errors import ObjectInvalidError, shown
from signatures.sigma.shape import check_conditions
from signatures.sigma.yaml_reading import YamlDocument

_TYPES: Final = frozenset(
    ["event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile"]
)
_OPERATORS: Final = frozenset(["gt", "gte", "lt", "lte", "eq", "neq"])
_KEYS: Final = frozenset(["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"])
# The specification's units; pySigma's weeks, months and years are its own.
_TIMESPAN: Final = re.compile(r"[1-9][0-9]{0,6}[smhd]")


def check_correlation(document: YamlDocument) -> None:
    """Check the `correlation` of one document, references aside.

    Raises: ObjectInvalidError with the place.
    """
    correlation = document.value["correlation"]
    if not isinstance(correlation, dict):
        raise document.fault("sigma-type", "`correlation` is a map.", ("correlation",))
    unknown = sorted(correlation.keys() - _KEYS)
    if unknown:
        raise document.fault("sigma-correlation", f"unknown key {shown(unknown[0])}.", ("correlation", unknown[0]))
    kind = correlation.get("type")
    if kind not in _TYPES:
        raise document.fault("sigma-correlation-type", f"{shown(kind)} is no type.", ("correlation", "type"))
    for key in ("rules", "group-by"):
        _check_names(document, correlation, key)
    if not isinstance(correlation.get("timespan"), str) or not _TIMESPAN.fullmatch(correlation["timespan"]):
        raise document.fault(
            "sigma-timespan", "`timespan` is a number followed by s, m, h or d.", ("correlation", "timespan")
        )
    if not isinstance(correlation.get("generate", False), bool):
        raise document.fault("sigma-type", "`generate` is true or false.", ("correlation", "generate"))
    _check_condition(document, correlation.get("condition"), kind)
    _check_aliases(document, correlation.get("aliases", {}))


def _check_names(document: YamlDocument, correlation: Mapping[str, Any], key: str) -> None:
    names = correlation.get(key)
    path = ("correlation", key)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise document.fault(f"sigma-{key}", f"`{key}` is a list of at least one text.", path)
    if len(set(names)) != len(names):
        raise document.fault(f"sigma-{key}", f"`{key}` names something twice.", path)


def _check_condition(document: YamlDocument, condition: Any, kind: str) -> None:
    path = ("correlation", "condition")
    is_temporal = kind in {"temporal", "temporal_ordered"}
    if is_temporal and condition is None:
        return
    if is_temporal and isinstance(condition, str):
        check_conditions(document, condition, path)
        return
    if not isinstance(condition, dict):
        raise document.fault("sigma-correlation-condition", "the condition is a map.", path)
    if len(condition.keys() & _OPERATORS) != 1:
        raise document.fault(
            "sigma-correlation-condition",
            "the condition has exactly one operator; chain two correlations for a range.",
            path,
        )
    for name, value in condition.items():
        _check_condition_member(document, name, value)
    if ("field" in condition) != kind.startswith("value_"):
        raise document.fault("sigma-correlation-condition", "`field` belongs to value_* types, always.", path)


def _check_condition_member(document: YamlDocument, name: str, value: Any) -> None:
    path = ("correlation", "condition", name)
    if name == "field":
        if not isinstance(value, str) or not value:
            raise document.fault("sigma-correlation-condition", "`field` is one field name.", path)
    elif name == "percentile":
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 100:
            raise document.fault("sigma-correlation-condition", "`percentile` is 1 to 99.", path)
    elif name not in _OPERATORS:
        raise document.fault("sigma-correlation-condition", f"unknown key {shown(name)}.", path)
    elif not isinstance(value, int) or isinstance(value, bool):
        # pySigma would cut a fraction off without a word, and change what the rule says.
        raise document.fault("sigma-correlation-condition", "a threshold is a whole number.", path)


def _check_aliases(document: YamlDocument, aliases: Any) -> None:
    path = ("correlation", "aliases")
    if not isinstance(aliases, dict) or not all(
        isinstance(mapping, dict) and mapping and all(isinstance(field, str) and field for field in mapping.values())
        for mapping in aliases.values()
    ):
        raise document.fault("sigma-aliases", "`aliases` maps an alias to rules and their fields.", path)


def check_references(documents: Sequence[YamlDocument]) -> frozenset[int]:
    """Check names, ids and references across documents; return the numbers of documents that others refer to.

    Raises: ObjectInvalidError for a duplicate name or id, a reference to nothing, a circle.
    """
    known = _index(documents)
    targets = {document.number: _targets(document, known) for document in documents}
    _check_circles(documents, targets)
    return frozenset(
        target for document in documents if "correlation" in document.value for target in targets[document.number]
    )


def _index(documents: Sequence[YamlDocument]) -> dict[str, int]:
    known: dict[str, int] = {}
    for document in documents:
        for key in ("id", "name"):
            if key not in document.value:
                continue
            text = document.value[key].lower() if key == "id" else document.value[key]
            if text in known:
                raise document.fault(f"sigma-duplicate-{key}", f"{shown(text)} is used twice.", (key,))
            known[text] = document.number
    return known


def _targets(document: YamlDocument, known: Mapping[str, int]) -> list[int]:
    kind = "correlation" if "correlation" in document.value else "filter"
    section = document.value.get(kind, {})
    rules = section.get("rules", []) if "detection" not in document.value else []
    references = [] if rules == "any" else list(rules)
    for mapping in section.get("aliases", {}).values() if kind == "correlation" else ():
        references.extend(mapping)
    found = []
    for reference in references:
        number = known.get(reference, known.get(reference.lower()))
        if number is None:
            raise document.fault("sigma-unknown-rule", f"{shown(reference)} is no rule of this text.", (kind, "rules"))
        found.append(number)
    return found


def _check_circles(documents: Sequence[YamlDocument], targets: Mapping[int, list[int]]) -> None:
    done: set[int] = set()
    for document in documents:
        # At most MAX_DOCUMENTS deep.
        _visit(document.number, targets, done, set(), document)


def _visit(
    number: int, targets: Mapping[int, list[int]], done: set[int], path: set[int], document: YamlDocument
) -> None:
    if number in path:
        raise _circle(document)
    if number in done:
        return
    for target in targets[number]:
        _visit(target, targets, done, path | {number}, document)
    done.add(number)


def _circle(document: YamlDocument) -> ObjectInvalidError:
    return document.fault("sigma-circular", "the references run in a circle.", ("correlation", "rules"))
