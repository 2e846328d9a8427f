"""medallion with its memory backend, filled from a file.

One process: pages that remain are kept in the memory of the process that made the first. Every request compares all
objects with all others, so it holds far fewer here than the others do.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.corpus import SPEC_VERSION, date_of, object_body
from benchmarks.peers.environments import Environment
from benchmarks.target import Target
from exchange.stix.timestamps import format_taxii

NAME = "medallion"
USER, PASSWORD = "bench", "bench"
ROOT, COLLECTION = "bench", "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
MEDIA_TYPE = f"application/stix+json;version={SPEC_VERSION}"
MAX_BODY_BYTES = 1 << 24

_ENVIRONMENT = Environment("medallion")


@contextmanager
def serving(folder: Path, *, first: int, last: int, page: int) -> Iterator[Target]:
    """medallion with the objects numbered `first` to `last`.

    Raises:
        AbsentError: it is not installed.
    """
    version, gunicorn = _ENVIRONMENT.version("medallion"), _ENVIRONMENT.version("gunicorn")
    config = _write_files(folder, first, last, page)
    with _ENVIRONMENT.gunicorn(
        "medallion_app", {"MEDALLION_CONFIG": str(config)}, folder / "medallion.log", workers=1
    ) as port:
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        runs_on = f"medallion {version} on gunicorn {gunicorn}, 1 process of 4 threads, its memory backend"
        yield Target(NAME, runs_on, port, f"/{ROOT}/collections/{COLLECTION}/", f"Basic {basic}", first, last)


def _write_files(folder: Path, first: int, last: int, page: int) -> Path:
    data, config = folder / "medallion-data.json", folder / "medallion.json"
    data.write_text(json.dumps(_data(range(first, last + 1))), encoding="utf-8")
    backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(data)}
    settings = {"users": {USER: PASSWORD}, "taxii": {"max_page_size": page}, "backend": backend}
    config.write_text(json.dumps(settings), encoding="utf-8")
    return config


def _data(numbers: range) -> dict[str, object]:
    objects = [json.loads(object_body(number)) for number in numbers]
    manifest = [
        {
            "id": members["id"],
            "date_added": format_taxii(date_of(number)),
            "version": members["modified"],
            "media_type": MEDIA_TYPE,
        }
        for number, members in zip(numbers, objects, strict=True)
    ]
    collection = {"id": COLLECTION, "title": "bench", "can_read": True, "can_write": False}
    collection |= {"media_types": [MEDIA_TYPE], "objects": objects, "manifest": manifest}
    information = {"title": "bench", "versions": [MEDIA_TYPE], "max_content_length": MAX_BODY_BYTES}
    root = {"information": information, "status": [], "collections": [collection]}
    return {"/discovery": {"title": "bench", "api_roots": [f"/{ROOT}/"]}, ROOT: root}
