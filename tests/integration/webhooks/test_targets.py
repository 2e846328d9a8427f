"""Where the node connects to: judged when a hook is made and again at each delivery, resolved once."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from exchange.models import AuditEvent, Webhook
from exchange.services.outbound import (
    Target,
    TargetRefusedError,
    TargetUnresolvedError,
    allow_host,
    parse_target,
    resolve_target,
)
from exchange.services.principals import OPERATOR
from exchange.services.webhooks import claim_due, create_webhook
from exchange.stix.markings import Tlp
from exchange.sync import outbound
from exchange.sync.webhooks.delivering import deliver
from tests.support.certificates import make_certificate
from tests.support.labs import Community
from tests.support.receiver import Receiver, receiving


class NameServer:
    """Stands for the resolver: a name server of one's own cannot be had without being its user's administrator."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, *_hints: Any, **_named: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        address = self.answers.pop(0)
        if not address:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in address.split()]


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Any:
    def name_server(*answers: str) -> NameServer:
        server = NameServer(*answers)
        monkeypatch.setattr(socket, "getaddrinfo", server)
        return server

    return name_server


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://10.1.2.3/", "https://169.254.169.254/",
        "https://[::ffff:127.0.0.1]/", "https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://0/",
        "https://[64:ff9b::7f00:1]/", "https://[fd00:ec2::254]/", "https://localhost./",
    ],
)  # fmt: skip
def test_a_target_on_a_special_address_is_refused_however_it_is_written(community: Community, url: str) -> None:
    with pytest.raises(TargetUnresolvedError) as caught:
        create_webhook(principal=community.cobalt.principal, url=url)
    assert (caught.value.code, caught.value.pointer) == ("target-not-public", "/url")
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("url", ["http://hooks.example/", "https://hooks.example:22/", "https://hooks.example:80/"])
def test_plain_http_and_ports_of_other_services_are_for_allowed_hosts(
    community: Community, named: Any, url: str
) -> None:
    named("1.1.1.1")
    with pytest.raises(TargetRefusedError):
        create_webhook(principal=community.cobalt.principal, url=url)
    allow_host(actor=OPERATOR, host="Hooks.Example.")
    create_webhook(principal=community.cobalt.principal, url=url)


def test_an_internal_name_is_refused_like_one_that_does_not_exist(community: Community, named: Any) -> None:
    named("10.0.0.1", "", "1.1.1.1 10.0.0.1")
    refusals = []
    for _ in range(3):
        with pytest.raises(TargetRefusedError) as caught:
            create_webhook(principal=community.cobalt.principal, url="https://db.internal/")
        refusals.append((caught.value.code, caught.value.detail))
    assert len(set(refusals)) == 1


def test_a_name_that_leads_inside_later_is_refused_at_delivery(community: Community, named: Any) -> None:
    server = named("1.1.1.1", "127.0.0.1")
    create_webhook(principal=community.cobalt.principal, url="https://hooks.example/")
    aurora = community.aurora
    assert aurora.publish(aurora.signed(aurora.indicator(Tlp.GREEN)))[0].error is None
    for claim in claim_due():
        deliver(claim)
    hook = Webhook.objects.get()
    assert (hook.last_failure, hook.failures) == ("target-not-public", 1)
    assert server.asked == ["hooks.example"] * 2


def test_what_is_not_for_a_hook_moves_neither_name_servers_nor_what_its_lab_sees_of_it(
    community: Community, named: Any
) -> None:
    server = named("1.1.1.1")
    create_webhook(principal=community.cobalt.principal, url="https://hooks.example/")

    def seen() -> dict[str, Any]:
        hidden = ("watermark", "claim", "claimed_until")
        return {name: value for name, value in Webhook.objects.values().get().items() if name not in hidden}

    before = seen()
    aurora = community.aurora
    assert aurora.publish(aurora.signed(aurora.indicator(Tlp.RED)))[0].error is None
    for claim in claim_due():
        deliver(claim)
    assert server.asked == ["hooks.example"]
    assert seen() == before
    assert claim_due() == []


def test_what_was_checked_is_what_is_connected_to(
    community: Community, receiver: Receiver, named: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer is good, every later one leads inside: nobody asks a second time."""
    allow_host(actor=OPERATOR, host="rebinding.example")
    port = parse_target(receiver.url).port
    server = named("127.0.0.1", "10.0.0.1", "10.0.0.1")
    target = resolve_target(f"http://rebinding.example:{port}/hook")
    connected: list[tuple[str, int]] = []
    connect = socket.socket.connect

    def recorded(self: socket.socket, address: Any) -> None:
        connected.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", recorded)
    assert outbound.post(target, b"{}", {}) == 204
    assert server.asked == ["rebinding.example"]
    assert connected == [("127.0.0.1", port)]
    assert receiver.requests[0].headers["host"] == f"rebinding.example:{port}"


def test_a_target_is_what_was_judged_and_never_a_proxy(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    target: Target = resolve_target(receiver.url)
    assert outbound.post(target, b"{}", {}) == 204


def test_operators_manage_hosts_while_the_node_runs(community: Community) -> None:
    def command(*arguments: str) -> Any:
        out = io.StringIO()
        call_command("allow_host", *arguments, "--json", stdout=out)
        return json.loads(out.getvalue())

    assert command("Hooks.Internal.") == {"host": "hooks.internal", "allowed": ["hooks.internal"]}
    assert command("[::1]")["allowed"] == ["::1", "hooks.internal"]
    assert command() == {"allowed": ["::1", "hooks.internal"]}
    assert command("hooks.internal", "--remove")["allowed"] == ["::1"]
    actions = list(AuditEvent.objects.filter(action__startswith="host-").values_list("action", "subject"))
    assert actions == [
        ("host-allowed", "hooks.internal"),
        ("host-allowed", "::1"),
        ("host-disallowed", "hooks.internal"),
    ]


def test_the_certificate_is_held_against_the_name_of_the_url(
    tmp_path: Path, named: Any, community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS by the URL's name, on the address that was checked; another's certificate is no trusted target."""
    certificate, key = make_certificate(tmp_path, "hooks.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    outbound._tls.cache_clear()
    for host in ("hooks.example", "other.example"):
        allow_host(actor=OPERATOR, host=host)
    named("127.0.0.1", "127.0.0.1")
    with receiving(tls=(certificate, key)) as receiver:
        port = parse_target(receiver.url).port
        assert outbound.post(resolve_target(f"https://hooks.example:{port}/hook"), b"{}", {}) == 204
        assert receiver.requests[0].headers["host"] == f"hooks.example:{port}"
        with pytest.raises(outbound.PeerUnreachableError) as caught:
            outbound.post(resolve_target(f"https://other.example:{port}/hook"), b"{}", {})
    assert caught.value.code == "tls"
    assert len(receiver.requests) == 1
    outbound._tls.cache_clear()
