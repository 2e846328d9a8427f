"""Compressed answers at the REST door, through the real web process."""

from __future__ import annotations

import json

import requests
import zstandard

from tests.support.rest import RestClient, RestNode


def in_zstd(client: RestClient, path: str, method: str = "GET", **options: object) -> requests.Response:
    return client.request(method, path, headers={"Accept-Encoding": "zstd"}, stream=True, **options)


def test_objects_and_long_problems_come_compressed(node: RestNode) -> None:
    page = in_zstd(node.aurora, "objects/")
    assert page.headers["Content-Encoding"] == "zstd"
    assert "Accept-Encoding" in page.headers["Vary"]
    found = json.loads(zstandard.decompress(page.raw.read(decode_content=False)))
    assert found["objects"] == node.aurora.get("objects/").json()["objects"]
    head = in_zstd(node.aurora, "objects/", "HEAD")
    assert {name: head.headers[name] for name in ("Content-Encoding", "Vary")} == {
        name: page.headers[name] for name in ("Content-Encoding", "Vary")
    }
    assert "Content-Encoding" not in in_zstd(node.aurora, "whoami/").headers


def test_the_answer_with_the_secret_of_a_token_is_never_compressed(node: RestNode) -> None:
    networks = [f"198.51.{third}.0/24" for third in range(200)]
    order = json.dumps({"scopes": ["read"], "bounds": {"networks": networks}})
    headers = {"Accept-Encoding": "zstd, gzip", "Content-Type": "application/json"}
    issued = node.aurora.request("POST", "tokens/", data=order, headers=headers)
    assert issued.status_code == 201
    assert len(issued.content) > 2_000
    assert "Content-Encoding" not in issued.headers


def test_an_object_may_be_published_in_zstd(node: RestNode) -> None:
    aurora = node.community.aurora
    body = zstandard.compress(aurora.signed(aurora.indicator()))
    assert node.aurora.post("objects/", body, headers={"Content-Encoding": "zstd"}).status_code == 201
