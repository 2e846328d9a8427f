"""The source address behind reverse proxies, with headers as a hostile client writes them."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import RequestFactory

from exchange.environment import EnvironmentValueError, read_networks
from exchange.http.sources import source_address

PROXY = "10.0.0.2"
CLIENT = "198.51.100.7"


@pytest.fixture(autouse=True)
def proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", read_networks("P", {"P": "10.0.0.0/24, fd00::/64"}))


def source(peer: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return source_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))


@pytest.mark.parametrize("forwarded", [None, "", "10.0.0.9", CLIENT, "junk", f"{CLIENT}, {PROXY}"])
def test_header_of_a_peer_that_is_no_proxy_means_nothing(forwarded: str | None) -> None:
    assert source("203.0.113.5", forwarded) == "203.0.113.5"


@pytest.mark.parametrize(
    "forwarded",
    [
        CLIENT,
        f" {CLIENT} ",
        f"192.0.2.1, {CLIENT}",
        f"10.0.0.9,{CLIENT}",
        f"junk, \x00, {CLIENT}",
        f"{CLIENT}, 10.0.0.3, 10.0.0.4",
        f"::ffff:{CLIENT}",
        ", ".join(["192.0.2.1"] * 5_000 + [CLIENT]),
    ],
)
def test_last_hop_that_is_no_proxy_is_the_source(forwarded: str) -> None:
    assert source(PROXY, forwarded) == CLIENT


def test_proxies_are_known_in_both_families() -> None:
    assert source("fd00::1", "2001:db8::7") == "2001:db8::7"
    assert source(f"::ffff:{PROXY}", CLIENT) == CLIENT


@pytest.mark.parametrize(
    "forwarded",
    [
        None,
        "",
        ",",
        f"{CLIENT},",
        "unknown",
        f"{CLIENT}, junk",
        f"{CLIENT}, junk, 10.0.0.3",
        f"{CLIENT}:4711",
        "[2001:db8::7]:4711",
        "fe80::1%eth0",
        "198.51.100.07",
        "10.0.0.3, 10.0.0.4",
        ", ".join([CLIENT] + ["10.0.0.3"] * 500),
    ],
)
def test_proxy_is_the_source_where_its_header_names_nobody(forwarded: str | None) -> None:
    assert source(PROXY, forwarded) == PROXY


def test_nobody_is_trusted_by_default() -> None:
    assert read_networks("TRUSTED_PROXIES", {}) == []


@pytest.mark.parametrize("value", ["10.0.0.1/8", "proxy.example", "10.0.0.0/33"])
def test_networks_that_are_none_are_refused_by_name(value: str) -> None:
    with pytest.raises(EnvironmentValueError, match="TRUSTED_PROXIES"):
        read_networks("TRUSTED_PROXIES", {"TRUSTED_PROXIES": value})
