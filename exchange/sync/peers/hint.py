"""The word to another exchange that there is something new for it (docs/federation.md, "Hints")."""

from __future__ import annotations

from typing import Final
from urllib.parse import urljoin

from exchange.sync.peers.access import Access
from exchange.sync.peers.client import USER_AGENT
from exchange.sync.peers.limits import Limits
from exchange.sync.peers.lines import Call
from exchange.sync.peers.transport import Transport

PATH: Final = "/api/v1/hints/"
"""At the origin of the peer's API root: an exchange serves TAXII and REST side by side."""

LIMITS: Final = Limits(read_s=5.0, deadline_s=8.0, attempts=1, max_body_bytes=64 * 1024)
"""Of what is not worth waiting for."""


def send_hint(access: Access, limits: Limits = LIMITS) -> None:
    """Tell an exchange once.

    Raises:
        PeerError: it was not reached, or did not take it.
    """
    transport = Transport(access, limits)
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
    try:
        transport.ask(Call("POST", urljoin(access.url, PATH), headers, b""))
    finally:
        transport.close()
