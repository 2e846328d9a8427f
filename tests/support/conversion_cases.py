"""Cases of tests/vectors/conversion as Sigma texts."""

from pathlib import Path
from typing import Any

import yaml

VECTORS = Path(__file__).parents[1] / "vectors" / "conversion"


def read_cases(name: str) -> dict[str, dict[str, Any]]:
    """A file that maps what a case shows to a `detection` or a `correlation`."""
    cases: dict[str, dict[str, Any]] = yaml.safe_load((VECTORS / name).read_text(encoding="utf-8"))
    return cases


def rule_text(detection: dict[str, Any]) -> str:
    """A rule about requests, titled T."""
    source = {"category": "llm_api", "product": "llm_gateway"}
    return _dumped({"title": "T", "logsource": source, "detection": detection})


def correlation_text(correlation: dict[str, Any]) -> str:
    """A correlation titled T, after the rules and correlations that it may refer to."""
    names = ["rules.yml"]
    if "inner" in correlation["rules"]:
        names.append("inner_correlations.yml")
    before = [(VECTORS / name).read_text(encoding="utf-8") for name in names]
    return "---\n".join([*before, _dumped({"title": "T", "correlation": correlation})])


def _dumped(document: dict[str, Any]) -> str:
    return str(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
