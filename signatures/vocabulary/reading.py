"""Reads the data file, strictly: a vocabulary with a mistake in it is none."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

PATH: Final = Path(__file__).with_name("vocabulary.toml")

SOURCES: Final = ("otel", "llmx")

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_NEAR: Final = 0.6
"""How much of a misspelt name has to be right for another to be offered instead (difflib's ratio)."""


class FieldType(StrEnum):
    """Of a field's values."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"


class Privacy(StrEnum):
    """P0 may be shared; P1 aggregated or hashed, under TLP:AMBER; P2 as selectors alone, or not at all."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an event. unit: as of UCUM, "" for none. source: otel or llmx. ocsf: path in OCSF, "" for none."""

    name: str
    type: FieldType
    unit: str
    privacy: Privacy
    source: str
    ocsf: str
    description: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All fields by name, in the order of the file."""

    version: str
    ocsf_version: str
    fields: Mapping[str, Field]

    def nearest(self, name: str) -> str | None:
        """The known name that is most like this one, if any is much like it."""
        close = difflib.get_close_matches(name, self.fields, n=1, cutoff=_NEAR)
        return close[0] if close else None


def read_vocabulary(text: str) -> Vocabulary:
    """The vocabulary of a file's text.

    Raises:
        ValueError: names the field and what is wrong with it.
    """
    read = tomllib.loads(text)
    fields: dict[str, Field] = {}
    for members in read.pop("field", []):
        field = _field(members)
        if field.name in fields:
            raise ValueError(f"{field.name} stands there twice")
        fields[field.name] = field
    return Vocabulary(**read, fields=fields)


def _field(members: dict[str, Any]) -> Field:
    name = str(members.get("name", ""))
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name of a field")
    try:
        typed = {"type": FieldType(members["type"]), "privacy": Privacy(members["privacy"])}
        field = Field(**{**members, **typed})
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from None
    if field.source not in SOURCES or (name.startswith("llmx.") and field.source != "llmx"):
        raise ValueError(f"{name}: its source is otel, or llmx for a name of ours")
    if not field.description.endswith("."):
        raise ValueError(f"{name}: a description is a sentence")
    return field


VOCABULARY: Final = read_vocabulary(PATH.read_text(encoding="utf-8"))
