"""Reads the pattern of a signature, and takes from it what its indicator says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from exchange.stix.markings import Tlp
from exchange.stix.pattern import check_pattern
from signatures.atlas import technique_tags
from signatures.sigma import inspect_rule

SIGMA_VERSION: Final = "2.1.0"
STIX_VERSION: Final = "2.1"


@dataclass(frozen=True, slots=True)
class AuthoredPattern:
    """A checked pattern and what it says of itself.

    type, version: as STIX names them. rule_id: "" for a pattern without one. label: the strictest of its tags, None if
    there is none. techniques: of ATLAS, known or not. warnings: what its author should look at.
    """

    text: str
    type: str
    version: str
    name: str = ""
    description: str = ""
    rule_id: str = ""
    label: Tlp | None = None
    techniques: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_sigma(text: str) -> AuthoredPattern:
    """Read a Sigma text: a rule or correlations, with all that they refer to (Sigma specification 2.1.0).

    Raises: ObjectInvalidError whose message names the document, line and column.
    """
    inspection = inspect_rule(text)
    return AuthoredPattern(
        text=text,
        type="sigma",
        version=SIGMA_VERSION,
        name=inspection.title,
        description=_description(inspection.outermost),
        rule_id=str(inspection.outermost.get("id", "")),
        label=inspection.label,
        techniques=technique_tags(inspection.tags),
        references=tuple(inspection.outermost.get("references", ())),
        warnings=inspection.warnings,
    )


def read_stix(text: str) -> AuthoredPattern:
    """Read a pattern of the STIX patterning language (STIX 2.1, section 9).

    Raises: ObjectInvalidError whose message names the line and column.
    """
    check_pattern(text)
    return AuthoredPattern(text=text, type="stix", version=STIX_VERSION)


def _description(rule: Mapping[str, Any]) -> str:
    """What the rule is for and what it confuses: the two things that a reader has to know before using it."""
    confuses = "; ".join(text.rstrip(".") for text in rule.get("falsepositives", ()))
    parts = (str(rule.get("description", "")).strip(), f"Confuses: {confuses}." if confuses else "")
    return " ".join(part for part in parts if part)
