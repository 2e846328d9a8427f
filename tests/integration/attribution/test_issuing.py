"""The issuer: epochs begin, are accepted and end; evaluations are counted exactly, whoever asks at the same time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from django.conf import LazySettings

from attribution.issuing.budgets import count_days, take_evaluations
from attribution.issuing.epochs import begin_epoch, list_epochs, open_issuer_key, state_epochs, tend_epochs
from attribution.issuing.errors import BudgetSpentError, ElementRefusedError, EpochError
from attribution.issuing.issuing import evaluate_blinded
from attribution.issuing.statements import read_note
from attribution.models import EvaluationBudget, IssuerEpoch
from attribution.voprf import IssuerKey, blind, evaluate_directly, finalize, verify
from exchange.labtool.judging import Keyring
from exchange.labtool.pins import Pins
from exchange.models import AuditEvent, Leaf, Version
from exchange.services.database import writing
from exchange.services.errors import AccessDeniedError, NotReadyError
from exchange.services.principals import OPERATOR
from exchange.stix.errors import StixError
from exchange.stix.extensions import SELECTOR_SCHEME
from exchange.stix.fixed import SELECTOR_EXTENSION
from exchange.stix.identifiers import deterministic_id
from exchange.stix.markings import Tlp
from tests.support.at_once import at_once
from tests.support.labs import Community, LabHandle

NOVEMBER = datetime(2026, 11, 25, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, 0, 0, 30, tzinfo=UTC)


def account(community: Community, epoch: str, output: bytes, issuer: str | None = None) -> dict[str, object]:
    """An unsigned selector of this node's issuer."""
    selector = {"scheme": SELECTOR_SCHEME, "issuer": issuer or community.node.lab.identity_id, "epoch": epoch}
    members = {
        "type": "user-account",
        "spec_version": "2.1",
        "account_type": "llm-api",
        "user_id": output.hex(),
        "object_marking_refs": [Tlp.GREEN.marking_id],
        "extensions": {SELECTOR_EXTENSION: {"extension_type": "property-extension", **selector, "kind": "email"}},
    }
    return {**members, "id": deterministic_id(members)}


def test_an_evaluation_is_what_the_key_gives_and_its_proof_holds(community: Community) -> None:
    row = begin_epoch(actor=OPERATOR)
    asked = [blind(b"email\0ada@example.com"), blind(b"email\0bob@example.com")]
    elements = [each.element for each in asked]

    found = evaluate_blinded(principal=community.aurora.principal, epoch=row.epoch, blinded=elements)

    verify(bytes(row.public_key), elements, found.evaluated, found.proof)
    key = open_issuer_key(row)
    assert [finalize(each, one) for each, one in zip(asked, found.evaluated, strict=True)] == [
        evaluate_directly(key, each.value) for each in asked
    ]
    event = AuditEvent.objects.get(action="selectors-evaluated")
    assert (event.subject, event.detail) == (row.epoch, {"count": 2})


def test_clients_are_refused_and_nothing_is_counted(community: Community) -> None:
    row = begin_epoch(actor=OPERATOR)
    with pytest.raises(AccessDeniedError):
        evaluate_blinded(principal=community.aurora.client, epoch=row.epoch, blinded=[blind(b"x").element])
    assert not EvaluationBudget.objects.exists()


def test_an_invalid_element_is_named_and_nothing_is_counted(community: Community) -> None:
    row = begin_epoch(actor=OPERATOR)
    with pytest.raises(ElementRefusedError) as refused:
        evaluate_blinded(
            principal=community.aurora.principal, epoch=row.epoch, blinded=[blind(b"x").element, bytes(32)]
        )
    assert refused.value.pointer == "/blinded/1"
    assert not EvaluationBudget.objects.exists()


def test_the_budget_is_taken_whole_or_not_at_all(community: Community, settings: LazySettings) -> None:
    settings.EVALUATION_BUDGET = 10
    lab = community.aurora.lab.id
    assert take_evaluations(lab, 7, NOVEMBER) == 3
    with pytest.raises(BudgetSpentError, match="3 evaluations of 10 are left") as refused:
        take_evaluations(lab, 4, NOVEMBER)
    assert refused.value.retry_after_s == 12 * 3600 + 1
    assert take_evaluations(lab, 3, NOVEMBER) == 0
    with pytest.raises(BudgetSpentError):
        take_evaluations(lab, 11, NOVEMBER + timedelta(days=1))
    assert take_evaluations(lab, 10, NOVEMBER + timedelta(days=1)) == 0
    assert take_evaluations(community.borealis.lab.id, 10, NOVEMBER) == 0


def test_requests_at_once_never_take_more_than_the_budget(community: Community, settings: LazySettings) -> None:
    settings.EVALUATION_BUDGET = 25
    taken: list[int] = []

    def ask() -> None:
        try:
            for _ in range(4):
                with writing():
                    take_evaluations(community.aurora.lab.id, 3, NOVEMBER)
                taken.append(3)
        except BudgetSpentError:
            return

    at_once(*[ask] * 6)
    assert sum(taken) == 24
    assert EvaluationBudget.objects.get().used == 24


def test_days_are_counted_in_public_only_where_three_labs_asked(community: Community) -> None:
    for lab in community.labs:
        take_evaluations(lab.lab.id, 5, NOVEMBER)
    take_evaluations(community.aurora.lab.id, 5, NOVEMBER + timedelta(days=1))
    take_evaluations(community.aurora.lab.id, 5, NOVEMBER + timedelta(days=2))
    assert count_days(date(2026, 11, 27), 90) == [(date(2026, 11, 26), None), (date(2026, 11, 25), 15)]


def test_epochs_begin_with_the_month_and_end_thirty_days_after(community: Community) -> None:
    assert tend_epochs(actor=OPERATOR, moment=NOVEMBER) == ("2026-11", [])
    assert tend_epochs(actor=OPERATOR, moment=NOVEMBER) == (None, [])
    assert tend_epochs(actor=OPERATOR, moment=DECEMBER) == ("2026-12", [])
    over = DECEMBER + timedelta(days=30)
    assert [epoch.state for epoch in list_epochs(over - timedelta(seconds=1))] == ["current", "accepted"]
    assert [epoch.state for epoch in list_epochs(over)] == ["current", "ended"]

    assert tend_epochs(actor=OPERATOR, moment=over) == (None, ["2026-11"])

    assert IssuerEpoch.objects.get(epoch="2026-11").sealed is None
    with pytest.raises(NotReadyError):
        open_issuer_key(IssuerEpoch.objects.get(epoch="2026-11"))


def test_an_epoch_begun_early_has_the_next_name(community: Community) -> None:
    for expected in ("2026-11", "2026-12", "2027-01"):
        assert begin_epoch(actor=OPERATOR, moment=NOVEMBER).epoch == expected
    assert tend_epochs(actor=OPERATOR, moment=DECEMBER) == (None, [])
    assert [epoch.state for epoch in list_epochs(NOVEMBER)] == ["current", "accepted", "accepted"]


def test_keys_of_epochs_stand_in_clear_leaves(community: Community) -> None:
    row = begin_epoch(actor=OPERATOR, moment=NOVEMBER)
    with writing():
        record = orjson.loads(bytes(Leaf.objects.order_by("-seq")[0].data))
    assert (record["record"]["operation"], record["record"]["type"]) == ("key-added", "selector-epoch")
    assert record["record"]["id"] == "2026-11"
    assert record["record"]["payload_sha256"] == bytes(row.public_key).hex()
    assert record["record"]["lab"] == community.node.lab.identity_id


def test_unknown_and_ended_epochs_are_refused(community: Community) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=62)
    old = begin_epoch(actor=OPERATOR, moment=long_ago)
    begin_epoch(actor=OPERATOR, moment=long_ago + timedelta(days=31))
    for name, code in ((old.epoch, "selector-epoch-ended"), ("1999-01", "selector-epoch-unknown")):
        with pytest.raises(EpochError) as refused:
            evaluate_blinded(principal=community.aurora.principal, epoch=name, blinded=[blind(b"x").element])
        assert (refused.value.code, refused.value.pointer) == (code, "/epoch")


def test_the_statement_is_what_the_pinned_node_signed(community: Community) -> None:
    begin_epoch(actor=OPERATOR)
    epochs, body = state_epochs()
    root = community.node.root_key
    assert root is not None
    keyring, now = Keyring(Pins({"node": (root.kid,)})), datetime.now(UTC)
    with writing():
        identity = bytes(Version.objects.get(object__stix_id=community.node.lab.identity_id).body)
    keyring.learn([(identity, now)], now=now)

    verdict = keyring.judge(body, now=now, first_seen=now)

    assert verdict.is_ok, verdict.reason
    statement = read_note(verdict.members or {})
    assert (statement.issuer, verdict.producer) == (community.node.lab.identity_id,) * 2
    assert [each.public_key for each in statement.epochs] == [each.public_key for each in epochs]


def test_another_note_is_no_statement() -> None:
    for members in ({}, {"content": "[]"}, {"type": "note", "abstract": "x", "content": "{}"}):
        with pytest.raises(StixError):
            read_note(members)


def test_a_selector_of_an_open_epoch_is_published_and_of_another_refused(community: Community) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=62)
    old = begin_epoch(actor=OPERATOR, moment=long_ago)
    new = begin_epoch(actor=OPERATOR, moment=long_ago + timedelta(days=31))
    aurora: LabHandle = community.aurora
    elsewhere = "identity--4d8f7f2b-9f3c-4a57-9d0a-6b3f0f5e7a11"
    bodies = [
        aurora.signed(account(community, new.epoch, bytes(64))),
        aurora.signed(account(community, old.epoch, b"\1" * 64)),
        aurora.signed(account(community, "1999-01", b"\2" * 64)),
        aurora.signed(account(community, "1999-01", b"\3" * 64, elsewhere)),
    ]

    outcomes = aurora.publish(*bodies)

    assert [str(outcome.status) for outcome in outcomes] == ["stored", "failed", "failed", "stored"]
    assert outcomes[1].error is not None
    assert outcomes[1].error.code == "selector-epoch"
    assert "has ended" in str(outcomes[1].error)
    assert "never was" in str(outcomes[2].error)


def test_sealed_keys_are_no_keys_to_whoever_reads_the_table(community: Community) -> None:
    row = begin_epoch(actor=OPERATOR)
    key: IssuerKey = open_issuer_key(row)
    assert key.secret not in bytes(row.sealed or b"")
    assert key.secret.hex() not in str(AuditEvent.objects.values_list("detail", flat=True))
