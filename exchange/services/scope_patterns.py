"""What a STIX pattern may look at: listed observables and their listed properties, no accounts, no remarks.

It reads the parsed pattern, so white space and quotation marks hide nothing. Values are judged as text elsewhere.
"""

from enum import IntEnum

from exchange.services.scope_agreement import Agreement
from exchange.stix.errors import shown
from exchange.stix.object_classes import SCO_TYPES
from exchange.stix.pattern import read_pattern
from exchange.stix.pattern_nodes import Comparison, Node


class Reason(IntEnum):
    """The best reason for a match in one alternative."""

    NONE = 0
    ORIGIN = 1
    OTHER = 2


def find_pattern_refusal(pattern: str, agreed: Agreement) -> tuple[str, str] | None:
    """Return (rule, what was found) for the first thing in a STIX pattern that the agreement refuses, else None.

    Raises: ObjectInvalidError where the text is no pattern.
    """
    reading = read_pattern(pattern)
    if reading.has_comment:
        return "unlisted-property", "The pattern holds a comment."
    if reading.longest_token_chars > agreed.literal_chars:
        return "text-too-long", "A value of the pattern is too long."
    if Reason.ORIGIN in _reasons(reading.root, agreed):
        return "origin-alone", "An alternative of the pattern rests on origin alone."
    for comparison in reading.comparisons:
        found = _path_refusal(comparison, agreed)
        if found is not None:
            return found
    return None


def _reasons(node: Node, agreed: Agreement) -> frozenset[Reason]:
    """Return the best reason of each alternative. An exclusion is none, unless what it excludes is an origin."""
    if isinstance(node, Comparison):
        if _is_origin(node, agreed):
            return frozenset({Reason.ORIGIN})
        return frozenset({Reason.NONE if node.is_negated else Reason.OTHER})
    parts = [_reasons(part, agreed) for part in node.parts]
    if not node.is_all:
        return frozenset().union(*parts)
    found = parts[0]
    for part in parts[1:]:
        found = frozenset({max(one, other) for one in found for other in part})
    return found


def _is_origin(comparison: Comparison, agreed: Agreement) -> bool:
    return comparison.type in agreed.origin_pattern_types or not agreed.origin_pattern_properties.isdisjoint(
        comparison.names
    )


def _path_refusal(comparison: Comparison, agreed: Agreement) -> tuple[str, str] | None:
    kind, names, _is_negated = comparison
    if kind == "user-account":
        return "account-identifier", "Accounts are matched as selectors, at home."
    scope = agreed.types.get(kind)
    if scope is None or kind not in SCO_TYPES:
        return agreed.refused_types.get(kind, "unlisted-type"), f"The pattern looks at {shown(kind)}."
    for name in names:
        if name in agreed.refused_properties:
            return agreed.refused_properties[name], f"The pattern looks at {shown(name)}."
        if len(name) > agreed.pattern_name_chars:
            return "unlisted-property", "The pattern looks at a property with a very long name."
    if names[0] not in scope.limits and names[0] not in agreed.origin_pattern_properties:
        return "unlisted-property", f"The pattern looks at {shown(names[0])} of {shown(kind)}."
    return None
