"""What a receiver believes of a webhook message, and the command that says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exchange.labtool.errors import UsageError
from exchange.labtool.main import main
from exchange.labtool.webhooks import WebhookForgedError, read_webhook_secret, verify_webhook

EXAMPLE = json.loads((Path(__file__).parents[2] / "vectors" / "webhook.json").read_text())
SENT_AT = datetime.fromtimestamp(int(EXAMPLE["timestamp"]), UTC)
OTHER = "whsec_" + "A" * 32


def verify(**changes: Any) -> Any:
    given = {
        "secrets": [read_webhook_secret(EXAMPLE["secret"])],
        "message_id": EXAMPLE["id"],
        "timestamp": EXAMPLE["timestamp"],
        "signature": EXAMPLE["signature"],
        "body": EXAMPLE["body"].encode(),
        "now": SENT_AT,
    }
    return verify_webhook(**(given | changes))


def test_the_published_example_is_believed_while_it_is_new() -> None:
    message = verify(now=SENT_AT + timedelta(minutes=5))
    assert (message.id, message.sent_at) == (EXAMPLE["id"], SENT_AT)
    for late in (timedelta(minutes=5, seconds=1), timedelta(minutes=-5, seconds=-1)):
        with pytest.raises(WebhookForgedError):
            verify(now=SENT_AT + late)


@pytest.mark.parametrize(
    "change",
    [
        {"message_id": "msg_other"}, {"message_id": ""}, {"timestamp": "1614265331"}, {"timestamp": ""},
        {"timestamp": "-1"}, {"timestamp": "1e9"}, {"timestamp": "१६१४"}, {"body": b'{"test": 2432232315}'},
        {"secrets": [read_webhook_secret(OTHER)]}, {"secrets": []}, {"signature": ""}, {"signature": "v1,"},
        {"signature": EXAMPLE["signature"].replace("v1,", "v1a,")}, {"signature": EXAMPLE["signature"][:-2]},
        {"signature": "v1,é"}, {"signature": "x " * 16 + EXAMPLE["signature"]},
    ],
)  # fmt: skip
def test_one_change_and_it_is_not(change: dict[str, Any]) -> None:
    with pytest.raises(WebhookForgedError):
        verify(**change)


def test_while_a_secret_changes_one_of_two_is_enough_on_either_side() -> None:
    verify(secrets=[read_webhook_secret(OTHER), read_webhook_secret(EXAMPLE["secret"])])
    verify(signature="v1,AAAA v2,x " + EXAMPLE["signature"])


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "whsec_" + "A" * 200, "whsec_!!!", "cwt_x"])
def test_what_is_no_secret_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UsageError):
        read_webhook_secret(text)


def test_the_command_tells_old_and_forged_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_text(EXAMPLE["secret"] + "\n")
    (tmp_path / "body").write_text(EXAMPLE["body"])
    command = ["verify-webhook", "--secret-file", str(tmp_path / "secret"), "--id", EXAMPLE["id"]]
    command += ["--timestamp", EXAMPLE["timestamp"], "--signature", EXAMPLE["signature"], str(tmp_path / "body")]
    assert main(command) == 1
    assert "not of the last 300 s" in capsys.readouterr().err
    (tmp_path / "body").write_text("{}")
    assert main(command) == 1
    assert "no signature of the message" in capsys.readouterr().err
    command[2] = str(tmp_path / "nothing")
    assert main(command) == 1
    assert "no such file" in capsys.readouterr().err
