"""Which addresses and URLs the node may connect to for a member."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from exchange.services.outbound import TargetRefusedError, parse_target
from exchange.services.outbound.addresses import is_public
from exchange.services.outbound.names import canonical_host

NOT_PUBLIC = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8",  # noqa: S104 - judged, not bound to
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::7f00:1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
    "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "4000::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808", "2606:4700::1%eth0",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.167.0.1",
    "2606:4700::1111", "2a00:1450::5",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_special_in_any_form_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", [*PUBLIC, "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_an_ordinary_address_is_public_even_inside_another(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "", "https://", "https:///x", "//host/x", "ftp://host/", "file:///etc/passwd", "javascript:alert(1)",
        "https://user@host/", "https://user:pw@host/", "https://host/#part", "https://host:99999/", "https://host:0/",
        "https://ho st/", "https://host\\@evil/", "https://host/\r\nX: y", "https://höst/", "https://host/%zz\x00",
        "https://[::1", "https://[fe80::1%25eth0]/", "https://-host/", "https://host-/", "https://a..b/",
        "https:/host/", "https:host", "https://host/" + "x" * 2000, "https://host/<script>",
    ],
)  # fmt: skip
def test_a_url_that_parsers_could_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(TargetRefusedError) as caught:
        parse_target(url)
    assert caught.value.pointer == "/url"


def test_a_target_is_taken_apart_once() -> None:
    target = parse_target("https://Hooks.Example.:8443/a/b?c=d&e")
    assert (target.scheme, target.host, target.port, target.path) == ("https", "hooks.example", 8443, "/a/b?c=d&e")
    assert target.authority == "hooks.example:8443"
    assert parse_target("https://[2606:4700::1]").authority == "[2606:4700::1]"
    assert parse_target("https://host").path == "/"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Host.Example.", "host.example"), ("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("0:0::1", "::1"),
        ("a" * 64, None), ("", None), ("host/path", None), ("host:1", None), ("fe80::1%eth0", None), ("*", None),
    ],
)  # fmt: skip
def test_a_host_has_one_form(text: str, name: str | None) -> None:
    assert canonical_host(text) == name
