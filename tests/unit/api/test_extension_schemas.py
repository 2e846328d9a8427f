"""The published JSON schemas of extensions agree with the code that reads them."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from exchange.api.documentation import EXTENSION_SCHEMAS
from exchange.stix import extensions, extensions_ranges
from exchange.stix.errors import StixError

UUID = "6b0f0a34-5a3e-4c9e-9c0e-3f0d6a9d7f11"
IDENTITY = f"identity--{UUID}"
CODECS: dict[str, Any] = {
    "appeal": extensions.Appeal,
    "distribution": extensions.Distribution,
    "feedback": extensions.Feedback,
    "ranges": extensions.Ranges,
    "selector": extensions.Selector,
    "withdrawal": extensions.Withdrawal,
}
GOOD: dict[str, dict[str, Any]] = {
    "appeal": {"appeal": f"note--{UUID}", "step": "opened", "severity": "high", "deadline": "2026-12-01T00:00:00Z"},
    "distribution": {"recipients": [IDENTITY]},
    "feedback": {"reason": "own-test", "evidence_count": 3, "payload_sha256": "0" * 64},
    "ranges": {"ranges": [{"net": "203.0.113.0/24", "kind": "proxy", "asn": 64500, "confidence": 70}]},
    "selector": {
        "scheme": "voprf-ristretto255-sha512", "issuer": IDENTITY, "epoch": "2026-11", "kind": "email"
    },
    "withdrawal": {
        "object": f"ipv4-addr--{UUID}", "producer": IDENTITY, "state": "revoked", "at": "2026-12-01T00:00:00.000Z"
    },
}  # fmt: skip
BAD: list[tuple[str, dict[str, Any]]] = [
    ("appeal", {"step": "decided"}),
    ("appeal", {"step": "opened", "outcome": "upheld"}),
    ("appeal", {"severity": "grave"}),
    ("distribution", {"recipients": []}),
    ("distribution", {"recipients": [IDENTITY, IDENTITY]}),
    ("distribution", {"recipients": ["aurora"]}),
    ("feedback", {"evidence_count": -1}),
    ("feedback", {"payload_sha256": "0" * 63}),
    ("feedback", {"reason": "because"}),
    ("ranges", {"ranges": []}),
    ("ranges", {"ranges": [{"net": "203.0.113.0/24"}]}),
    ("ranges", {"ranges": [{"net": "everywhere", "kind": "vpn"}]}),
    ("selector", {"epoch": "2026-13"}),
    ("selector", {"kind": "name"}),
    ("withdrawal", {"state": "gone"}),
    ("withdrawal", {"extra": 1}),
    ("withdrawal", {"producer": f"note--{UUID}"}),
]


def is_of_schema(name: str, value: dict[str, Any]) -> bool:
    return jsonschema_rs.is_valid(json.loads(EXTENSION_SCHEMAS[name]), value)


def is_read(name: str, value: dict[str, Any]) -> bool:
    try:
        CODECS[name].parse(value, "")
    except StixError:
        return False
    return True


def extension(name: str, **changes: Any) -> dict[str, Any]:
    return {"extension_type": "property-extension", **GOOD[name], **changes}


def test_there_is_a_schema_for_each_extension() -> None:
    assert EXTENSION_SCHEMAS.keys() == {*GOOD, "keys", "signature"}


@pytest.mark.parametrize("name", GOOD)
def test_what_the_code_reads_is_of_the_schema(name: str) -> None:
    assert is_read(name, extension(name))
    assert is_of_schema(name, extension(name))


@pytest.mark.parametrize(("name", "changes"), BAD)
def test_what_the_code_refuses_is_not_of_the_schema(name: str, changes: dict[str, Any]) -> None:
    assert not is_read(name, extension(name, **changes))
    assert not is_of_schema(name, extension(name, **changes))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("selector.kind", extensions.SELECTOR_KINDS),
        ("feedback.reason", extensions.FEEDBACK_REASONS),
        ("appeal.step", extensions.APPEAL_STEPS),
        ("appeal.severity", extensions.APPEAL_SEVERITIES),
        ("appeal.outcome", extensions.APPEAL_OUTCOMES),
        ("withdrawal.state", extensions.WITHDRAWAL_STATES),
        ("ranges.ranges.items.kind", extensions_ranges.KINDS),
    ],
)
def test_word_lists_are_those_of_the_code(name: str, words: frozenset[str]) -> None:
    schema_name, *path = name.split(".")
    part = json.loads(EXTENSION_SCHEMAS[schema_name])
    for step in path:
        part = part["items"] if step == "items" else part["properties"][step]
    assert set(part["enum"]) == words
