"""Makes STIX of the sample rules: an indicator for each, and what it indicates. Unsigned; marking is the caller's.

The pattern is the whole Sigma text (pattern_type `sigma`), so what a lab loads is what was signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from exchange.stix.markings import Tlp
from exchange.stix.timestamps import format_stix
from signatures.atlas import KILL_CHAIN, TECHNIQUES
from signatures.samples.catalogue import SAMPLE_SIGNATURES, SampleSignature
from signatures.sigma import inspect_rule

SIGMA_VERSION: Final = "2.1.0"
Members = dict[str, Any]


def indicator_members(signature: SampleSignature, valid_from: datetime) -> Members:
    """What an indicator of the rule says, without identity, times of its own and marking. valid_from: aware."""
    outermost = signature.outermost
    return {
        "name": outermost["title"],
        "description": f"{outermost['description']} Confuses: {'; '.join(outermost['falsepositives'])}.",
        "indicator_types": ["anomalous-activity"],
        "pattern": signature.text,
        "pattern_type": "sigma",
        "pattern_version": SIGMA_VERSION,
        "valid_from": _seconds(valid_from),
        "valid_until": _seconds(valid_from + timedelta(days=signature.valid_days)),
        "confidence": signature.confidence,
        "kill_chain_phases": [{"kill_chain_name": KILL_CHAIN, "phase_name": signature.phase}],
        "external_references": [
            {"source_name": "sigma-rule", "external_id": outermost["id"]},
            *(TECHNIQUES[technique].reference for technique in signature.techniques),
        ],
    }


def relationship_members(indicator_id: str, technique: str) -> Members:
    """What a relationship from an indicator to a technique of ATLAS says. Raises: KeyError for an unknown technique."""
    return {
        "relationship_type": "indicates",
        "source_ref": indicator_id,
        "target_ref": TECHNIQUES[technique].object,
    }


def sample_bundle_objects(creator: str, created: datetime) -> Sequence[Members]:
    """All eight as finished, unsigned objects of one identity, each followed by its relationships.

    Ids are the same for the same identity. The marking is what the rule's `tlp.*` tag says. created: aware.
    """
    objects: list[Members] = []
    for signature in SAMPLE_SIGNATURES.values():
        label = inspect_rule(signature.text).label
        assert label is not None
        indicator = _object("indicator", creator, signature.key, created, label)
        objects.append(indicator | indicator_members(signature, created))
        for technique in signature.techniques:
            related = _object("relationship", creator, f"{signature.key} {technique}", created, label)
            objects.append(related | relationship_members(indicator["id"], technique))
    return objects


def _object(kind: str, creator: str, key: str, created: datetime, label: Tlp) -> Members:
    digest = hashlib.sha256(f"sample signature {creator} {key}".encode()).digest()
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{UUID(bytes=digest[:16], version=4)}",
        "created_by_ref": creator,
        "created": format_stix(created),
        "modified": format_stix(created),
        "object_marking_refs": [label.marking_id],
    }


def _seconds(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
