"""The sample rules by name, and what their indicators say beside them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

_FOLDER: Final = Path(__file__).parent
RULES: Final = _FOLDER / "sigma"


@dataclass(frozen=True)
class SampleSignature:
    """One rule. name: `d1` to `d8`. phase: of ATLAS, its tactic. techniques: ids of ATLAS, the first is indicated."""

    name: str
    key: str
    file: str
    confidence: int
    valid_days: int
    phase: str
    techniques: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where the rule stands."""
        return RULES / self.file

    @cached_property
    def text(self) -> str:
        """The rule with all its parts, as YAML."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def outermost(self) -> Mapping[str, Any]:
        """The last document: the rule that the others are parts of."""
        documents = list(yaml.safe_load_all(self.text))
        last: Mapping[str, Any] = documents[-1]
        return last


def _read() -> Mapping[str, SampleSignature]:
    read = tomllib.loads((_FOLDER / "catalogue.toml").read_text(encoding="utf-8"))
    return {
        name: SampleSignature(name, **{**members, "techniques": tuple(members["techniques"])})
        for name, members in read.items()
    }


SAMPLE_SIGNATURES: Final = _read()
