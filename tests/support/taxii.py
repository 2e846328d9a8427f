"""A bare TAXII client for tests: it sends what it is told to, right or wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests

from tests.support.labs import Community, LabHandle

TAXII = "application/taxii+json;version=2.1"
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class TaxiiClient:
    """One reader (or nobody) at the API root `exchange`."""

    base_url: str
    token: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """`path` from the host's root. Headers given as None are left out."""
        headers = {"Accept": TAXII}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        headers |= options.pop("headers", {})
        options.setdefault("allow_redirects", False)
        return self.session.request(method, self.base_url + path, headers=headers, timeout=TIMEOUT_S, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def objects(self, collection: str = "signatures", query: str = "", **options: Any) -> requests.Response:
        return self.get(objects_path(collection) + (f"?{query}" if query else ""), **options)

    def post(self, *bodies: bytes, collection: str = "signatures", **options: Any) -> requests.Response:
        """Post an envelope of these objects."""
        options["headers"] = {"Content-Type": TAXII, **options.get("headers", {})}
        options.setdefault("data", b'{"objects":[' + b",".join(bodies) + b"]}")
        return self.request("POST", objects_path(collection), **options)


def objects_path(collection: str) -> str:
    return f"/exchange/collections/{collection}/objects/"


def client_of(base_url: str, lab: LabHandle) -> TaxiiClient:
    """The lab's own token at the node."""
    return TaxiiClient(base_url, lab.token)


@dataclass(frozen=True, slots=True)
class Node:
    """A node's TAXII door as each of the labs, and as nobody."""

    url: str
    community: Community
    aurora: TaxiiClient
    borealis: TaxiiClient
    cobalt: TaxiiClient
    nobody: TaxiiClient
