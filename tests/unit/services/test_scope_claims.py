"""Claims about organisations: a public source, or named recipients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exchange.services.errors import OutOfScopeError
from exchange.services.scope import check_scope
from exchange.services.scope_claims import check_claim
from exchange.stix.checks import check_object
from exchange.stix.reading import read_object

SOURCE = [{"source_name": "Report", "url": "https://research.example/reports/7"}]
ACTOR = {"type": "threat-actor", "name": "Quiet Orchard"}
CAMPAIGN = {"type": "campaign", "name": "Paper Lantern"}
ACCUSED = {
    "type": "relationship",
    "relationship_type": "attributed-to",
    "target_ref": "identity--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a20",
}


@pytest.mark.parametrize("claim", [ACTOR, CAMPAIGN, ACCUSED])
def test_a_claim_for_every_member_needs_a_public_source(claim: dict[str, Any]) -> None:
    with pytest.raises(OutOfScopeError) as refused:
        check_claim(claim, has_recipients=False)
    assert (refused.value.rule, refused.value.pointer) == ("claim-without-source", "/external_references")
    check_claim(claim | {"external_references": SOURCE}, has_recipients=False)
    check_claim(claim, has_recipients=True)
    check_claim(claim | {"revoked": True}, has_recipients=False)


@pytest.mark.parametrize(
    "url",
    [
        None, "", "report 7", "ftp://research.example/7", "https:///7", "https://localhost/7", "https://[::1]/7",
        "https://10.0.0.7/7", "https://[broken/7", "file:///srv/report.pdf", "//research.example/7",
    ],
)  # fmt: skip
def test_what_nobody_else_can_open_is_no_public_source(url: str | None) -> None:
    reference = {"source_name": "Report", "external_id": "7"} | ({"url": url} if url is not None else {})
    with pytest.raises(OutOfScopeError):
        check_claim(ACTOR | {"external_references": [reference]}, has_recipients=False)
    check_claim(ACTOR | {"external_references": [reference, *SOURCE]}, has_recipients=False)


@pytest.mark.parametrize(
    "other",
    [
        {"type": "indicator"},
        {"type": "infrastructure"},
        ACCUSED | {"relationship_type": "targets"},
        ACCUSED | {"target_ref": "threat-actor--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a20"},
    ],
)
def test_what_accuses_nobody_needs_no_source(other: dict[str, Any]) -> None:
    check_claim(other, has_recipients=False)


@pytest.mark.parametrize(
    ("page", "types"), [("protection.md", ["threat-actor", "relationship"]), ("attribution.md", ["relationship"])]
)
def test_the_examples_of_the_documentation_pass_the_guard(page: str, types: list[str]) -> None:
    text = (Path(__file__).parents[3] / "docs" / page).read_text(encoding="utf-8")
    examples = json.loads(text.rpartition("```json\n")[2].partition("```")[0])
    assert [example["type"] for example in examples] == types
    for example in examples:
        check_object(read_object(json.dumps(example).encode()))
        assert check_scope(example, ()) == ()
        check_claim(example, has_recipients=False)
