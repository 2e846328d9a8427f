"""Claims about organisations: who says who is behind an attack says where everybody can read it, or says it to few.

A part of the scope guard that needs to know for whom an object is, so it is asked when that is decided. Whether a
source says what it is quoted for, nobody checks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from exchange.services.errors import OutOfScopeError
from exchange.services.scope_agreement import Agreement, agreement

RULE: Final = "claim-without-source"
POINTER: Final = "/external_references"


def check_claim(members: Mapping[str, Any], *, has_recipients: bool) -> None:
    """Accept a checked object, unless it is a claim for every member that links no public source.

    has_recipients: a distribution marking names who may read it. What its producer revokes is no claim any more.

    Raises: OutOfScopeError.
    """
    if not has_recipients and is_unsourced_claim(members):
        detail = "The claim needs the url of a public source, or a distribution marking."
        raise OutOfScopeError(rule=RULE, pointer=POINTER, detail=f"{detail} Rule: {agreement().rules[RULE]}")


def is_unsourced_claim(members: Mapping[str, Any]) -> bool:
    """Whether a checked object is a claim that may not be for every member."""
    if members.get("revoked") is True or not _is_claim(members, agreement()):
        return False
    return not any(_is_public(reference.get("url")) for reference in members.get("external_references", ()))


def _is_claim(members: Mapping[str, Any], agreed: Agreement) -> bool:
    if members["type"] != "relationship":
        return members["type"] in agreed.claim_types
    target = str(members["target_ref"]).partition("--")[0]
    return members["relationship_type"] in agreed.claim_relationships and target in agreed.claim_targets


def _is_public(url: Any) -> bool:
    """Whether a link leads to a named host by http or https: what stands in one's own files is no public source."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        host = parts.hostname if parts is not None else None
    except ValueError:
        return False
    named = host is not None and "." in host.strip(".") and not host.replace(".", "").isdigit() and ":" not in host
    return parts is not None and parts.scheme in ("http", "https") and named
