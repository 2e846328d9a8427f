"""OpenTAXII on the PostgreSQL server of our node, in a database of its own, filled by COPY as its own API would.

It keeps objects parsed, as JSON, and writes them anew for each answer; the members are the same and the bytes are not.
It is asked with a bearer token, which costs it less than Basic.
"""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks.corpus import SPEC_VERSION, TYPE, date_of, object_body, stix_id
from benchmarks.node import Node
from benchmarks.peers.environments import APPS, Environment
from benchmarks.sizes import WEB_WORKERS
from benchmarks.target import Target

NAME = "OpenTAXII"
DATABASE = "opentaxii_bench"
SECRET = "for a benchmark alone, and long enough for its algorithm"
MAX_BODY_BYTES = 1 << 24
COLUMNS = "(pk, id, collection_id, type, spec_version, date_added, version, serialized_data)"
KEPT_APART = ("id", "type", "spec_version")

_ENVIRONMENT = Environment("opentaxii")


@contextmanager
def serving(node: Node, folder: Path, *, first: int, last: int) -> Iterator[Target]:
    """OpenTAXII with the objects numbered `first` to `last`.

    Raises:
        AbsentError: it is not installed.
    """
    python = _ENVIRONMENT.python
    node.stack.create_database(DATABASE)
    url = node.stack.owner_url(DATABASE)
    try:
        config = _write_config(folder, url)
        env = {"OPENTAXII_CONFIG": str(config)}
        place = _set_up(python, env)
        _fill(url, place["collection"], first, last)
        with _ENVIRONMENT.gunicorn("opentaxii_app", env, folder / "opentaxii.log") as port:
            path = f"/taxii2/{place['root']}/collections/{place['collection']}/"
            yield Target(NAME, _runs_on(), port, path, f"Bearer {place['token']}", first, last)
    finally:
        node.stack.drop_database(DATABASE)


def _set_up(python: Path, env: dict[str, str]) -> dict[str, str]:
    """What `opentaxii_app.py` prints: ids of the root and the collection, and a token.

    Raises:
        AssertionError: it fails; the end of what it says is the message.
    """
    command = [str(python), str(APPS / "opentaxii_app.py")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise AssertionError(f"{NAME} cannot be set up: {done.stderr[-2000:]}")
    place: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return place


def _runs_on() -> str:
    gunicorn, version = _ENVIRONMENT.version("gunicorn"), _ENVIRONMENT.version("opentaxii")
    return f"OpenTAXII {version} on gunicorn {gunicorn}, {WEB_WORKERS} processes of 4 threads, the same PostgreSQL"


def _write_config(folder: Path, url: str) -> Path:
    """JSON, which is YAML too. The file holds a password, so it is nobody else's."""
    database = {"db_connection": url.replace("postgresql:", "postgresql+psycopg2:", 1)}
    accounts, objects = "opentaxii.auth.sqldb.SQLDatabaseAPI", "opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI"
    config = {
        "auth_api": {"class": accounts, "parameters": {**database, "create_tables": False, "secret": SECRET}},
        "taxii1": None,
        "taxii2": {
            "title": "bench",
            "max_content_length": MAX_BODY_BYTES,
            "persistence_api": {"class": objects, "parameters": database},
        },
        "logging": {"opentaxii": "warning", "root": "warning"},
    }
    path = folder / "opentaxii.yml"
    path.touch(mode=0o600)
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


def _fill(url: str, collection: str, first: int, last: int) -> None:
    order = f"COPY opentaxii_stixobject {COLUMNS} FROM STDIN"
    with psycopg.connect(url) as connection, connection.cursor().copy(order) as copy:
        for number in range(first, last + 1):
            members = json.loads(object_body(number))
            kept = json.dumps({name: value for name, value in members.items() if name not in KEPT_APART})
            at = date_of(number).replace(tzinfo=None)
            copy.write_row((uuid.uuid4(), stix_id(number), collection, TYPE, SPEC_VERSION, at, at, kept))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) opentaxii_stixobject")
