"""The slugs of problems are a promise: what the source can answer is what the list says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from exchange.api.problems import STATUS_OF
from exchange.api.slugs import SLUGS

ROOT = Path(__file__).parents[3] / "exchange"
ELSEWHERE = {
    # Said by TAXII alone, by management commands, or when a process starts.
    "status-not-found", "database-role", "not-processed", "staging-abandoned", "staging-full", "too-many-pending",
    # Reasons of webhooks, in their state and in the log.
    "claim-lost", "host", "target-outside-networks", "token",
    # Reasons of quarantine, and answers to operators about peers.
    "channel-direction", "channel-not-found", "label-above-peer", "label-red", "label-without-recipients",
    "lab-suspended", "lab-unknown", "own-node", "peer-not-found", "peer-stopped", "quarantine-decided",
    "quarantine-full", "quarantine-not-found", "unstorable", "unreadable", "too-many-versions", "not-overridable",
    "errand-not-found", "peer-no-lab", "not-taken",
    # Answers to operators about protected networks.
    "allowed-network", "network-not-allowed",
    "signed-by-node", "unsigned-claim", "unsigned-extension", "withdrawal-foreign", "withdrawal-origin",
}  # fmt: skip
MADE = {"objects-refused", "internal", "too-large"}
"""Put together in the door itself."""


def codes_in_source() -> Iterator[str]:
    for folder in (ROOT / "services", ROOT / "http", ROOT / "api", ROOT.parent / "attribution"):
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.keyword | ast.Assign) and isinstance(node.value, ast.Constant):
                    names = (
                        [node.arg] if isinstance(node, ast.keyword) else [ast.unparse(each) for each in node.targets]
                    )
                    if names in (["code"], ["default_code"]):
                        yield str(node.value.value)


def test_every_slug_that_the_source_says_is_listed_and_no_other() -> None:
    listed = {slug for slugs in SLUGS.values() for slug in slugs}
    assert set(codes_in_source()) | MADE == listed | ELSEWHERE


def test_no_slug_is_listed_twice_and_statuses_are_those_of_the_table() -> None:
    listed = [slug for slugs in SLUGS.values() for slug in slugs]
    assert len(listed) == len(set(listed))
    assert {int(status) for status in SLUGS} <= {status for status, _ in STATUS_OF.values()} | {500}
