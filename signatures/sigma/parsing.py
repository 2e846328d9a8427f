"""From checked documents to pySigma's rules, every condition parsed.

pySigma resolves references and conditions late and leaks errors of other libraries; here everything is forced at once
and every failure becomes one error with a place. Nothing is converted to a query.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sigma import exceptions as sigma_errors
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.filters import SigmaFilter
from sigma.rule import SigmaRule

from exchange.stix.errors import ObjectInvalidError, shown
from signatures.sigma.yaml_reading import YamlDocument

# What pySigma raises on input that it did not foresee; its own errors are ValueErrors.
_FAILURES: Final = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RecursionError,
    ArithmeticError,
    re.error,
    sigma_errors.SigmaError,
)
_PATHS: Final[tuple[tuple[type[Exception], tuple[str, ...]], ...]] = (
    (sigma_errors.SigmaConditionError, ("detection", "condition")),
    (sigma_errors.SigmaDetectionError, ("detection",)),
    (sigma_errors.SigmaModifierError, ("detection",)),
    (sigma_errors.SigmaRegularExpressionError, ("detection",)),
    (sigma_errors.SigmaCorrelationConditionError, ("correlation", "condition")),
    (sigma_errors.SigmaCorrelationRuleError, ("correlation",)),
    (sigma_errors.SigmaFilterError, ("filter",)),
    (sigma_errors.SigmaLogsourceError, ("logsource",)),
    (sigma_errors.SigmaLevelError, ("level",)),
    (sigma_errors.SigmaStatusError, ("status",)),
    (sigma_errors.SigmaDateError, ("date",)),
    (sigma_errors.SigmaModifiedError, ("modified",)),
    (sigma_errors.SigmaRelatedError, ("related",)),
)


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document and what pySigma makes of it.

    rule: a rule or correlation with its references resolved and filters applied, or a filter.
    conditions: parsed trees, filters included, none for correlations.
    """

    document: YamlDocument
    rule: SigmaRule | SigmaCorrelationRule | SigmaFilter
    conditions: tuple[Any, ...]


def parse_documents(documents: Sequence[YamlDocument]) -> tuple[ParsedDocument, ...]:
    """Parse all documents of one text together.

    Raises: ObjectInvalidError with the place, whatever pySigma raised.
    """
    rules = [_guarded(document, _build, document) for document in documents]
    for document, rule in zip(documents, rules, strict=True):
        if isinstance(rule, SigmaFilter):
            _guarded(document, _force, rule.filter)
    # Resolves references, and applies the filters to the rules in place.
    _guarded(documents[-1], SigmaCollection, rules)
    return tuple(
        ParsedDocument(document, rule, _guarded(document, _conditions, rule))
        for document, rule in zip(documents, rules, strict=True)
    )


def _build(document: YamlDocument) -> SigmaRule | SigmaCorrelationRule | SigmaFilter:
    value = dict(document.value)
    if "correlation" in value:
        return SigmaCorrelationRule.from_dict(value)
    return SigmaFilter.from_dict(value) if "filter" in value else SigmaRule.from_dict(value)


def _conditions(rule: SigmaRule | SigmaCorrelationRule | SigmaFilter) -> tuple[Any, ...]:
    return _force(rule.detection) if isinstance(rule, SigmaRule) else ()


def _force(detections: Any) -> tuple[Any, ...]:
    parsed = tuple(condition.parsed for condition in detections.parsed_condition)
    if None in parsed:
        raise sigma_errors.SigmaConditionError("The condition selects nothing")
    return parsed


def _guarded(document: YamlDocument, step: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return step(*arguments)
    except _FAILURES as error:
        raise _explain(document, error) from None


def _explain(document: YamlDocument, error: BaseException) -> ObjectInvalidError:
    path = next((path for kind, path in _PATHS if isinstance(error, kind)), ())
    if path[:1] == ("detection",) and "filter" in document.value:
        path = ("filter", *path[1:])
    if isinstance(error, sigma_errors.SigmaError):
        message = shown(str(error).split("\n", 1)[0]).strip("'\"") + "."
    else:
        message = "the rule cannot be understood."
    return document.fault("sigma-invalid", message, path)
