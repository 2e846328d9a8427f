"""Walks through pages as clients do, and the small facts that tests of TAXII ask of answers."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import requests

from tests.support.labs import LabHandle
from tests.support.taxii import TaxiiClient

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
FIRST_DATE, LAST_DATE = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"
ROOT = "/exchange"
HOME = f"{ROOT}/collections/signatures"
OBJECTS, MANIFEST = f"{HOME}/objects/", f"{HOME}/manifest/"
MAX_PAGES = 500

Members = dict[str, Any]


def object_path(stix_id: str) -> str:
    return f"{OBJECTS}{quote(stix_id, safe='')}/"


def versions_path(stix_id: str) -> str:
    return f"{object_path(stix_id)}versions/"


def only(*members: Members) -> str:
    """The filter for these objects alone."""
    return "match[id]=" + ",".join(sorted({each["id"] for each in members}))


def ask(client: TaxiiClient, path: str, query: str = "") -> requests.Response:
    """GET that has to succeed."""
    response = client.get(path + (f"?{query}" if query else ""))
    assert response.status_code == 200, response.text
    return response


def items(response: requests.Response) -> list[Members]:
    """Objects of an envelope, or records of a manifest."""
    found: list[Members] = response.json().get("objects", [])
    return found


def keys(response: requests.Response) -> list[tuple[str, str]]:
    """Id and version of each item; of objects, an extension-definition has a `version` that is none of TAXII's."""
    return [
        (each["id"], each["version"] if "date_added" in each else each.get("modified") or each["created"])
        for each in items(response)
    ]


def key(members: Members) -> tuple[str, str]:
    return members["id"], members["modified"]


def by_next(client: TaxiiClient, path: str, query: str) -> list[requests.Response]:
    """All pages, following `next`."""
    pages = [ask(client, path, query)]
    while pages[-1].json().get("more"):
        assert len(pages) < MAX_PAGES
        pages.append(ask(client, path, f"{query}&next={pages[-1].json()['next']}"))
    return pages


def by_date(client: TaxiiClient, path: str, query: str) -> list[requests.Response]:
    """All pages, following the date of the last item as clients do that know no `next`."""
    pages = [ask(client, path, query)]
    while pages[-1].json().get("more"):
        assert len(pages) < MAX_PAGES
        query = re.sub("&?added_after=[^&]*", "", query)
        pages.append(ask(client, path, f"{query}&added_after={pages[-1].headers[LAST_DATE]}"))
    return pages


def flat(pages: list[requests.Response]) -> list[tuple[str, str]]:
    return [each for page in pages for each in keys(page)]


def store(client: TaxiiClient, lab: LabHandle, *members: Members, collection: str = "signatures") -> None:
    """Post in one envelope; every one must be taken."""
    response = client.post(*map(lab.signed, members), collection=collection)
    assert response.status_code == 202, response.text
    assert response.json()["failure_count"] == 0, response.text


def history(lab: LabHandle, length: int = 3) -> list[Members]:
    """Versions of one indicator, oldest first."""
    members = [lab.indicator()]
    while len(members) < length:
        members.append(lab.next_version(members[-1], name=f"Look {len(members) + 1}"))
    return members
