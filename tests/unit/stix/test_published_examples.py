"""The examples that OASIS publishes with its schemas and patterns are accepted, but for one that we mean to refuse."""

import importlib.util
from pathlib import Path

import pytest

from exchange.stix.checks import check_object
from exchange.stix.errors import StixError
from exchange.stix.pattern import check_pattern
from exchange.stix.reading import read_object, split_body


def folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


EXAMPLES = sorted((folder_of("stix2validator") / "schemas-2.1" / "examples").rglob("*.json"))
PATTERNS = folder_of("stix2patterns") / "test" / "v21" / "spec_examples.txt"
# Its UUID has a capital letter: one object must not have two ids (identifiers.py).
CAPITAL = "relationship--81f12913-1372-4c96-85ec-E9034ac98aba"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_published_objects_are_accepted(path: Path) -> None:
    for raw in split_body(path.read_bytes()):
        read = read_object(raw)
        if read.members["id"] == CAPITAL:
            with pytest.raises(StixError):
                check_object(read)
        else:
            assert check_object(read).raw == raw


def test_published_patterns_are_accepted() -> None:
    patterns = PATTERNS.read_text(encoding="utf-8").split("\n")
    for pattern in filter(None, map(str.strip, patterns)):
        check_pattern(pattern)


def test_there_are_published_examples() -> None:
    assert len(EXAMPLES) > 5
    assert PATTERNS.is_file()
