"""The techniques of MITRE ATLAS that signatures name: a data file, and what reads it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["KILL_CHAIN", "TECHNIQUES", "Technique", "technique_tags"]

KILL_CHAIN: Final = "mitre-atlas"
"""The name of its kill chain, and of itself as a source of references, in STIX."""

_TAG: Final = re.compile(r"atlas\.(aml-t\d{4})(?:-(\d{3}))?")
"""Sigma has no namespace for ATLAS; this form is ours: `atlas.aml-t0024-002`."""


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique. id: `AML.T0024.002`. phases: its tactics. object: the id of its attack-pattern in STIX."""

    id: str
    name: str
    phases: tuple[str, ...]
    object: str

    @property
    def reference(self) -> dict[str, Any]:
        """As an external reference of STIX."""
        url = f"https://atlas.mitre.org/techniques/{self.id}"
        return {"source_name": KILL_CHAIN, "external_id": self.id, "url": url}


def technique_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The ids of techniques that tags of a Sigma rule name, each once, known or not."""
    found = (_TAG.fullmatch(tag) for tag in tags)
    ids = (".".join(part for part in match.groups() if part) for match in found if match is not None)
    return tuple(dict.fromkeys(each.upper().replace("AML-", "AML.") for each in ids))


def _read() -> Mapping[str, Technique]:
    text = Path(__file__).with_name("techniques.toml").read_text(encoding="utf-8")
    return {
        name: Technique(name, members["name"], tuple(members["phases"]), members["object"])
        for name, members in tomllib.loads(text)["technique"].items()
    }


TECHNIQUES: Final = _read()
