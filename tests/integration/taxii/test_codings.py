"""Compressed answers and bodies, through the real web process."""

from __future__ import annotations

import gzip

import pytest
import requests
import zstandard

from tests.integration.taxii.walking import MANIFEST, OBJECTS, ROOT
from tests.support.taxii import TAXII, Node, TaxiiClient


def asked(client: TaxiiClient, path: str, accept: str, method: str = "GET", **headers: str) -> requests.Response:
    return client.request(method, path, headers={"Accept-Encoding": accept, **headers}, stream=True)


def raw(response: requests.Response) -> bytes:
    return response.raw.read(decode_content=False)


def test_a_page_comes_in_the_coding_that_is_asked_for(node: Node) -> None:
    plain = asked(node.aurora, OBJECTS, "identity")
    body = raw(plain)
    assert "Content-Encoding" not in plain.headers
    zipped, frame = asked(node.aurora, OBJECTS, "gzip"), asked(node.aurora, OBJECTS, "gzip, zstd")
    assert (zipped.headers["Content-Encoding"], frame.headers["Content-Encoding"]) == ("gzip", "zstd")
    assert gzip.decompress(raw(zipped)) == zstandard.decompress(raw(frame)) == body
    for response in (plain, zipped, frame):
        assert {"Accept", "Authorization", "Accept-Encoding"} <= set(response.headers["Vary"].split(", "))
        assert response.headers["ETag"] == plain.headers["ETag"]
        assert response.headers["ETag"].startswith("W/")


def test_head_has_the_headers_of_get_in_every_coding(node: Node) -> None:
    for path in (OBJECTS, MANIFEST, f"{ROOT}/", f"{ROOT}/collections/"):
        for accept in ("identity", "gzip", "zstd"):
            got, head = asked(node.aurora, path, accept), asked(node.aurora, path, accept, "HEAD")
            length = int(got.headers["Content-Length"])
            assert len(raw(got)) == length
            assert raw(head) == b""
            for response in (got, head):
                response.headers.pop("Date", None)
            assert head.headers == got.headers


def test_what_a_client_has_in_one_coding_it_has_in_all(node: Node) -> None:
    tag = asked(node.aurora, OBJECTS, "gzip").headers["ETag"]
    for accept in ("identity", "gzip", "zstd"):
        again = asked(node.aurora, OBJECTS, accept, **{"If-None-Match": tag})
        assert again.status_code == 304
        assert "Content-Encoding" not in again.headers
        assert "Accept-Encoding" in again.headers["Vary"]
        assert raw(again) == b""


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_an_envelope_may_be_posted_compressed(node: Node, coding: str) -> None:
    aurora = node.community.aurora
    envelope = b'{"objects":[' + aurora.signed(aurora.indicator()) + b"]}"
    body = gzip.compress(envelope) if coding == "gzip" else zstandard.compress(envelope)
    answer = node.aurora.post(data=body, headers={"Content-Encoding": coding})
    assert answer.status_code == 202, answer.text
    assert answer.json()["success_count"] == 1


def test_a_zstd_bomb_is_too_large_and_another_coding_unsupported(node: Node) -> None:
    bomb = zstandard.compress(b'{"objects":[' + b" " * (64 << 20))
    assert node.aurora.post(data=bomb, headers={"Content-Encoding": "zstd"}).status_code == 413
    refused = node.aurora.post(data=b"{}", headers={"Content-Encoding": "br", "Content-Type": TAXII})
    assert refused.status_code == 415
    assert refused.headers["Accept-Encoding"] == "gzip, zstd, identity"
