"""Where requests to peers go: judged each time, redirects too; connected to what was judged; secrets to nobody else."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.services.outbound import allow_host, disallow_host
from exchange.services.principals import OPERATOR
from exchange.sync.peers import Access, BearerCredentials, PeerError, PeerFault, RemoteRoot
from tests.integration.sync.conftest import QUICK
from tests.support.bad_peer import ALIAS, BadPeer, bad_peer
from tests.support.misbehaving import redirect

SECRET = BearerCredentials("secret-of-this-node")


@pytest.fixture
def other(allowed: None) -> Iterator[BadPeer]:
    """A second server, which is another origin by its port."""
    with bad_peer() as started:
        yield started


def fault_at(url: str) -> PeerFault:
    """What asking a root at this address comes to."""
    with pytest.raises(PeerError) as error, RemoteRoot(Access(url, SECRET), limits=QUICK) as root:
        root.describe()
    return error.value.fault


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/peer/", "https://localhost/peer/", "https://[::1]/peer/", "https://10.1.2.3/peer/",
        "https://169.254.169.254/peer/", "https://[::ffff:127.0.0.1]/peer/", "https://2130706433/peer/",
        "https://0x7f.1/peer/", "https://[fd00:ec2::254]/peer/", "https://192.168.0.1/peer/",
    ],
)  # fmt: skip
def test_no_peer_lives_on_a_special_address(none_allowed: None, url: str) -> None:
    assert fault_at(url) is PeerFault.UNRESOLVED


@pytest.mark.parametrize(
    "url",
    [
        "http://peer.example/peer/", "https://peer.example:22/peer/", "ftp://peer.example/", "peer.example",
        "https://user:pass@peer.example/", "https://peer.example/?x=1", "https://peer.example/#x", "https://",
        "https://peer.example/a b/", "https://peer.example:99999/", "file:///etc/passwd", "",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_peer_is_refused(none_allowed: None, url: str) -> None:
    assert fault_at(url) is PeerFault.TARGET_REFUSED


def test_a_host_is_reached_while_an_operator_allows_it(peer: BadPeer) -> None:
    with RemoteRoot(Access(peer.url), limits=QUICK) as root:
        root.describe()
        disallow_host(actor=OPERATOR, host="127.0.0.1")
        with pytest.raises(PeerError) as error:
            root.describe()
    assert error.value.fault is PeerFault.TARGET_REFUSED
    assert len(peer.requests) == 1


def test_what_was_judged_is_what_is_connected_to(
    peer: BadPeer, named: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name server answers otherwise from the second time on: nobody asks it twice for one request."""
    server = named(rebinding=["127.0.0.1", "10.0.0.1"])
    allow_host(actor=OPERATOR, host="rebinding.example")
    connected: list[Any] = []
    connect = socket.socket.connect

    def recorded(self: socket.socket, address: Any) -> None:
        connected.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", recorded)
    url = peer.named("rebinding.example")
    with RemoteRoot(Access(url), limits=QUICK) as root:
        root.describe()
    port = int(peer.origin.rpartition(":")[2])
    assert server.asked == ["rebinding.example"]
    assert [each for each in connected if each[1] == port] == [("127.0.0.1", port)]
    assert peer.requests[0].headers["host"] == f"rebinding.example:{port}"


def test_a_name_that_leads_inside_later_is_refused_then(none_allowed: None, named: Callable[..., Any]) -> None:
    """The first answer is public, where nobody can be reached from here; the second is not, and is not tried."""
    server = named(rebinding=["127.0.0.1"])
    assert fault_at("https://rebinding.example:8443/peer/") is PeerFault.UNRESOLVED
    assert server.asked == ["rebinding.example"]


def test_a_kept_connection_is_left_when_the_name_leads_elsewhere(peer: BadPeer, named: Callable[..., Any]) -> None:
    named(rebinding=["127.0.0.1", "127.0.0.2"])
    allow_host(actor=OPERATOR, host="rebinding.example")
    with RemoteRoot(Access(peer.named("rebinding.example")), limits=QUICK) as root:
        root.describe()
        with pytest.raises(PeerError) as error:
            root.describe()
    assert error.value.fault is PeerFault.UNREACHABLE
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    ("location", "fault"),
    [
        ("http://localhost:1/", PeerFault.TARGET_REFUSED),
        ("https://localhost/", PeerFault.UNRESOLVED),
        ("https://169.254.169.254/latest/meta-data/", PeerFault.UNRESOLVED),
        ("https://[::1]:8443/", PeerFault.UNRESOLVED),
        ("file:///etc/passwd", PeerFault.TARGET_REFUSED),
        ("https://user:pass@peer.example/", PeerFault.TARGET_REFUSED),
        ("http://[", PeerFault.REDIRECTED),
        ("", PeerFault.REDIRECTED),
        ("https://peer.example/" + "x" * 10_000, PeerFault.REDIRECTED),
    ],
)
def test_a_redirect_is_judged_like_any_address(peer: BadPeer, location: str, fault: PeerFault) -> None:
    peer.script = [redirect(location)]
    assert fault_at(peer.url) is fault
    assert len(peer.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_peer_is_followed_with_credentials(peer: BadPeer, status: int) -> None:
    peer.script = [redirect("/peer/?elsewhere=1#part", status)]
    with RemoteRoot(Access(peer.url, SECRET), limits=QUICK) as root:
        assert root.describe().title == "A peer"
    assert [asked.headers.get("authorization") for asked in peer.requests] == ["Bearer secret-of-this-node"] * 2
    assert peer.requests[1].query == {"elsewhere": "1"}


def test_credentials_go_to_no_other_origin(peer: BadPeer, other: BadPeer) -> None:
    peer.script = [redirect(other.url)]
    with RemoteRoot(Access(peer.url, SECRET), limits=QUICK) as root:
        assert root.describe().title == "A peer"
    assert "authorization" in peer.requests[0].headers
    assert len(other.requests) == 1
    assert "secret" not in str(other.requests)


def test_redirects_without_end_are_given_up(peer: BadPeer) -> None:
    peer.always = redirect("/peer/")
    assert fault_at(peer.url) is PeerFault.REDIRECTED
    assert len(peer.requests) == QUICK.max_redirects + 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_what_is_posted_or_deleted_goes_nowhere_else(peer: BadPeer, other: BadPeer, status: int) -> None:
    peer.always = redirect(other.url, status)
    with RemoteRoot(Access(peer.url, SECRET), limits=QUICK) as root:
        for request in (lambda: root.post(ALIAS, b'{"objects":[]}'), lambda: root.delete(ALIAS, "indicator--1")):
            with pytest.raises(PeerError) as error:
                request()
            assert error.value.fault is PeerFault.REDIRECTED
    assert not other.requests


def test_the_environment_names_no_proxy_and_no_credentials(
    peer: BadPeer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with RemoteRoot(Access(peer.url), limits=QUICK) as root:
        root.describe()
    assert "authorization" not in peer.requests[0].headers


def test_no_cookie_comes_back(peer: BadPeer) -> None:
    peer.script = [lambda exchange: exchange.send(200, b"{}", {"Set-Cookie": "tracked=1; Path=/"})]
    with RemoteRoot(Access(peer.url), limits=QUICK) as root:
        root.page(ALIAS, limit=1)
        root.page(ALIAS, limit=1)
    assert all("cookie" not in asked.headers for asked in peer.requests)
