"""Text that PostgreSQL cannot keep, or that is far too long, wherever a request has room for it: never a 5xx."""

from __future__ import annotations

import base64
import http.client
import json
import socket
from urllib.parse import urlsplit

import requests

from exchange.http.forms import FORM_TIMEOUT_S
from exchange.models import PublishingStatus, Version
from exchange.services.database import writing
from tests.support.rest import RestNode
from tests.support.taxii import TAXII, TaxiiClient

METHODS = ("GET", "POST", "DELETE")
NUL_ID = "indicator--%00"
LONG = "x" * 6_000
A_UUID = b"8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"

REST_PATHS = (
    "tokens/%00/",
    "tokens/cwt_%00/",
    f"objects/{NUL_ID}/",
    f"objects/{NUL_ID}/versions/",
    "labs/%00/keys/",
    "%00/",
    "/api/%00",
    "/api/docs/extensions/%00.json",
)
TAXII_PATHS = (
    "/exchange/%00/",
    "/exchange/status/%00/",
    "/exchange/collections/%00/",
    "/exchange/collections/%0A%00/objects/",
    "/exchange/collections/%00/objects/",
    "/exchange/collections/%00/manifest/",
    f"/exchange/collections/signatures/objects/{NUL_ID}/",
    f"/exchange/collections/signatures/objects/{NUL_ID}/versions/",
)
TOKEN_ORDERS = (
    {"scopes": ["\0"]},
    {"scopes": ["read"], "bounds": {"collections": ["\0"]}},
    {"scopes": ["read"], "bounds": {"networks": ["\0"]}},
    {"scopes": ["read"], "bounds": {"highest_label": "\0"}},
    {"scopes": ["read"], "expires": "\0"},
    {"scopes": ["read"], "\0": 1},
)
NAMELESS = (
    (rb'{"type":"indicator","id":"indicator--\u0000x"}', "/objects/1/id"),
    (rb'{"type":"indicator","id":"indicator"}', "/objects/1/id"),
    (b'{"type":"indicator","id":"' + b"x" * 100_000 + b'"}', "/objects/1/id"),
    (rb'{"id":"indicator--%s","modified":"\u0000"}' % A_UUID, "/objects/1/modified"),
    (rb'{"id":"indicator--%s","created":"\u0000"}' % A_UUID, "/objects/1/created"),
    (b'{"id":"indicator--%s","modified":"%s"}' % (A_UUID, b"9" * 100_000), "/objects/1/modified"),
)


def test_path_with_nul_is_not_found(node: RestNode) -> None:
    for method in METHODS:
        for path in REST_PATHS:
            answer = node.aurora.request(method, path)
            assert answer.status_code == 404, (method, path)
            assert answer.headers["Content-Type"] == "application/problem+json"
        client = TaxiiClient(node.url, node.aurora.token)
        for path in TAXII_PATHS:
            answer = client.request(method, path)
            assert answer.status_code == 404, (method, path)
            assert answer.headers["Content-Type"] == TAXII
    for path in ("/%00/", "/x%00/y/", "/admin/%00/", "/admin/exchange/lab/%00/change/", "/healthz%00"):
        assert node.nobody.get(path).status_code in {302, 401, 404}, path


def test_query_that_is_no_text_is_refused(node: RestNode) -> None:
    client = TaxiiClient(node.url, node.aurora.token)
    for text in ("%00", "a%00b", "%ff", "%ed%a0%80", LONG):
        for name in ("collection", "type", "added_after", "cursor", "limit", "unknown"):
            assert node.aurora.get(f"objects/?{name}={text}").status_code in {400, 404}, (name, text)
        for name in ("match[id]", "match[type]", "next", "added_after", "limit"):
            assert client.objects("signatures", f"{name}={text}").status_code == 400, (name, text)
    for text in ("%00", "a%00b", "%ff"):
        for name in ("match[version]", "unknown"):
            assert client.objects("signatures", f"{name}={text}").status_code == 400, (name, text)


def test_headers_of_any_text_are_refused_or_mean_nothing(node: RestNode) -> None:
    aurora = node.community.aurora
    for key in ("", LONG, "a b", "ü", "k" * 201):
        headers = {"Idempotency-Key": key.encode("latin-1")}
        assert node.aurora.post("objects/", aurora.signed(aurora.indicator()), headers=headers).status_code == 400
    for secret in ("cwt_\0", "cwt_" + "a" * 900, "cwt_\N{PILE OF POO}", "\0", "cwt_" + "\0" * 30):
        basic = base64.b64encode(f"aurora:{secret}".encode()).decode()
        assert node.nobody.get("whoami/", headers={"Authorization": f"Basic {basic}"}).status_code == 401
    unused = dict.fromkeys(("User-Agent", "X-Forwarded-For", "Referer", "Accept-Language"), LONG)
    assert node.aurora.get("whoami/", headers=unused).status_code == 200


def test_session_cookie_of_any_text_is_no_session(node: RestNode) -> None:
    for key in ('"\\000aaaaaaaaaaaaaaa"', '"\\303\\244aaaaaaaaaaa"', "a" * 3_000, "'; --aaaaaaaa"):
        for path, status in (("/admin/", 302), ("/admin/login/", 200), ("/metrics", 401)):
            assert node.nobody.get(path, headers={"Cookie": f"sessionid={key}"}).status_code == status, (path, key)


def test_order_of_a_token_with_nul_is_refused(node: RestNode) -> None:
    for order in TOKEN_ORDERS:
        assert node.aurora.post("tokens/", json.dumps(order).encode()).status_code in {400, 403, 422}, order


def test_envelope_with_a_name_that_no_status_can_hold_is_refused_whole(node: RestNode) -> None:
    aurora = node.community.aurora
    client = TaxiiClient(node.url, aurora.token)
    with writing():
        before = Version.objects.count()
    for broken, pointer in NAMELESS:
        answer = client.post(aurora.signed(aurora.indicator()), broken)
        assert answer.status_code == 422, answer.text
        assert answer.headers["Content-Type"] == TAXII
        assert pointer in answer.text
    with writing():
        assert (Version.objects.count(), PublishingStatus.objects.count()) == (before, 0)


def test_large_form_is_refused_before_it_is_read(node: RestNode) -> None:
    address = urlsplit(node.url)
    for name, value, status in (("Content-Length", "1000000", 413), ("Transfer-Encoding", "chunked", 411)):
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        connection.putrequest("POST", "/admin/login/")
        connection.putheader("Content-Type", "application/x-www-form-urlencoded")
        connection.putheader("Cookie", "csrftoken=" + "a" * 32)
        connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()


def test_forms_that_never_end_stop_nobody_else(node: RestNode) -> None:
    address = urlsplit(node.url)
    place = (address.hostname or "", address.port or 0)
    head = f"POST /admin/login/ HTTP/1.1\r\nHost: localhost:{place[1]}\r\nCookie: csrftoken={'a' * 32}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 300\r\n\r\nc"
    slow = [socket.create_connection(place) for _ in range(20)]
    try:
        for each in slow:
            each.sendall(head.encode())
        answer = requests.get(f"{node.url}/healthz", timeout=FORM_TIMEOUT_S / 2)
        assert answer.status_code == 200
        assert node.aurora.get("whoami/").status_code == 200
    finally:
        for each in slow:
            each.close()
