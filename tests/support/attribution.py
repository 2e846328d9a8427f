"""Unsigned objects that say who is behind something, and what other labs think of that."""

from __future__ import annotations

import uuid
from typing import Any

from exchange.stix.extension_ids import FEEDBACK_EXTENSION
from exchange.stix.markings import Tlp
from tests.support.labs import LabHandle

SOURCE = [{"source_name": "Report", "url": "https://research.example/reports/7"}]
_KEPT = ("spec_version", "created_by_ref", "created", "modified", "object_marking_refs")


def made(lab: LabHandle, kind: str, label: Tlp = Tlp.GREEN, **members: Any) -> dict[str, Any]:
    """An object of any type with a new id, made now."""
    base = lab.indicator(label)
    return {"type": kind, "id": f"{kind}--{uuid.uuid4()}", **{name: base[name] for name in _KEPT}, **members}


def actor(lab: LabHandle, label: Tlp = Tlp.GREEN, **changes: Any) -> dict[str, Any]:
    """A threat actor with a public source."""
    return made(lab, "threat-actor", label, **{"name": "Quiet Orchard", "external_references": SOURCE, **changes})


def related(
    lab: LabHandle, kind: str, source: str, target: str, label: Tlp = Tlp.GREEN, **changes: Any
) -> dict[str, Any]:
    """A relationship between two ids."""
    return made(lab, "relationship", label, relationship_type=kind, source_ref=source, target_ref=target, **changes)


def same(lab: LabHandle, one: str, other: str, label: Tlp = Tlp.GREEN, **changes: Any) -> dict[str, Any]:
    """One lab's word that two are the same."""
    return related(lab, "duplicate-of", one, other, label, **changes)


def opinion(lab: LabHandle, about: str, word: str, label: Tlp = Tlp.GREEN, reason: str = "other") -> dict[str, Any]:
    """An opinion with the feedback extension."""
    feedback = {
        "extension_type": "property-extension",
        "reason": reason,
        "evidence_count": 3,
        "payload_sha256": "0" * 64,
    }
    return made(lab, "opinion", label, opinion=word, object_refs=[about], extensions={FEEDBACK_EXTENSION: feedback})


def sighting(lab: LabHandle, about: str, label: Tlp = Tlp.GREEN, **changes: Any) -> dict[str, Any]:
    """A sighting by the lab."""
    return made(lab, "sighting", label, sighting_of_ref=about, where_sighted_refs=[lab.identity], **changes)
