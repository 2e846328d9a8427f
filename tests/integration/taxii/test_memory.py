"""The memory of the web process does not grow with the body of an envelope."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.models import ApiRoot
from tests.integration.taxii.conftest import node_of
from tests.support.database import TestServices
from tests.support.labs import Community
from tests.support.server import WebServer

MEBIBYTE = 1024 * 1024
LARGE_BYTES = 96 * MEBIBYTE
MOST_GROWTH_BYTES = 48 * MEBIBYTE
"""A batch of 4 MiB is there a few times over: as objects, as a parameter, on its way to the database."""


@pytest.fixture
def fresh_server(services: TestServices, tmp_path: Path) -> Iterator[WebServer]:
    """A web server that has seen no large body yet."""
    server = WebServer(services, tmp_path / "web.log")
    server.start()
    yield server
    server.stop()


def peak_bytes(pid: int) -> int:
    """The largest resident memory so far of a process and those that it started."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(found[1]) * 1024 + sum(peak_bytes(int(child)) for child in started)


def test_memory_of_the_web_process_stays_where_it_is_while_a_large_envelope_arrives(
    fresh_server: WebServer, community: Community
) -> None:
    node = node_of(fresh_server.url, community)
    ApiRoot.objects.update(max_content_bytes=LARGE_BYTES * 2)
    assert fresh_server.process is not None
    assert node.aurora.post(community.aurora.signed(community.aurora.indicator())).status_code == 202
    before = peak_bytes(fresh_server.process.pid)
    sent = [0]

    def arriving() -> Iterator[bytes]:
        yield b'{"objects":['
        while sent[0] < LARGE_BYTES:
            body = {"type": "note", "id": f"note--{uuid.uuid4()}", "content": "x" * 8_000}
            piece = json.dumps(body).encode() + b","
            sent[0] += len(piece)
            yield piece
        yield b'{"id":"note--00000000-0000-4000-8000-000000000000"}]}'

    response = node.aurora.post(data=arriving())
    assert response.status_code == 202, response.text
    assert response.json()["status"] == "pending"
    growth = peak_bytes(fresh_server.process.pid) - before
    assert growth < MOST_GROWTH_BYTES, f"{growth / MEBIBYTE:.0f} MiB for {sent[0] / MEBIBYTE:.0f} MiB"
