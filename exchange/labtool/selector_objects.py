"""The objects that carry a selector: the account, and what the lab says of it beside (docs/selectors.md).

An observable has no confidence and no times, so these stand on a relationship: one infrastructure of the lab for each
label consists of its accounts. Ids follow from the lab and the account: the same identifier in the same epoch is the
same objects again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from attribution.issuing.statements import Epoch
from exchange.labtool.identifiers_reading import Identifier
from exchange.stix.extensions import SELECTOR_SCHEME, Selector
from exchange.stix.fixed import SELECTOR_EXTENSION
from exchange.stix.identifiers import derived_uuid, deterministic_id
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import format_stix

ACCOUNT_TYPE: Final = "llm-api"
_POOL: Final = "accounts"


@dataclass(frozen=True, slots=True)
class Issuing:
    """For whom and under which epoch objects are made. lab, issuer: identity ids. now: aware."""

    lab: str
    issuer: str
    epoch: Epoch
    now: datetime


def objects_for(identifier: Identifier, output: bytes, label: Tlp, issuing: Issuing) -> Iterator[dict[str, Any]]:
    """The unsigned objects for one identifier: the account, and where the lab says more of it, a relationship.

    The infrastructure that the relationship begins at is made by `pool_for`.
    """
    account = _account(identifier, output, label, issuing)
    yield account
    if (identifier.confidence, identifier.first_seen, identifier.last_seen) == (None, None, None):
        return
    yield {
        **_head("relationship", account["id"], label, issuing),
        "relationship_type": "consists-of",
        "source_ref": _pool_id(label, issuing),
        "target_ref": account["id"],
        **_evidence(identifier),
    }


def pool_for(label: Tlp, issuing: Issuing) -> dict[str, Any]:
    """The unsigned infrastructure whose accounts are shared under this label."""
    return {
        **_head("infrastructure", _POOL, label, issuing),
        "name": "Accounts shared as selectors",
        "infrastructure_types": ["unknown"],
    }


def _account(identifier: Identifier, output: bytes, label: Tlp, issuing: Issuing) -> dict[str, Any]:
    selector = Selector(SELECTOR_SCHEME, issuing.issuer, issuing.epoch.name, identifier.kind)
    members: dict[str, Any] = {
        "type": "user-account",
        "spec_version": "2.1",
        "account_type": ACCOUNT_TYPE,
        "user_id": output.hex(),
        "object_marking_refs": [label.marking_id],
        "extensions": {SELECTOR_EXTENSION: selector.to_extension()},
    }
    return {**members, "id": deterministic_id(members)}


def _pool_id(label: Tlp, issuing: Issuing) -> str:
    return str(_head("infrastructure", _POOL, label, issuing)["id"])


def _head(object_type: str, subject: str, label: Tlp, issuing: Issuing) -> dict[str, Any]:
    """What begins an object about the subject. Every version of it says that it was created with the epoch."""
    names = ("selector", object_type, issuing.lab, issuing.epoch.name, label.label, subject)
    return {
        "type": object_type,
        "spec_version": "2.1",
        "id": f"{object_type}--{derived_uuid(*names)}",
        "created_by_ref": issuing.lab,
        "created": format_stix(issuing.epoch.began),
        "modified": format_stix(issuing.now),
        "object_marking_refs": [label.marking_id],
    }


def _evidence(identifier: Identifier) -> dict[str, Any]:
    """Confidence and times. A relationship ends after it starts (STIX 2.1 section 5.1), so one moment has no end."""
    first, last = identifier.first_seen or identifier.last_seen, identifier.last_seen
    said: dict[str, Any] = {} if identifier.confidence is None else {"confidence": identifier.confidence}
    if first is not None:
        said["start_time"] = format_stix(first)
        if last is not None and first < last:
            said["stop_time"] = format_stix(last)
    return said
