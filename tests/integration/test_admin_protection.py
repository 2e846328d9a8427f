"""Operators' page and commands about networks that are not to be blocked."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from attribution.protection.allowing import list_allowed_networks
from attribution.protection.marks import marks_for
from exchange.models import AuditEvent, Person
from exchange.services.clock import now
from tests.support.labs import Community
from tests.support.operators import operators_site

UNTIL = (now() + timedelta(days=20)).date()


@pytest.fixture
def site(community: Community) -> Iterator[Client]:
    with operators_site() as client:
        yield client


def command(name: str, *arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command(name, *arguments, "--json", stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def posted(net: str) -> dict[str, str]:
    times = {"expires_at_0": f"{UNTIL}", "expires_at_1": "12:00:00"}
    return {"net": net, "title": "Aurora's egress", "reason": "lab-egress", "source": "mail of 3 May"} | times


def test_an_operator_adds_and_removes_networks_on_the_page(site: Client) -> None:
    page = "/admin/attribution/allowednetwork/"
    assert site.post(page + "add/", posted("198.51.100.0/24")).status_code == 302
    assert site.post(page + "add/", posted("198.51.100.0/24") | {"reason": "other"}).status_code == 302
    (row,), olga = list_allowed_networks(), Person.objects.get(username="olga").pk
    assert (str(row), row.reason, row.added_by) == ("198.51.100.0/24", "other", f"person:{olga}")
    assert b"Aurora&#x27;s egress" in site.get(page).content
    refused = site.post(page + "add/", posted("198.51.100.1/24"), follow=True)
    assert b"its network is 198.51.100.0/24" in refused.content
    assert len(list_allowed_networks()) == 1
    site.post(page, {"action": "remove", "_selected_action": [row.pk]})
    assert list_allowed_networks() == []
    assert AuditEvent.objects.filter(actor=f"person:{olga}", action="network-disallowed").count() == 1


def test_nobody_but_operators_sees_the_page(community: Community) -> None:
    for path in ("", "add/"):
        answer = Client().post(f"/admin/attribution/allowednetwork/{path}", posted("198.51.100.0/24"))
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/admin/login/")
    assert list_allowed_networks() == []


def test_the_commands_add_list_and_remove(community: Community, tmp_path: Path) -> None:
    stated = ["--title", "Aurora", "--reason", "lab-egress", "--source", "mail", "--until", f"{UNTIL}"]
    added = command("add_allowed", "198.51.100.7", *stated)
    assert (added["net"], added["until"]) == ("198.51.100.7/32", f"{UNTIL}T00:00:00.000Z")
    file = tmp_path / "allowed.csv"
    file.write_text(f"net,title,reason,source,until\n203.0.113.0/24,Cloud,other,x,{UNTIL}\nbad,Cloud,other,x,{UNTIL}\n")
    taken = command("add_allowed", "--file", str(file))
    assert taken["taken"] == 1
    assert taken["refused"] == ["line 3: 'bad' is not an IPv4 or IPv6 address."]
    listed = command("list_allowed")["networks"]
    assert [(each["net"], each["state"]) for each in listed] == [
        ("198.51.100.7/32", "counts"),
        ("203.0.113.0/24", "counts"),
    ]
    command("remove_allowed", "198.51.100.7")
    assert [mark is None for mark in marks_for(["198.51.100.7", "203.0.113.1"])] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["198.51.100.7", "--title", "x"], "a network needs --reason, --source, --until too"),
        (["--file", "/nowhere/x.csv"], "/nowhere/x.csv: No such file or directory"),
        (["--file", "/nowhere/x.csv", "--title", "x"], "--title goes with one network"),
    ],
)
def test_a_command_that_lacks_something_says_what(community: Community, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        command("add_allowed", *arguments)
