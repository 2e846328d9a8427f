"""Operators' pages about peers: how channels are doing, no secret, and quarantine, whose text is hostile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.test import Client

from exchange.admin.quarantine import MAX_AT_ONCE, MAX_SHOWN_BYTES, visible
from exchange.models import AuditEvent, Peer, PeerChannel, PeerErrand, QuarantinedObject
from exchange.services.clock import now
from exchange.services.labs import create_lab
from exchange.services.peers import Credentials, update_peer
from exchange.services.principals import OPERATOR
from exchange.services.sealing import unseal
from exchange.stix.canonical import canonicalize
from tests.integration.services.receiving.feeding import feed_indicator
from tests.support.labs import Community
from tests.support.operators import operators_site
from tests.support.peers import PeerHandle, make_exchange, make_feed, stranger

PEER_TOKEN = "token-shown-to-the-peer"
ATTACK = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>"
REVERSED = "\u202egnp.exe"


@pytest.fixture
def site(community: Community) -> Iterator[Client]:
    with operators_site() as client:
        yield client


@pytest.fixture
def peer(site: Client) -> PeerHandle:
    return make_exchange()


class Seen(HTMLParser):
    """What a browser makes of a page: elements, attributes that run code, and the text of `pre`."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.handlers: list[str] = []
        self.sources: list[str | None] = []
        self.pre = ""
        self.text = ""
        self._in_pre = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.sources += [value for name, value in attrs if name == "src"]
        self._in_pre = self._in_pre or tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        self._in_pre = self._in_pre and tag != "pre"

    def handle_data(self, data: str) -> None:
        self.text += data
        self.pre += data if self._in_pre else ""


def page(site: Client, path: str) -> str:
    answer = site.get(f"/admin/exchange/{path}/")
    assert answer.status_code == 200, path
    return answer.content.decode()


def act(site: Client, name: str, *rows: int) -> str:
    """Run an action of the quarantine page; answers what it says."""
    values = {"action": name, "_selected_action": [str(row) for row in rows]}
    answer = site.post("/admin/exchange/quarantinedobject/", values, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def events(action: str) -> list[tuple[str, str]]:
    return list(AuditEvent.objects.filter(action=action).order_by("id").values_list("subject", "actor"))


# --- peers and channels ------------------------------------------------------------------------------------------


def test_pages_of_a_peer_show_its_health_and_nothing_of_its_credentials(site: Client, peer: PeerHandle) -> None:
    credentials = Credentials(kind=Peer.Credentials.BEARER, token=PEER_TOKEN)
    update_peer(actor=OPERATOR, slug="harbour", credentials=credentials)
    sealed = bytes(Peer.objects.get(pk=peer.peer.pk).sealed or b"")
    assert PEER_TOKEN.encode() in unseal(sealed)
    peer.send(stranger().keys.identity_bytes)
    moment = now()
    PeerChannel.objects.filter(pk=peer.channel.pk).update(
        failures=7,
        last_failure="unreachable",
        next_attempt_at=moment + timedelta(minutes=9),
        behind_since=moment - timedelta(hours=2),
        last_date="2026-11-24T12:00:00.000001Z",
        moved=1_234,
        moved_last_run=50,
        seconds_last_run=2.0,
    )
    push = PeerChannel.objects.create(
        peer=peer.peer,
        direction="push",
        remote_collection="inbox",
        collection=peer.channel.collection,
        created_at=moment,
        next_attempt_at=moment,
        last_seq=1,
    )
    PeerErrand.objects.create(channel=push, kind="post", version_id=5, stix_id=ATTACK, reason=ATTACK, noted_at=moment)
    pages = {
        path: page(site, path)
        for path in (
            *("peer", f"peer/{peer.peer.pk}/change", "peerchannel", f"peerchannel/{peer.channel.pk}/change"),
            *("peererrand", f"peererrand/{PeerErrand.objects.get().pk}/change"),
        )
    }
    for path, html in pages.items():
        assert PEER_TOKEN not in html
        assert sealed.decode() not in html
        assert "sealed" not in html.lower(), path
        assert "alert(" not in "".join(Seen(html).handlers)
        assert "<script>alert" not in html
    assert "Harbour" in pages[f"peer/{peer.peer.pk}/change"]
    listed = Seen(pages["peerchannel"]).text
    for shown in ("harbour", "open", "7 \N{MULTIPLICATION SIGN} unreachable", "2026-11-24T12:00:00.000001Z", "25"):
        assert shown in listed
    assert "more at the peer, for 2:00:0" in listed
    assert " numbers" in listed
    assert "1234" in Seen(pages[f"peerchannel/{peer.channel.pk}/change"]).text
    assert "parked" in pages["peererrand"]


# --- quarantine --------------------------------------------------------------------------------------------------


@pytest.fixture
def hostile(peer: PeerHandle) -> QuarantinedObject:
    """An object whose every text attacks whoever looks at it."""
    body = canonicalize(feed_indicator(name=ATTACK + REVERSED + "\x1b[2J", created_by_ref=ATTACK)) + b"\xff"
    peer.send(body)
    row = QuarantinedObject.objects.get()
    # As if a check let through what it must not.
    QuarantinedObject.objects.filter(pk=row.pk).update(stix_id=ATTACK + REVERSED, detail=ATTACK + REVERSED)
    return row


def test_quarantined_bytes_are_text_whatever_they_hold(site: Client, hostile: QuarantinedObject) -> None:
    for path in ("quarantinedobject", f"quarantinedobject/{hostile.pk}/change"):
        html = page(site, path)
        seen = Seen(html)
        assert seen.handlers == []
        assert "x" not in seen.sources
        assert REVERSED[0] not in html
        assert ATTACK + r"\u202egnp.exe" in seen.text
    assert seen.elements.count("pre") == 1
    assert ATTACK in seen.pre
    assert "\x1b" not in html
    assert seen.pre.endswith(r"\xff")
    assert events("quarantine-shown")[-1][0] == str(hostile.pk)
    assert events("quarantine-shown")[-1][1].startswith("person:")


def test_long_object_is_cut_and_its_list_does_not_read_it(site: Client, peer: PeerHandle) -> None:
    peer.send(b'{"type":"' + b"x" * 100_000 + b'"}')
    row = QuarantinedObject.objects.get()
    assert len(page(site, "quarantinedobject")) < 50_000
    shown = Seen(page(site, f"quarantinedobject/{row.pk}/change")).pre
    assert len(shown) < MAX_SHOWN_BYTES + 100
    assert f"bytes more: list_quarantined --show {row.pk}" in shown


def test_release_judges_and_drop_gives_up_each_under_the_operators_name(site: Client, peer: PeerHandle) -> None:
    dorado = stranger()
    # Known, but without a pinned root: nothing comes in by itself.
    create_lab(actor=OPERATOR, slug="dorado", name="Dorado")
    peer.send(dorado.signed(dorado.indicator()), dorado.keys.identity_bytes)
    numbers = list(QuarantinedObject.objects.order_by("-reason").values_list("pk", flat=True))
    assert "waits on: signature-key-unknown" in act(site, "release", numbers[0])
    assert QuarantinedObject.objects.get(pk=numbers[0]).state == "waiting"
    assert f"{numbers[0]} was dropped" in act(site, "drop", numbers[0])
    assert "dropped already" in act(site, "drop", numbers[0])
    dropped = QuarantinedObject.objects.get(pk=numbers[0])
    assert (dropped.state, bytes(dropped.body)) == ("dropped", b"")
    assert dropped.decided_by.startswith("person:")
    for action in ("quarantine-released", "quarantine-dropped"):
        assert [(subject, actor[:7]) for subject, actor in events(action)] == [(str(numbers[0]), "person:")]
    assert "the bytes are not kept" in page(site, f"quarantinedobject/{numbers[0]}/change")
    listed = page(site, "quarantinedobject").partition('id="result_list"')[2].partition("</table>")[0]
    assert f"/quarantinedobject/{numbers[0]}/change/" in listed
    assert "1 quarantined object" in " ".join(Seen(page_of(site, "peer=harbour&state=waiting")).text.split())
    assert "0 quarantined objects" in " ".join(Seen(page_of(site, "peer=gazette")).text.split())


def page_of(site: Client, query: str) -> str:
    answer = site.get(f"/admin/exchange/quarantinedobject/?{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_acts_and_bytes_ask_for_a_fresh_sign_in(site: Client, hostile: QuarantinedObject) -> None:
    address = f"/admin/exchange/quarantinedobject/{hostile.pk}/change/"
    drop = {"action": "drop", "_selected_action": str(hostile.pk)}
    for path, values in ((address, None), ("/admin/exchange/quarantinedobject/", drop)):
        session = site.session
        session["signed_in_at"] = 0
        session.save()
        answer = site.post(path, values) if values else site.get(path)
        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"]
    hostile.refresh_from_db()
    assert hostile.state == "waiting"
    assert events("quarantine-shown") == []


def test_too_many_at_once_change_nothing(site: Client, peer: PeerHandle) -> None:
    peer.send(*(json.dumps({"number": number}).encode() for number in range(MAX_AT_ONCE + 1)))
    rows = QuarantinedObject.objects.values_list("pk", flat=True)
    assert f"most {MAX_AT_ONCE} at once" in act(site, "drop", *rows)
    assert set(QuarantinedObject.objects.values_list("state", flat=True)) == {"waiting"}


def test_address_of_no_row_is_no_fault(site: Client, peer: PeerHandle) -> None:
    for wrong in ("0", "99999", "x", "9" * 40, "1%20OR%201"):
        assert site.get(f"/admin/exchange/quarantinedobject/{wrong}/change/").status_code == 302
    assert site.get("/admin/exchange/quarantinedobject/?peer__lab__token__digest__startswith=a").status_code in (
        302,
        400,
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\nb"),
        ("a\tb\r\x00", r"a\tb\r\x00"),
        ("\u202e\u2066\u200b", r"\u202e\u2066\u200b"),
        ("\ue000\U000e0041", r"\ue000\U000e0041"),
        ("Zürich 日本", "Zürich 日本"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_cannot_be_seen_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_pages_are_there_without_any_peer(site: Client) -> None:
    make_feed()
    for path in ("peer", "peerchannel", "peererrand", "quarantinedobject"):
        assert "gazette" in page(site, path) or path in ("peererrand", "quarantinedobject")
