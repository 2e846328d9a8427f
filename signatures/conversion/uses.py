"""The walk over a checked Sigma document that finds every construct in it, with its place.

What a value is, pySigma says; where it stands, the YAML tree. Nothing is decided here.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv6Network
from typing import Any, Final

from sigma.correlations import CorrelationConditionNOT, SigmaExtendedCorrelationCondition
from sigma.rule.detection import SigmaDetectionItem
from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from exchange.stix.errors import shown
from signatures.conversion.constructs import CATEGORIES, FIELD_NAME, PRODUCT, Construct, Use
from signatures.conversion.values import both_cases
from signatures.sigma.yaml_reading import YamlDocument

Path = tuple[str | int, ...]

# Lookaround, named groups, inline flags, possessive quantifiers, back references, classes by property: engines differ.
_BEYOND_REGEX: Final = re.compile(r"\(\?(?!:)|[*+?}]\+|(?<!\\)(?:\\\\)*\\(?:[0-9kgKGRXpPQEAZzbBhHvVcCx]|[^\x00-\x7f])")
_COUNTS: Final = frozenset({"event_count", "value_count"})
_TYPES: Final = {
    "event_count": Construct.EVENT_COUNT,
    "value_count": Construct.VALUE_COUNT,
    "value_sum": Construct.VALUE_SUM,
    "value_avg": Construct.VALUE_AVG,
    "value_percentile": Construct.VALUE_PERCENTILE,
    "temporal": Construct.TEMPORAL,
    "temporal_ordered": Construct.ORDERED,
}


def uses_in(document: YamlDocument, correlations: frozenset[str]) -> Iterator[Use]:
    """Everything that a checked document uses, in the order of the text.

    correlations: names and ids of the correlations of the same text.
    """
    value = document.value
    if "correlation" in value:
        yield from _correlation_uses(document, value["correlation"], correlations)
        return
    kind = "filter" if "filter" in value else "detection"
    if kind == "filter":
        yield Use(Construct.FILTER, _place(document, (kind,)))
    yield from _log_source_uses(document, value["logsource"])
    reserved = {"condition", "rules"} if kind == "filter" else {"condition"}
    for name, definition in value[kind].items():
        if name not in reserved:
            yield from _definition_uses(document, definition, (kind, name))
    conditions = value[kind]["condition"]
    if any(re.search(r"\bnot\b", text, re.IGNORECASE) for text in _listed(conditions)):
        yield Use(Construct.NOT, _place(document, (kind, "condition")))


def _log_source_uses(document: YamlDocument, source: Mapping[str, Any]) -> Iterator[Use]:
    category, product = source.get("category"), source.get("product", PRODUCT)
    if "service" in source:
        yield Use(Construct.SERVICE, _place(document, ("logsource", "service")), shown(source["service"]))
    if category not in CATEGORIES or product != PRODUCT:
        yield Use(Construct.LOG_SOURCE, _place(document, ("logsource",)), shown(category if category else product))


def _definition_uses(document: YamlDocument, definition: Any, path: Path) -> Iterator[Use]:
    if isinstance(definition, dict):
        for key, value in definition.items():
            yield from _item_uses(document, key, value, (*path, key))
    elif isinstance(definition, list):
        for position, item in enumerate(definition):
            yield from _definition_uses(document, item, (*path, position))
    else:
        yield Use(Construct.KEYWORD, _place(document, path), shown(definition))


def _item_uses(document: YamlDocument, key: str, value: Any, path: Path) -> Iterator[Use]:
    item = SigmaDetectionItem.from_mapping(key, value)
    place = _place(document, path)
    if item.field is None:
        yield Use(Construct.KEYWORD, place, shown(value))
        return
    if FIELD_NAME.fullmatch(item.field) is None:
        yield Use(Construct.FIELD_NAME, place, shown(item.field))
    if "neq" in key.split("|")[1:]:
        yield Use(Construct.NOT, place, "neq")
    for typed in _listed(item.value):
        for construct, detail in value_uses(typed):
            yield Use(construct, place, detail, item.field)
        if isinstance(typed, SigmaFieldReference):
            yield Use(Construct.FIELDREF, place, shown(typed.field), typed.field)


def value_uses(value: Any) -> Iterator[tuple[Construct, str]]:
    """(construct, detail) of one value of pySigma's."""
    if isinstance(value, SigmaExpansion):
        for inner in value.values:
            yield from value_uses(inner)
    elif isinstance(value, SigmaString):
        yield from _text_uses(value)
    elif isinstance(value, SigmaTimestampPart):
        yield Construct.TIME_PART, str(value.timestamp_part.name.lower())
    elif isinstance(value, SigmaRegularExpression):
        yield from _regex_uses(value)
    elif isinstance(value, SigmaCIDRExpression):
        yield Construct.CIDR_6 if isinstance(value.network, IPv6Network) else Construct.CIDR_4, shown(value.cidr)
    elif isinstance(value, SigmaFieldReference):
        is_part = value.starts_with or value.ends_with
        yield Construct.FIELDREF_PART if is_part else Construct.FIELDREF, shown(value.field)
        if FIELD_NAME.fullmatch(value.field) is None:
            yield Construct.FIELD_NAME, shown(value.field)
    else:
        yield next(found for kind, found in _SIMPLE if isinstance(value, kind)), ""


_SIMPLE: Final = (
    (SigmaBool, Construct.BOOLEAN),
    (SigmaCompareExpression, Construct.COMPARISON),
    (SigmaNull, Construct.NULL),
    (SigmaExists, Construct.EXISTS),
    (SigmaNumber, Construct.NUMBER),
    (object, Construct.PLACEHOLDER),
)


def _text_uses(value: SigmaString) -> Iterator[tuple[Construct, str]]:
    yield Construct.CASED if isinstance(value, SigmaCasedString) else Construct.TEXT, ""
    if not any(value.s):
        yield Construct.EMPTY, ""
    for part in value.s:
        if part is SpecialChars.WILDCARD_MULTI:
            yield Construct.WILDCARD_MANY, ""
        elif part is SpecialChars.WILDCARD_SINGLE:
            yield Construct.WILDCARD_ONE, ""
        elif isinstance(part, Placeholder):
            yield Construct.PLACEHOLDER, shown(part.name)
        elif isinstance(part, str):
            yield from _characters_uses(part)


def _characters_uses(part: str) -> Iterator[tuple[Construct, str]]:
    if any(len(both_cases(character)) > 1 for character in part if not character.isascii()):
        yield Construct.TEXT_BEYOND_ASCII, shown(part)
    if set(part) & set("*?"):
        yield Construct.LITERAL_WILDCARD, shown(part)
    if "`" in part:
        yield Construct.BACKTICK, shown(part)
    if has_control_character(part):
        yield Construct.CONTROL_CHARACTER, shown(part)


def _regex_uses(value: SigmaRegularExpression) -> Iterator[tuple[Construct, str]]:
    text = str(value.regexp)
    yield Construct.REGEX, shown(text)
    if value.flags:
        yield Construct.REGEX_FLAGS, shown(text)
    is_folded = SigmaRegularExpressionFlag.IGNORECASE in value.flags
    if _BEYOND_REGEX.search(text) or (is_folded and not text.isascii()):
        yield Construct.REGEX_BEYOND, shown(text)
    if "`" in text:
        yield Construct.BACKTICK, shown(text)
    if has_control_character(text):
        yield Construct.CONTROL_CHARACTER, shown(text)


def has_control_character(text: str) -> bool:
    """Whether anything in it ends a line, moves a cursor, or turns the order in which a person reads."""
    return not text.isprintable()


def _correlation_uses(
    document: YamlDocument, correlation: Mapping[str, Any], correlations: frozenset[str]
) -> Iterator[Use]:
    kind = correlation["type"]
    yield Use(_TYPES[kind], _place(document, ("correlation", "type")))
    rules = correlation["rules"]
    chained = [position for position, rule in enumerate(rules) if rule in correlations or rule.lower() in correlations]
    for position in chained:
        yield Use(Construct.CHAINED, _place(document, ("correlation", "rules", position)), shown(rules[position]))
    if len(rules) > 1 and not kind.startswith("temporal"):
        yield Use(Construct.SEVERAL_RULES, _place(document, ("correlation", "rules")))
    if kind == "temporal_ordered" and len(rules) > 2:
        yield Use(Construct.ORDERED_LONG, _place(document, ("correlation", "rules")))
    yield from _condition_uses(document, kind, correlation.get("condition"), len(rules))
    if correlation.get("aliases"):
        yield Use(Construct.ALIASES, _place(document, ("correlation", "aliases")))
    if correlation.get("generate"):
        yield Use(Construct.GENERATE, _place(document, ("correlation", "generate")))
    aliases = correlation.get("aliases", {})
    for name in _named_fields(correlation):
        if name not in aliases:
            yield Use(_TYPES[kind], _place(document, ("correlation", "type")), "", name)
        if FIELD_NAME.fullmatch(name) is None:
            yield Use(Construct.FIELD_NAME, _place(document, ("correlation",)), shown(name))


def _condition_uses(document: YamlDocument, kind: str, condition: Any, rules: int) -> Iterator[Use]:
    place = _place(document, ("correlation", "condition"))
    if kind in _COUNTS and (condition.keys() & {"lt", "lte", "eq", "neq"} or _is_always(condition)):
        yield Use(Construct.COUNT_BELOW, place)
    if not kind.startswith("temporal") or condition in (None, {"gte": rules}, {"eq": rules}):
        return
    yield Use(Construct.TEMPORAL_CONDITION if kind == "temporal" else Construct.ORDERED_CONDITION, place)
    if isinstance(condition, str):
        if _negates(SigmaExtendedCorrelationCondition(condition).parsed):
            yield Use(Construct.TEMPORAL_NOT, place)
    elif condition.keys() & {"lt", "lte", "eq", "neq"} or _is_always(condition):
        yield Use(Construct.COUNT_BELOW, place)


def _is_always(condition: Mapping[str, Any]) -> bool:
    return bool(condition.get("gte", 1) < 1 or condition.get("gt", 0) < 0)


def _negates(node: Any) -> bool:
    return isinstance(node, CorrelationConditionNOT) or any(_negates(child) for child in getattr(node, "args", ()))


def _named_fields(correlation: Mapping[str, Any]) -> Iterator[str]:
    yield from correlation["group-by"]
    for alias, mapping in correlation.get("aliases", {}).items():
        yield alias
        yield from mapping.values()
    condition = correlation.get("condition")
    if isinstance(condition, dict) and "field" in condition:
        yield condition["field"]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _place(document: YamlDocument, path: Path) -> str:
    return f"document {document.number}, {document.place(path)}"
