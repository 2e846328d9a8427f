"""The sender's side of the scheme, against its published example."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.labtool.webhooks import read_webhook_secret
from exchange.services.webhooks.settling import FIRST_PAUSE_S, LONGEST_PAUSE_S, pause_s
from exchange.services.webhooks.signing import new_secret, secret_text, signed_headers

EXAMPLE = json.loads((Path(__file__).parents[2] / "vectors" / "webhook.json").read_text())


def test_the_published_example_is_signed_as_published() -> None:
    key = read_webhook_secret(EXAMPLE["secret"])
    headers = signed_headers([key], EXAMPLE["id"], int(EXAMPLE["timestamp"]), EXAMPLE["body"].encode())
    assert headers == {
        "webhook-id": EXAMPLE["id"],
        "webhook-timestamp": EXAMPLE["timestamp"],
        "webhook-signature": EXAMPLE["signature"],
    }


def test_a_secret_survives_its_text() -> None:
    secret = new_secret()
    assert read_webhook_secret(secret_text(secret)) == secret


@pytest.mark.parametrize(("failures", "about"), [(1, FIRST_PAUSE_S), (2, 10.0), (5, 80.0), (40, LONGEST_PAUSE_S)])
def test_pauses_double_up_to_a_bound_and_are_spread(failures: int, about: float) -> None:
    pauses = [pause_s(failures) for _ in range(200)]
    assert all(0.8 * about <= pause <= 1.2 * about for pause in pauses)
    assert len(set(pauses)) > 100
