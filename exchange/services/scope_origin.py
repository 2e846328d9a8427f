"""Country, region, language or nationality as the only reason for a match: found in rules and in STIX patterns.

A rule is asked for its alternatives: `country and (template or language)` has one that rests on origin alone. An
exclusion ("and not an evaluation account") is no second reason, and neither is a field that every request has.
"""

import re
from collections.abc import Iterable
from typing import Final

from exchange.services.scope_agreement import Agreement

_LITERAL: Final = re.compile(r"'(?:[^'\\]|\\.)*'")
_PATH: Final = re.compile(r"([a-z][a-z0-9-]*):([A-Za-z_][A-Za-z0-9_.\[\]*'-]*)", re.ASCII)
_ALTERNATIVES: Final = re.compile(r"\bOR\b")


def rests_on_origin(matched: Iterable[str], agreed: Agreement) -> bool:
    """Tell whether an alternative with these fields to match has an origin for its only reason."""
    telling = [field for field in matched if agreed.everywhere_fields.fullmatch(field) is None]
    return bool(telling) and all(agreed.origin_fields.fullmatch(field) for field in telling)


def pattern_paths(pattern: str) -> list[tuple[str, str]]:
    """Return (type, property path) of every comparison in a STIX pattern (STIX 2.1 section 9.6)."""
    return _PATH.findall(_LITERAL.sub("''", pattern))


def pattern_rests_on_origin(pattern: str, agreed: Agreement) -> bool:
    """Tell whether some alternative of a STIX pattern has only comparisons with an origin.

    Alternatives are cut at every OR, also inside brackets: write `IN (...)` for several values of one property.
    """
    pieces = [_PATH.findall(piece) for piece in _ALTERNATIVES.split(_LITERAL.sub("''", pattern))]
    return any(piece and all(is_origin(kind, path, agreed) for kind, path in piece) for piece in pieces)


def is_origin(kind: str, path: str, agreed: Agreement) -> bool:
    """Tell whether a comparison of a STIX pattern is with where somebody is from."""
    return kind in agreed.origin_pattern_types or any(
        part in agreed.origin_pattern_properties for part in re.split(r"[.\[\]']+", path)
    )
