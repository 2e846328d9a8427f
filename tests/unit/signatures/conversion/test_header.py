"""What a conversion carries: where the signature is from, in comments that nothing in it can end."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.stix.markings import Tlp
from signatures.conversion import TARGETS, RefusedError, Signature, Target, convert_signature
from signatures.intake import StixObject
from signatures.intake import signatures_of as signatures_in

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LAB, OTHER = "identity--11111111-1111-4111-8111-111111111111", "identity--22222222-2222-4222-8222-222222222222"
INDICATOR = "indicator--33333333-3333-4333-8333-333333333333"
ATTACK = "attack-pattern--44444444-4444-4444-8444-444444444444"
RULE = """title: Templates
id: 6f1b0d5e-3c1a-4f0e-9a3b-2d7c5b8e1a01
status: experimental
level: high
date: 2026-03-01
logsource: {category: llm_api, product: llm_gateway}
detection: {sel: {user.id: u1}, condition: sel}
falsepositives: [Academic suites]
tags: [atlas.aml-t0024-002, attack.exfiltration, tlp.amber]
"""
HOSTILE = "x\n'; DROP TABLE y; --\r\u2028*/ ``` | delete \x1b[2J \u202e ${env:SECRET} {{param}} \x00 \" }"
AVAILABLE = [target for target in TARGETS.values() if target.is_available]


def signatures_of(objects: list[dict[str, Any]], now: datetime) -> list[Signature]:
    return signatures_in(map(StixObject, objects), now)


def indicator(**members: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "id": INDICATOR,
        "created_by_ref": LAB,
        "modified": "2026-11-20T00:00:00.000Z",
        "pattern_type": "sigma",
        "pattern": RULE,
        **members,
    }


def opinion(word: str, given: datetime, **members: Any) -> dict[str, Any]:
    return {
        "type": "opinion",
        "id": f"opinion--{word}",
        "created_by_ref": OTHER,
        "modified": given.isoformat().replace("+00:00", "Z"),
        "opinion": word,
        "object_refs": [INDICATOR],
        **members,
    }


def carried(signature: Signature, target: str = "sqlite", **options: bool) -> dict[str, str]:
    found = TARGETS[target]
    (conversion,) = convert_signature(signature, found, found.options(None, None), **options)
    return dict(conversion.header.items())


def test_everything_that_is_known_is_carried() -> None:
    atlas = {"source_name": "mitre-atlas", "external_id": "AML.T0040"}
    objects: list[dict[str, Any]] = [
        {"type": "identity", "id": LAB, "name": "Aurora"},
        {"type": "attack-pattern", "id": ATTACK, "external_references": [atlas]},
        {"type": "relationship", "relationship_type": "indicates", "source_ref": INDICATOR, "target_ref": ATTACK},
        indicator(
            confidence=70,
            valid_until="2027-02-01T09:00:00Z",
            kill_chain_phases=[{"kill_chain_name": "mitre-atlas", "phase_name": "exfiltration"}],
            object_marking_refs=[Tlp.GREEN.marking_id],
        ),
    ]
    (signature,) = signatures_of(objects, NOW)

    assert carried(signature) == {
        "title": "Templates",
        "id": f"{INDICATOR} 6f1b0d5e-3c1a-4f0e-9a3b-2d7c5b8e1a01",
        "version": "2026-11-20T00:00:00.000Z 2026-03-01",
        "state": "current",
        "confidence": "70",
        "ATLAS techniques": "AML.T0040, AML.T0024.002",
        "kill chain": "mitre-atlas/exfiltration, mitre-attack/exfiltration",
        "marking": "TLP:AMBER",
        "valid until": "2027-02-01T09:00:00Z",
        "producer": f"Aurora ({LAB})",
        "maturity": "experimental, high",
        "false positive": "Academic suites",
    }


def test_what_nobody_said_is_said_to_be_so() -> None:
    said = carried(Signature("title: T\nlogsource: {category: llm_api}\ndetection: {s: {user.id: u}, condition: s}\n"))

    assert [said[name] for name in ("confidence", "marking", "valid until", "producer")] == ["not stated"] * 4


@pytest.mark.parametrize("target", AVAILABLE, ids=lambda target: target.name)
def test_no_text_of_an_object_leaves_the_comment(target: Target) -> None:
    rule = RULE.replace("title: Templates", f"title: {json.dumps(HOSTILE.replace(chr(0), ''))}")
    hostile = indicator(
        pattern=rule,
        valid_until=HOSTILE,
        external_references=[{"source_name": "mitre-atlas", "external_id": HOSTILE}],
        kill_chain_phases=[{"kill_chain_name": HOSTILE, "phase_name": HOSTILE}],
    )
    older = {**hostile, "modified": "2026-11-01T00:00:00Z", "pattern": HOSTILE, HOSTILE: HOSTILE}
    against = opinion("disagree", NOW, explanation=HOSTILE)
    objects = [{"type": "identity", "id": LAB, "name": HOSTILE}, hostile, older, against]
    (signature,) = signatures_of(objects, NOW)
    assert signature.changes
    assert signature.disputes
    options = target.options(None, None)
    (conversion,) = convert_signature(signature, target, options, include_revoked=True)
    (plain,) = convert_signature(Signature(RULE), target, options)

    assert conversion.query == plain.query
    if target.comment is None:
        body = json.loads(conversion.text)
        assert body["query"]["query_string"].pop("_name").isprintable()
        assert body == json.loads(conversion.query)
        return
    comments = conversion.text.replace(conversion.query, "").strip("\n").split("\n")
    style = target.comment
    for line in comments:
        assert line.startswith(f"{style.opening} ")
        assert line.endswith(style.closing)
        text = line.removeprefix(style.opening).removesuffix(style.closing)
        assert text.isprintable()
        assert not set(text) & set(style.special)


def test_revoked_and_expired_signatures_are_refused_unless_asked_for() -> None:
    revoked = signatures_of([indicator(revoked=True)], NOW)[0]
    expired = signatures_of([indicator(valid_until="2026-11-25T00:00:00Z")], NOW)[0]

    for signature, state in ((revoked, "revoked"), (expired, "expired")):
        with pytest.raises(RefusedError) as caught:
            carried(signature)
        assert caught.value.refusals[0].construct == state
        assert carried(signature, include_revoked=True)["state"] == state


def test_an_expiry_that_cannot_be_read_is_one() -> None:
    assert signatures_of([indicator(valid_until="next year")], NOW)[0].states == ("expired",)
    assert signatures_of([indicator(valid_until="2026-11-25T00:00:01Z")], NOW)[0].states == ()


def test_a_disagreement_of_the_last_two_weeks_makes_a_signature_disputed() -> None:
    fresh, old = NOW - timedelta(days=13), NOW - timedelta(days=15)
    disputed = signatures_of([indicator(), opinion("disagree", fresh)], NOW)[0]

    assert carried(disputed)["state"] == "disputed"
    assert carried(disputed)["note"] == "Disputed: do not block on it alone."
    assert carried(disputed)["disputed by"] == f"{OTHER}: no reason given"
    for harmless in (opinion("agree", fresh), opinion("disagree", old), opinion("disagree", fresh, revoked=True)):
        assert signatures_of([indicator(), harmless], NOW)[0].states == ()


def test_the_newest_version_of_a_producer_counts_and_copies_of_others_do_not_mix() -> None:
    older = indicator(modified="2026-11-19T00:00:00Z", confidence=10)
    newer = indicator(modified="2026-11-21T00:00:00Z", confidence=20)
    others = indicator(created_by_ref=OTHER, modified="2026-11-22T00:00:00Z", confidence=30)

    assert [each.confidence for each in signatures_of([newer, older, others], NOW)] == ["20", "30"]


def test_a_marking_that_cannot_be_read_is_the_strictest() -> None:
    broken = signatures_of([indicator(object_marking_refs="x", granular_markings=7)], NOW)[0]

    assert carried(broken)["marking"] == "TLP:RED"


def test_members_of_any_type_do_no_harm() -> None:
    odd = dict.fromkeys(("id", "created_by_ref", "name", "modified", "external_references", "kill_chain_phases"), 7)
    (signature,) = signatures_of([{**indicator(), **odd, "confidence": True}, {"type": ["x"]}, {}], NOW)

    assert (signature.id, signature.version, signature.confidence) == ("", "", "")
