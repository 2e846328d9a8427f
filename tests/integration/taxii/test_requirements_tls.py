"""TAXII 2.1 over TLS (requirement 80), and the clients that insist on it."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest
import requests
from taxii2client.v21 import Server

from tests.integration.taxii.tls import EARLY_DATA, TIMEOUT_S, ProxiedServer, TlsServer, session_tickets
from tests.integration.taxii.walking import OBJECTS
from tests.support.database import TestServices
from tests.support.taxii import TAXII, Node


def get(server: TlsServer, node: Node, path: str, **headers: str) -> requests.Response:
    credentials = {"Authorization": f"Bearer {node.community.aurora.token}", "Accept": TAXII}
    return requests.get(
        server.url + path, headers=credentials | headers, verify=str(server.certificate), timeout=TIMEOUT_S
    )


def raw_get(node: Node, path: str) -> bytes:
    credentials = f"Authorization: Bearer {node.community.aurora.token}\r\nAccept: {TAXII}\r\n"
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{credentials}Connection: close\r\n\r\n".encode()


def test_requirement_80_taxii_is_served_over_tls(tls_server: TlsServer, shared_node: Node) -> None:
    response = get(tls_server, shared_node, OBJECTS)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == TAXII
    assert response.headers["Strict-Transport-Security"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_requirement_80_tls_1_2_and_1_3_are_taken(
    tls_server: TlsServer, shared_node: Node, version: ssl.TLSVersion
) -> None:
    with tls_server.connect(version) as connection:
        connection.sendall(raw_get(shared_node, "/exchange/"))
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_requirement_80_plain_http_gets_no_taxii_on_the_tls_port(tls_server: TlsServer, shared_node: Node) -> None:
    with tls_server.dial() as connection:
        connection.sendall(raw_get(shared_node, "/taxii2/"))
        try:
            answer = connection.recv(65_536)
        except ConnectionResetError:
            answer = b""
    assert b"taxii" not in answer
    assert not answer.startswith(b"HTTP/1.1 2")


def test_requirement_80_a_node_at_an_https_address_serves_no_taxii_in_clear(
    services: TestServices, shared_node: Node, tmp_path: Path
) -> None:
    """Behind a proxy that ends TLS, and reached past it: neither discovery nor objects nor a status."""
    server = ProxiedServer(services, tmp_path)
    server.start()
    try:
        credentials = {"Authorization": f"Bearer {shared_node.community.aurora.token}", "Accept": TAXII}
        for method, path in (("GET", "/taxii2/"), ("GET", OBJECTS), ("POST", OBJECTS), ("GET", "/exchange/")):
            for scheme in ({}, {"X-Forwarded-Proto": "http"}):
                response = requests.request(
                    method, server.url + path, headers=credentials | scheme, timeout=TIMEOUT_S, allow_redirects=False
                )
                assert response.status_code == 403
                assert response.json()["error_code"] == "plain-http"
            response = requests.get(
                server.url + path, headers=credentials | {"X-Forwarded-Proto": "https"}, timeout=TIMEOUT_S
            )
            assert response.status_code == 200
    finally:
        server.stop()


def test_requirement_80_no_session_ticket_allows_early_data(
    tls_server: TlsServer, shared_node: Node, tmp_path: Path
) -> None:
    tickets = session_tickets(tls_server, tmp_path / "keys.log")
    assert tickets
    assert all(EARLY_DATA not in extensions for extensions in tickets)


def test_requirement_80_ciphers_that_http_2_forbids_are_refused(tls_server: TlsServer) -> None:
    """RFC 7540 appendix A: everything without ephemeral keys and authenticated encryption."""
    for ciphers in ("AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256"):
        with pytest.raises(ssl.SSLError):
            tls_server.connect(ssl.TLSVersion.TLSv1_2, f"{ciphers}:@SECLEVEL=0").close()


def test_requirement_04_roots_are_absolute_https_where_the_node_has_such_an_address(
    tls_server: TlsServer, shared_node: Node
) -> None:
    discovery = get(tls_server, shared_node, "/taxii2/").json()
    assert discovery["api_roots"] == [f"{tls_server.url}/exchange/"]
    assert discovery["default"] == f"{tls_server.url}/exchange/"
    assert get(tls_server, shared_node, "/exchange/").status_code == 200


def test_the_reference_client_works_over_tls(
    tls_server: TlsServer, shared_node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With requests, these win over what the client was told.
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    lab = shared_node.community.aurora
    certificate = str(tls_server.certificate)
    with Server(f"{tls_server.url}/taxii2/", user="aurora", password=lab.token, verify=certificate) as server:
        collection = next(each for each in server.default.collections if each.alias == "signatures")
        assert collection.add_objects({"objects": [json.loads(lab.signed(lab.indicator()))]}).success_count == 1


def test_a_cursor_of_one_web_process_serves_at_another(tls_server: TlsServer, shared_node: Node) -> None:
    whole = shared_node.aurora.get(OBJECTS).json()["objects"]
    first = shared_node.aurora.get(f"{OBJECTS}?limit=2").json()
    rest = get(tls_server, shared_node, f"{OBJECTS}?next={first['next']}").json()
    assert first["objects"] + rest["objects"] == whole
