"""Rate limits of a real web process: for tokens at both doors, for addresses without one, and for guesses."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import requests
from django.core.management import call_command

from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token
from exchange.stack import free_port
from tests.support.database import TestServices
from tests.support.labs import Community
from tests.support.rest import RestClient
from tests.support.server import WebServer
from tests.support.taxii import TaxiiClient

LIMITS = "read=1/s:3 publish=1/h:40 anonymous=1/h:3 refused=1/h:3"
PAGE = "/exchange/collections/signatures/objects/"
FORGED = "cwt_00000000_" + "A" * 43
MANY = 40


@pytest.fixture(scope="module")
def limited_server(
    services: TestServices, _migrated: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebServer]:
    """A web process with narrow limits, behind a proxy on loopback, so that tests choose their address."""
    variables = {"RATE_LIMITS": LIMITS, "TRUSTED_PROXIES": "127.0.0.1"}
    server = WebServer(services, Path(tmp_path_factory.mktemp("limited")) / "web.log", environment=variables)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def url(limited_server: WebServer, services: TestServices) -> str:
    with redis.Redis.from_url(services.cache_url) as cache:
        cache.flushdb()
    return limited_server.url


def get(url: str, token: str = "", address: str = "192.0.2.1") -> requests.Response:
    return TaxiiClient(url, token).get(PAGE, headers={"X-Forwarded-For": address})


def until_limited(ask: Callable[[], requests.Response]) -> requests.Response:
    """The first 429; everything before it is the same other answer."""
    before = {(response := ask()).status_code}
    for _ in range(MANY):
        response = ask()
        if response.status_code == 429:
            assert len(before) == 1
            return response
        before.add(response.status_code)
    raise AssertionError("there is no limit")


def test_a_token_over_its_limit_is_told_when_to_come_again_and_then_let_in(url: str, community: Community) -> None:
    token = community.aurora.token
    first = get(url, token)
    assert first.status_code == 200
    assert first.headers["RateLimit-Policy"] == '"read";q=3;w=3'
    assert first.headers["RateLimit"] == '"read";r=2;t=1'
    refused = until_limited(lambda: get(url, token))
    assert refused.headers["Content-Type"] == "application/taxii+json;version=2.1"
    assert refused.json()["error_code"] == "rate-limited"
    assert refused.headers["Retry-After"] == "1"
    assert get(url, community.borealis.token).status_code == 200
    time.sleep(int(refused.headers["Retry-After"]))
    assert get(url, token).status_code == 200


def test_both_doors_draw_from_one_bucket_and_rest_answers_a_problem(url: str, community: Community) -> None:
    client = RestClient(url, community.aurora.token)
    until_limited(lambda: get(url, community.aurora.token))
    refused = until_limited(lambda: client.get("whoami/"))
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:commonwatch:problem:rate-limited"
    assert int(refused.headers["Retry-After"]) >= 1


def test_publishing_costs_by_its_bytes_however_they_come(url: str, community: Community) -> None:
    aurora, borealis = community.aurora, community.borealis
    body = aurora.signed(aurora.indicator()) + b" " * 20_000
    client = RestClient(url, aurora.token)
    assert client.post("objects/", body).status_code == 201
    assert client.post("objects/", b"{}").status_code == 429
    assert client.get("whoami/").status_code == 200
    body = borealis.signed(borealis.indicator()) + b" " * 40_000
    client = RestClient(url, borealis.token)
    assert client.post("objects/", iter([body])).status_code == 201
    owed = client.post("objects/", b"{}")
    assert owed.status_code == 429
    assert int(owed.headers["Retry-After"]) > 16 * 3_600


def test_a_body_that_is_refused_while_it_grows_is_paid_for_too(url: str, community: Community) -> None:
    client = RestClient(url, community.borealis.token)
    bomb = gzip.compress(b"\0" * 60_000_000)
    assert client.post("objects/", bomb, headers={"Content-Encoding": "gzip"}).status_code == 413
    owed = client.post("objects/", b"{}")
    assert owed.status_code == 429
    assert int(owed.headers["Retry-After"]) > 1_000 * 3_600


def test_nobody_is_counted_by_address_and_ipv6_by_its_site(url: str, community: Community) -> None:
    assert until_limited(lambda: get(url)).headers["Retry-After"]
    assert get(url, address="192.0.2.2").status_code == 401
    until_limited(lambda: get(url, address="2001:db8::1"))
    assert get(url, address="2001:db8::ffff").status_code == 429
    assert get(url, address="2001:db8:0:1::1").status_code == 401
    assert get(url, community.aurora.token).status_code == 200


def test_guessing_ends_and_neighbours_of_the_guesser_go_on(url: str, community: Community) -> None:
    neighbour, newcomer = community.aurora.token, community.borealis.token
    assert get(url, neighbour).status_code == 200
    wrong = until_limited(lambda: get(url, FORGED))
    assert get(url, neighbour).status_code == 200
    # Whether a guess is right shows no more.
    right = get(url, newcomer)
    assert (right.status_code, right.content) == (429, wrong.content)
    assert sorted(right.headers) == sorted(wrong.headers)
    assert get(url, newcomer, address="192.0.2.9").status_code == 200


def test_an_operator_gives_a_token_limits_of_its_own_without_restart(url: str, community: Community) -> None:
    token = issue_token(actor=OPERATOR, lab=community.aurora.lab, scopes=["read"])
    until_limited(lambda: get(url, token.secret))
    call_command("limit_token", token.token.prefix, "--rates", "read=1000/s:1000000")
    assert get(url, token.secret).headers["RateLimit-Policy"] == '"read";q=1000000;w=1000'
    call_command("limit_token", token.token.prefix)
    assert get(url, token.secret).headers.get("RateLimit-Policy", '"read";q=3;w=3') == '"read";q=3;w=3'


def test_without_the_cache_everything_passes_and_the_log_says_so(
    services: TestServices, community: Community, tmp_path: Path
) -> None:
    variables = {"RATE_LIMITS": LIMITS, "CACHE_URL": f"redis://:hidden@127.0.0.1:{free_port()}/0"}
    server = WebServer(services, tmp_path / "web.log", environment=variables)
    server.start()
    try:
        for _ in range(5):
            assert get(server.url, community.aurora.token).status_code == 200
            assert get(server.url, FORGED).status_code == 401
    finally:
        server.stop()
    log = server.log_path.read_text()
    assert log.count("rate limits are off") >= 1
    assert "hidden" not in log
