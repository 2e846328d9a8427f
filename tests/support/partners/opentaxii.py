"""OpenTAXII 0.9.3 on SQLite, with the encoder without which it does not answer (benchmarks/peers/apps)."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import uuid
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers.environments import APPS, Environment
from exchange.models import Peer
from exchange.services.peers import Credentials
from exchange.stack.process import ManagedProcess
from tests.support.partners.partner import Members, Partner

MAX_BODY_BYTES = 1 << 20
SECRET = "for tests alone, and long enough for its algorithm"
KEPT_APART = ("id", "type", "spec_version")
"""Members that it takes off an object that is posted, and keeps in columns."""
NEW_COLLECTION = """INSERT INTO opentaxii_collection (id, api_root_id, title, is_public, is_public_write)
                    VALUES (?, ?, 'feed', 0, 0)"""
NEW_OBJECT = """INSERT INTO opentaxii_stixobject
                (pk, id, collection_id, type, spec_version, date_added, version, serialized_data)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""


class OpenTaxii(Partner):
    """`put` writes into its tables what posting would, so that thousands of objects share one moment."""

    name = "OpenTAXII"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._database = folder / "opentaxii.db"
        self._env = {"OPENTAXII_CONFIG": str(self._write_config())}
        environment = Environment("opentaxii")
        command = [str(environment.python), str(APPS / "opentaxii_app.py")]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=self._env)
        assert done.returncode == 0, done.stderr[-2000:]
        place = json.loads(done.stdout.splitlines()[-1])
        self.root, self._root_id, self._token = f"/taxii2/{place['root']}/", place["root"], place["token"]

    @property
    def credentials(self) -> Credentials:
        return Credentials(kind=Peer.Credentials.BEARER, token=self._token)

    def make_collection(self) -> str:
        made = uuid.uuid4()
        with closing(sqlite3.connect(self._database)) as connection, connection:
            connection.execute(NEW_COLLECTION, (made.hex, uuid.UUID(self._root_id).hex))
        return str(made)

    def put(self, collection: str, objects: Sequence[Members]) -> None:
        at = _column(datetime.now(UTC))
        rows = [
            (
                uuid.uuid4().hex,
                members["id"],
                uuid.UUID(collection).hex,
                members["type"],
                members["spec_version"],
                at,
                _column(datetime.fromisoformat(members["modified"])),
                json.dumps({name: value for name, value in members.items() if name not in KEPT_APART}),
            )
            for members in objects
        ]
        with closing(sqlite3.connect(self._database)) as connection, connection:
            connection.executemany(NEW_OBJECT, rows)

    def make_server(self) -> ManagedProcess:
        log = self.folder / "opentaxii.log"
        return Environment("opentaxii").server("opentaxii_app", self._env, log, self.port, workers=1)

    def _write_config(self) -> Path:
        """JSON, which is YAML too."""
        database = {"db_connection": f"sqlite:///{self._database}"}
        accounts, objects = "opentaxii.auth.sqldb.SQLDatabaseAPI", "opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI"
        config = {
            "auth_api": {"class": accounts, "parameters": {**database, "create_tables": False, "secret": SECRET}},
            "taxii1": None,
            "taxii2": {
                "title": "feed",
                "max_content_length": MAX_BODY_BYTES,
                "persistence_api": {"class": objects, "parameters": database},
            },
            "logging": {"opentaxii": "warning", "root": "warning"},
        }
        path = self.folder / "opentaxii.yml"
        path.write_text(json.dumps(config), encoding="utf-8")
        return path


def _column(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
