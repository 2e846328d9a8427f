"""A TAXII server of somebody else, running in an environment of its own below `.peers/` (make peers).

Tests of pulling and of pushing use it alike: it has a collection for each test, a client of its own that puts objects
in and looks at all that is there, and may be stopped and started in the middle of a sync.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from benchmarks.peers.environments import start
from exchange.services.peers import Credentials
from exchange.stack import free_port
from exchange.stack.ports import LOOPBACK
from exchange.stack.process import ManagedProcess
from exchange.sync.peers import Access, BasicCredentials, BearerCredentials
from tests.support.taxii import TAXII

TIMEOUT_S = 60

Members = Mapping[str, Any]


class Partner(ABC):
    """The server; `name` as people call it."""

    name: str
    root: str
    """Path of its API root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """Of its API root."""
        return f"http://{LOOPBACK}:{self.port}{self.root}"

    @property
    @abstractmethod
    def credentials(self) -> Credentials:
        """What lets a node in that may read and write, as an operator registers it."""

    @abstractmethod
    def make_collection(self) -> str:
        """The id of an empty collection."""

    @abstractmethod
    def put(self, collection: str, objects: Sequence[Members]) -> None:
        """Somebody else's objects, all added at the moment of now."""

    @abstractmethod
    def make_server(self) -> ManagedProcess:
        """The process that serves; it keeps what it has over stop and start."""

    @property
    def access(self) -> Access:
        """The same way in, for `RemoteRoot`."""
        shown = self.credentials
        if shown.token:
            return Access(self.url, BearerCredentials(shown.token))
        return Access(self.url, BasicCredentials(shown.username, shown.password))

    def start(self) -> None:
        """Start it, on the same port as before."""
        self.process = self.make_server()
        start(self.process, self.port)
        # The port is open before the process behind it has loaded.
        self.ask("GET", "collections/")

    def stop(self) -> None:
        """Stop it; connections to it are refused from then on."""
        if self.process is not None:
            self.process.stop()
            self.process = None

    def held(self, collection: str) -> list[dict[str, Any]]:
        """Every version of every object in a collection, as it answers them."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            query = {"limit": "1000", "match[version]": "all", **cursor}
            answer = self.ask("GET", f"collections/{collection}/objects/", params=query)
            envelope = answer.json()
            found += envelope.get("objects", [])
            if not envelope.get("more"):
                return found
            cursor = {"next": envelope["next"]}

    def post(self, collection: str, objects: Sequence[Members]) -> dict[str, Any]:
        """Post an envelope as any client does; answers the status."""
        envelope = json.dumps({"objects": list(objects)}).encode()
        headers = {"Content-Type": TAXII}
        status: dict[str, Any] = self.ask(
            "POST", f"collections/{collection}/objects/", data=envelope, headers=headers
        ).json()
        return status

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request below the root. Raises: requests.HTTPError: it is refused."""
        shown = self.credentials
        headers = {"Accept": TAXII, **options.pop("headers", {})}
        if shown.token:
            headers["Authorization"] = f"Bearer {shown.token}"
        else:
            options["auth"] = (shown.username, shown.password)
        answer = requests.request(method, self.url + path, headers=headers, timeout=TIMEOUT_S, **options)
        answer.raise_for_status()
        return answer
