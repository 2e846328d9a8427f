"""Selectors from end to end: real lab tool processes against a real node, and nobody learns an identifier."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from attribution.issuing.epochs import begin_epoch
from attribution.models import IssuerEpoch
from attribution.voprf import blind, generate_key
from exchange.labtool.keygen import save_lab
from exchange.labtool.pins import Pins, write_pins
from exchange.models import AuditEvent
from exchange.services.principals import OPERATOR
from exchange.services.sealing import seal
from tests.integration.test_labtool import pins_of, run_tool
from tests.support.labs import Community, LabHandle
from tests.support.rest import RestClient
from tests.support.server import WebServer

Server = tuple[str, Community]
Tool = Callable[..., subprocess.CompletedProcess[str]]

AURORA = """kind,value,confidence,first_seen,last_seen
email,Quasar.Farm+1@Example.com,80,2026-11-01T00:00:00Z,2026-11-20T00:00:00Z
phone,+44 20 7946 0018
email,not an address
payment-instrument,4111 1111 1111 1111
"""
BOREALIS = """{"kind": "email", "value": "quasar.farm+1@example.com"}
{"kind": "phone", "value": "+1 202 555 0143"}
{"kind": "payment-instrument", "value": "4111-1111-1111-1111"}
"""
SECRETS = ("quasar", "7946", "442079460018", "41111111", "2025550143", "not an address")


@pytest.fixture
def tool(exchange_server: Server, tmp_path: Path) -> Tool:
    """Run the tool as a lab, in a folder of its own with its keys and pins."""
    url, community = exchange_server
    for lab in community.labs:
        (tmp_path / lab.lab.slug).mkdir()
        write_pins(tmp_path / lab.lab.slug / "pins.json", pins_of(community))
        save_lab(lab.keys, tmp_path / lab.lab.slug / "keys")

    def run(lab: LabHandle, *arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
        return run_tool(arguments, url=url, token=token or lab.token, folder=tmp_path / lab.lab.slug)

    return run


def publish(tool: Tool, lab: LabHandle, folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / lab.lab.slug / "accounts.csv").write_text(text, encoding="utf-8")
    key = ("--key", "keys/signing-key.json", "--marking", "amber", "--publish")
    return tool(lab, "selectors", "accounts.csv", *key)


def look_up(tool: Tool, lab: LabHandle, folder: Path, text: str) -> list[dict[str, object]]:
    (folder / lab.lab.slug / "asked.jsonl").write_text(text, encoding="utf-8")
    found = tool(lab, "--json", "lookup", "--private", "asked.jsonl", "--to", "pulled")
    assert found.returncode == 0, found
    matches: list[dict[str, object]] = json.loads(found.stdout)["matches"]
    return matches


def test_a_lab_finds_at_home_what_another_published_and_after_a_rotation_again(
    exchange_server: Server, tool: Tool, tmp_path: Path, web_server: WebServer
) -> None:
    aurora, borealis, _ = exchange_server[1].labs
    begin_epoch(actor=OPERATOR, moment=datetime.now(UTC) - timedelta(days=40))

    published = publish(tool, aurora, tmp_path, AURORA)
    assert published.returncode == 1, published
    assert "line 4: " in published.stderr
    assert published.stdout.count("stored") == 5, published.stdout
    values = tmp_path / "aurora" / "selector-values.json"
    assert values.stat().st_mode & 0o777 == 0o600

    before = look_up(tool, borealis, tmp_path, BOREALIS)
    assert [(each["line"], each["kind"], each["lab"]) for each in before] == [
        (1, "email", "aurora"),
        (3, "payment-instrument", "aurora"),
    ]

    new = begin_epoch(actor=OPERATOR)
    reissued = tool(aurora, "selectors", "--reissue", "--key", "keys/signing-key.json", "--publish")
    assert reissued.returncode == 0, reissued
    IssuerEpoch.objects.exclude(pk=new.pk).update(state="ended", sealed=None)
    after = look_up(tool, borealis, tmp_path, BOREALIS)
    assert [(each["line"], each["epoch"]) for each in after] == [(1, new.epoch), (3, new.epoch)]

    told = [published.stdout, published.stderr, reissued.stdout, reissued.stderr, web_server.log_path.read_text()]
    told += [str(row) for row in AuditEvent.objects.values_list("subject", "detail")]
    assert not [secret for secret in SECRETS for text in told if secret in text.lower()]


def test_a_lying_issuer_is_refused(exchange_server: Server, tool: Tool, tmp_path: Path) -> None:
    aurora = exchange_server[1].aurora
    row = begin_epoch(actor=OPERATOR)
    assert publish(tool, aurora, tmp_path, "email,ada@example.com\n").returncode == 0
    other = generate_key()
    IssuerEpoch.objects.filter(pk=row.pk).update(public_key=other.public, sealed=seal(other.secret))

    refused = publish(tool, aurora, tmp_path, "email,bob@example.com\n")

    assert refused.returncode == 3
    assert "another key for the epoch" in refused.stderr
    assert "bob" not in (tmp_path / "aurora" / "selector-values.json").read_text()


def test_a_node_that_is_not_pinned_is_not_believed(exchange_server: Server, tool: Tool, tmp_path: Path) -> None:
    aurora = exchange_server[1].aurora
    begin_epoch(actor=OPERATOR)
    write_pins(tmp_path / "aurora" / "pins.json", Pins({"aurora": (aurora.keys.root.kid,)}))
    refused = publish(tool, aurora, tmp_path, "email,ada@example.com\n")
    assert (refused.returncode, "not of a pinned node" in refused.stderr) == (3, True)
    assert not AuditEvent.objects.filter(action="selectors-evaluated").exists()


def test_an_issuer_without_an_open_epoch_answers_no_lookup(exchange_server: Server, tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "aurora" / "asked.csv").write_text("email,ada@example.com\n", encoding="utf-8")
    refused = tool(exchange_server[1].aurora, "lookup", "--private", "asked.csv")
    assert (refused.returncode, "no open epoch" in refused.stderr) == (3, True)


def test_the_door_is_closed_to_clients_and_to_nobody(exchange_server: Server) -> None:
    url, community = exchange_server
    row = begin_epoch(actor=OPERATOR)
    order = {"epoch": row.epoch, "blinded": [blind(b"x").element.hex()]}
    statuses = [
        RestClient(url, token).post("selectors/evaluate/", json.dumps(order)).status_code
        for token in (community.aurora.token, community.aurora.client_token, "")
    ]
    assert statuses == [200, 403, 401]


@pytest.mark.parametrize(
    ("changes", "status", "slug", "pointer"),
    [
        ({"blinded": ["00" * 32]}, 400, "blinded-element", "/blinded/0"),
        ({"blinded": ["FF" * 32]}, 400, "blinded-element", "/blinded/0"),
        ({"blinded": []}, 400, "selector-order", "/blinded"),
        ({"blinded": ["00" * 32] * 1_001}, 400, "selector-order", "/blinded"),
        ({"epoch": "2026-13"}, 400, "selector-order", "/epoch"),
        ({"epoch": "1999-01"}, 409, "selector-epoch-unknown", "/epoch"),
        ({"more": 1}, 400, "selector-order", ""),
    ],
)
def test_a_bad_order_is_refused_with_its_place(
    exchange_server: Server, changes: dict[str, object], status: int, slug: str, pointer: str
) -> None:
    url, community = exchange_server
    row = begin_epoch(actor=OPERATOR)
    order = {"epoch": row.epoch, "blinded": [blind(b"x").element.hex()], **changes}
    answer = RestClient(url, community.aurora.token).post("selectors/evaluate/", json.dumps(order))
    problem = answer.json()
    assert (answer.status_code, problem["type"].rpartition(":")[2]) == (status, slug)
    assert problem.get("pointer", "") == pointer
