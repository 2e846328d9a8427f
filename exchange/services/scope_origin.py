"""Country, region, language or nationality as the only reason for a match of a rule. Patterns: scope_patterns.py.

A rule is asked for its alternatives: `country and (template or language)` has one that rests on origin alone. An
exclusion ("and not an evaluation account") is no second reason, and neither is a field that every request has.
"""

from collections.abc import Iterable

from exchange.services.scope_agreement import Agreement


def rests_on_origin(matched: Iterable[str], agreed: Agreement) -> bool:
    """Tell whether an alternative with these fields to match has an origin for its only reason."""
    telling = [field for field in matched if agreed.everywhere_fields.fullmatch(field) is None]
    return bool(telling) and all(agreed.origin_fields.fullmatch(field) for field in telling)
