"""A bare REST client for tests: it sends what it is told to, right or wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests

from tests.support.labs import Community

TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class RestClient:
    """One reader, or nobody."""

    base_url: str
    token: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """`path` below /api/v1/, or from the host's root. Headers given as None are left out."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        url = self.base_url + (path if path.startswith("/") else f"/api/v1/{path}")
        return self.session.request(method, url, headers=headers, timeout=TIMEOUT_S, allow_redirects=False, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.request("DELETE", path, **options)

    def post(self, path: str, body: Any, **options: Any) -> requests.Response:
        """Post JSON bytes, or whatever else is given as bytes or chunks."""
        options["headers"] = {"Content-Type": "application/json", **options.get("headers", {})}
        return self.request("POST", path, data=body, **options)

    def publish(self, *bodies: bytes, query: str = "", **options: Any) -> requests.Response:
        """Post a list of objects."""
        return self.post("objects/" + query, b"[" + b",".join(bodies) + b"]", **options)


@dataclass(frozen=True, slots=True)
class RestNode:
    """A node's REST door as each of the labs, and as nobody."""

    url: str
    community: Community
    aurora: RestClient
    borealis: RestClient
    cobalt: RestClient
    nobody: RestClient
