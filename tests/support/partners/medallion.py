"""medallion 3.0.0 with its memory backend.

Every request compares all objects with all others: some hundred objects are many to it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import Environment
from exchange.models import Peer
from exchange.services.peers import Credentials
from exchange.stack.process import ManagedProcess
from tests.support.partners.partner import Members, Partner

USER, PASSWORD = "node", "sesame"
COLLECTIONS = 20
"""It makes none while it runs."""
PAGE = 100
"""Most objects that it answers at once."""
MAX_BODY_BYTES = 1 << 20
MEDIA_TYPE = "application/stix+json;version=2.1"


class Medallion(Partner):
    """One process: cursors are kept in the memory of the one that made them."""

    name = "medallion"
    root = "/feed/"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._unused = [str(uuid.uuid4()) for _ in range(COLLECTIONS)]
        self._data, self._config = folder / "data.json", folder / "config.json"
        self._data.write_text(json.dumps(_data(self._unused)), encoding="utf-8")
        backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend"}
        settings = {"users": {USER: PASSWORD}, "taxii": {"max_page_size": PAGE}}
        settings["backend"] = {**backend, "filename": str(self._data)}
        self._config.write_text(json.dumps(settings), encoding="utf-8")

    @property
    def credentials(self) -> Credentials:
        return Credentials(kind=Peer.Credentials.BASIC, username=USER, password=PASSWORD)

    def make_collection(self) -> str:
        return self._unused.pop()

    def put(self, collection: str, objects: Sequence[Members]) -> None:
        status = self.post(collection, objects)
        assert status["failure_count"] == 0, status

    def make_server(self) -> ManagedProcess:
        env = {"MEDALLION_CONFIG": str(self._config), "MEDALLION_KEPT": str(self._data)}
        log = self.folder / "medallion.log"
        return Environment("medallion").server("medallion_app", env, log, self.port, workers=1)


def _data(collections: Sequence[str]) -> dict[str, Any]:
    rights = {"can_read": True, "can_write": True, "media_types": [MEDIA_TYPE]}
    listed = [{"id": each, "title": each, "objects": [], "manifest": [], **rights} for each in collections]
    information = {
        "title": "feed",
        "versions": ["application/taxii+json;version=2.1"],
        "max_content_length": MAX_BODY_BYTES,
    }
    root = {"information": information, "status": [], "collections": listed}
    return {"/discovery": {"title": "feed", "api_roots": ["/feed/"]}, "feed": root}
