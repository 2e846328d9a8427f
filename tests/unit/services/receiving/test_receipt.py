"""Receipts count fates; claims of hostile objects fit into their columns."""

from __future__ import annotations

import pytest

from exchange.services.errors import PolicyError
from exchange.services.publishing.item import Item
from exchange.services.receiving.quarantining import MAX_DETAIL_CHARS, claims_of, detail_of
from exchange.services.receiving.receipt import Fate, Judged, PageReceipt
from exchange.stix.errors import SignatureError


def test_receipt_counts_each_fate_and_the_reasons_of_quarantine_alone() -> None:
    item = Item(0, b"{}")
    judged = [
        Judged(item, Fate.STORED),
        Judged(item, Fate.KNOWN),
        Judged(item, Fate.REFUSED, PolicyError("gone", code="deleted")),
        Judged(item, Fate.QUARANTINED, PolicyError("no", code="unmarked")),
        Judged(item, Fate.QUARANTINED, SignatureError("signature-wrong", "no")),
        Judged(item, Fate.QUARANTINED, PolicyError("no", code="unmarked")),
    ]
    receipt = PageReceipt.of(judged)
    assert receipt == PageReceipt(
        received=6,
        stored=1,
        known=1,
        held=0,
        withdrawals=0,
        refused=1,
        quarantined=3,
        reasons={"signature-wrong": 1, "unmarked": 2},
    )
    assert [each.is_taken for each in judged] == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    "claimed",
    [
        {},
        {"id": 7, "created_by_ref": [], "modified": {}},
        {"id": "indicator--x", "created_by_ref": "identity--\0", "modified": "a\0b"},
        {"id": "x" * 400, "created_by_ref": "y" * 400, "modified": "z" * 400},
    ],
)
def test_claims_without_the_form_of_what_they_claim_are_left_out(claimed: dict[str, object]) -> None:
    assert set(claims_of(Item(0, b"", claimed=claimed)).values()) == {""}


def test_detail_is_printable_and_bounded() -> None:
    text = detail_of(PolicyError("a\0\x1b" + "b" * 900, pointer="/x"))
    assert len(text) == MAX_DETAIL_CHARS
    assert text.startswith("/x: a\ufffd\ufffdb")
