"""The generator knows no rule, and the rules know no label: neither can be fitted to the other in secret."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import signatures.samplelogs
from signatures.samplelogs import LABELS
from signatures.samples import SAMPLE_SIGNATURES
from signatures.sigma import inspect_rule

FOLDER = Path(signatures.samplelogs.__file__).parent
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
# Units are the same for everybody, and the mixing constants of a published function say nothing of actors.
EXEMPT_MODULES = {"units.py", "draws.py"}
# No thresholds.
EXEMPT_NUMBERS = {0, 1, 2}


def rule_numbers() -> dict[float, str]:
    """Every number in the sample rules with the rule it stands in: comparisons, conditions, times, times in seconds."""
    found: dict[float, str] = {}
    for signature in SAMPLE_SIGNATURES.values():
        for document in yaml.safe_load_all(signature.text):
            numbers = set(numbers_in(document.get("detection", {})))
            correlation = document.get("correlation", {})
            numbers |= set(numbers_in(correlation.get("condition", {})))
            if span := correlation.get("timespan"):
                numbers |= {int(span[:-1]), int(span[:-1]) * SECONDS[span[-1]]}
            found |= dict.fromkeys(numbers - EXEMPT_NUMBERS, signature.name)
    # A status of HTTP is the same for everybody too.
    assert found.pop(200) == "d8"
    return found


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from numbers_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers_in(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def generator_numbers(path: Path) -> Iterator[float]:
    if path.suffix == ".toml":
        yield from numbers_in(tomllib.loads(path.read_text(encoding="utf-8")))
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant):
            yield from numbers_in(node.value)


SOURCES = sorted(path for pattern in ("*.py", "*.toml") for path in FOLDER.glob(pattern))


@pytest.mark.parametrize("path", SOURCES, ids=[path.name for path in SOURCES])
def test_no_number_of_a_rule_stands_in_the_generator(path: Path) -> None:
    if path.name in EXEMPT_MODULES:
        return
    shared = rule_numbers().keys() & set(generator_numbers(path))
    assert not shared, f"{path.name} shares {sorted(shared)} with the rules"


def test_the_rules_have_thresholds_to_compare_with() -> None:
    assert len(rule_numbers()) > 15


@pytest.mark.parametrize("name", SAMPLE_SIGNATURES)
def test_no_rule_reads_a_label(name: str) -> None:
    assert not {field for field in inspect_rule(SAMPLE_SIGNATURES[name].text).fields if field.startswith("llmx.label.")}
    assert all(label.startswith("llmx.label.") for label in LABELS)


def test_the_generator_imports_no_rule() -> None:
    for path in FOLDER.glob("*.py"):
        imported = {
            name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        }
        assert not {name for name in imported if name.startswith(("signatures.samples.", "signatures.sigma"))}
        assert "signatures.samples" not in imported
