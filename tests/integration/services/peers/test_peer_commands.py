"""Operators' commands about peers and quarantine; secrets come from outside argv and are shown by none of them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from exchange.models import Peer
from exchange.services.peers import find_peer, open_credentials
from exchange.stix.keys import SigningKey
from tests.support.labs import Community
from tests.support.peers import make_exchange, stranger

URL = "https://taxii.example/api/"
SECRET = "correct-horse-battery"


def answer(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command(*arguments, "--json", stdout=out)
    assert SECRET not in out.getvalue()
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def text(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().splitlines()


def test_peer_is_added_with_a_secret_from_the_environment(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEER_SECRET", SECRET)
    root = SigningKey.generate("root").kid
    made = answer(
        *("add_peer", "harbour", URL, "--title=Harbour", f"--root={root}", "--credentials=bearer"),
        *("--community", "--highest-label=amber+strict"),
    )
    assert made == {
        "peer": "harbour",
        "kind": "exchange",
        "url": "https://taxii.example/api/",
        "credentials": "bearer",
        "community": True,
        "accepts_unsigned": False,
        "default_label": "TLP:AMBER",
        "highest_label": "TLP:AMBER+STRICT",
        "state": "active",
        "channels": [],
    }
    assert open_credentials(find_peer("harbour")).token == SECRET


def test_peer_is_added_with_a_secret_from_stdin(community: Community, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PEER_SECRET", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    made = answer("add_peer", "gazette", URL, "--title=Gazette", "--credentials=basic", "--username=ada")
    assert made["kind"] == "feed"
    opened = open_credentials(find_peer("gazette"))
    assert (opened.username, opened.password) == ("ada", SECRET)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="no secret"):
        call_command("add_peer", "herald", URL, "--title=Herald", "--credentials=bearer")


def test_peer_is_added_whole_with_a_file_and_its_channels(community: Community, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(f"{SECRET}\n")
    made = answer(
        *("add_peer", "gazette", URL, f"--token-file={token}", "--interval=30"),
        *("--pull", "alerts=signatures", "attribution"),
    )
    assert made["channels"] == ["pull alerts into signatures", "pull attribution into attribution"]
    peer = find_peer("gazette")
    assert open_credentials(peer).token == SECRET
    assert peer.lab.name == "gazette"
    rows = peer.channels.order_by("pk").values_list("direction", "remote_collection", "collection__alias", "interval_s")
    assert list(rows) == [("pull", "alerts", "signatures", 30), ("pull", "attribution", "attribution", 30)]


def test_a_channel_that_cannot_be_leaves_no_peer_behind(community: Community) -> None:
    for arguments, reason in (
        (("--pull", "alerts=all"), "a view"),
        (("--pull", "alerts=nowhere"), "no collection"),
        (("--pull", "a/b=signatures"), "no id or alias"),
        (("--pull", "signatures", "--interval=1"), "interval"),
    ):
        with pytest.raises(CommandError, match=reason):
            call_command("add_peer", "gazette", URL, *arguments)
    assert not Peer.objects.exists()


def test_no_flag_takes_a_secret(community: Community) -> None:
    for flag in ("--password=x", "--token=x", "--secret=x", "--key=x"):
        with pytest.raises(CommandError, match="unrecognized"):
            call_command("add_peer", "gazette", URL, "--title=Gazette", flag)


def test_reasons_of_refusals_are_one_line(community: Community) -> None:
    reasons = {
        ("--highest-label=amber",): "at most TLP:GREEN",
        ("--default-label=pink",): "no TLP label",
        ("--pull=x=nowhere",): "no collection nowhere",
        ("--authorities=/nowhere.pem",): "cannot be read",
    }
    for arguments, reason in reasons.items():
        with pytest.raises(CommandError, match=reason):
            call_command("add_peer", "gazette", URL, "--title=Gazette", *arguments)
    with pytest.raises(CommandError, match="https"):
        call_command("add_peer", "gazette", "http://taxii.example/")
    assert not Peer.objects.exists()


def test_peer_is_changed_paused_and_loses_a_channel(community: Community) -> None:
    answer("add_peer", "gazette", URL, "--title=Gazette")
    number = answer("add_channel", "gazette", "91a7b528", "signatures", "--interval=300")["channel"]
    changed = answer("update_peer", "gazette", "--accepts-unsigned", "--default-label=green", "--state=paused")
    assert (changed["accepts_unsigned"], changed["default_label"]) == (True, "TLP:GREEN")
    assert changed["state"] == "paused"
    with pytest.raises(CommandError, match="nothing is to change"):
        call_command("update_peer", "gazette")
    with pytest.raises(CommandError, match="there is no peer"):
        call_command("update_peer", "herald", "--state=active")
    answer("add_peer", "herald", URL, "--title=Herald")
    with pytest.raises(CommandError, match="herald has no channel"):
        call_command("update_peer", "herald", f"--remove-channel={number}")
    answer("update_peer", "gazette", f"--remove-channel={number}")
    assert not Peer.objects.get(lab__slug="gazette").channels.exists()


def test_peer_is_no_lab_to_suspend_and_the_refusal_says_what_stops_it(community: Community) -> None:
    make_exchange()
    for command in ("suspend_lab", "resume_lab"):
        with pytest.raises(CommandError, match="harbour is a peer and no lab: `update_peer harbour --state paused`"):
            call_command(command, "harbour")
    assert answer("update_peer", "harbour", "--state=paused")["state"] == "paused"


def test_channel_into_a_view_is_refused(community: Community) -> None:
    answer("add_peer", "gazette", URL, "--title=Gazette")
    for arguments, reason in ((("x", "all"), "a view"), (("x", "none"), "no collection")):
        with pytest.raises(CommandError, match=reason):
            call_command("add_channel", "gazette", *arguments)


def test_peers_are_listed_as_a_table(community: Community) -> None:
    answer("add_peer", "gazette", URL, "--title=Gazette")
    answer("add_peer", "herald", URL, "--title=Herald")
    answer("add_channel", "gazette", "91a7b528", "signatures")
    head, first, second = text("list_peers")
    assert head.split()[:4] == ["peer", "kind", "state", "channel"]
    assert first.split()[:2] == ["gazette", "feed"]
    assert "91a7b528" in first
    assert second.split() == ["herald", "feed", "active", *["-"] * 11]
    (listed, _) = answer("list_peers")["peers"]
    assert (listed["quarantined"], listed["channels"][0]["behind"]) == (0, 0)
    assert listed["channels"][0]["collection"] == "signatures"


def test_quarantine_is_listed_shown_released_and_dropped(community: Community) -> None:
    peer, dorado = make_exchange(), stranger()
    body = dorado.signed(dorado.indicator())
    peer.send(body, b'{"type": "\xff"}')
    rows = {row["reason"]: row["number"] for row in answer("list_quarantined", "--peer=harbour")["quarantined"]}
    number = rows.pop("signature-key-unknown")
    lines = text("list_quarantined", "--reason=signature-key-unknown")
    assert len(lines) == 2
    assert dorado.identity in lines[1]
    assert answer("list_quarantined", f"--show={number}")["body"] == body.decode()
    released = answer("release_quarantined", str(number))
    assert (released["taken"], released["reason"]) == (False, "signature-key-unknown")
    for each in (number, *rows.values()):
        assert answer("drop_quarantined", str(each))["dropped"] is True
    with pytest.raises(CommandError, match="dropped already"):
        call_command("release_quarantined", str(number))
    assert answer("list_quarantined")["quarantined"] == []
    assert len(answer("list_quarantined", "--state=dropped")["quarantined"]) == 2


def test_errands_are_listed_retried_and_dropped(community: Community) -> None:
    answer("add_peer", "gazette", URL, "--push", "signatures=alerts")
    channel = find_peer("gazette").channels.get()
    assert (channel.direction, channel.remote_collection) == ("push", "alerts")
    for kind, number in (("post", 1), ("delete", 0)):
        channel.errands.create(
            kind=kind, stix_id=f"indicator--{kind}", version_id=number, reason="no", noted_at=channel.created_at
        )
    head, first, second = text("list_errands", "gazette")
    assert head.split() == ["number", "peer", "collection", "kind", "object", "tries", "next", "reason"]
    assert first.split()[1:4] == ["gazette", "alerts", "post"]
    assert "indicator--delete" in second
    number = answer("list_errands")["errands"][0]["number"]
    assert answer("retry_errands", "gazette", f"--number={number}") == {"retried": 1}
    assert answer("retry_errands", "gazette") == {"retried": 2}
    assert answer("drop_errand", str(number))["dropped"] is True
    for command in (("drop_errand", str(number)), ("retry_errands", "gazette", f"--number={number}")):
        with pytest.raises(CommandError, match="no errand"):
            call_command(*command)
    with pytest.raises(CommandError, match="no peer"):
        call_command("retry_errands", "herald")
