"""nginx serving our own answers from files: what a server costs that does nothing but send these bytes.

`next` in the files is the number of the next page instead of a cursor, so that the same client can follow it. Nobody
is asked who he is.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.connection import TAXII
from benchmarks.peers.environments import SYSTEM_PATH, AbsentError, running
from benchmarks.sizes import WEB_WORKERS
from exchange.stack import free_port
from exchange.stack.ports import LOOPBACK
from exchange.stack.process import ManagedProcess

NAME = "nginx"
ACCEPTED_REQUESTS = 1_000_000_000
"""On one connection, and descriptors that stay open: a benchmark is not to be interrupted."""

_CONFIG = """\
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests {requests};
  open_file_cache max=10000 inactive=1h;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  default_type "{media_type}";
  server {{
    listen {address}:{port};
    root {folder}/pages;
    location ~ ^/([a-z-]+)/(objects|manifest)/$ {{ try_files /$1/page-$arg_next =404; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Pages:
    """A folder of answers, by set of pages; nginx serves a set as `/SET/objects/` and `/SET/manifest/`."""

    folder: Path

    def write(self, name: str, bodies: Sequence[bytes]) -> None:
        """Write a set of pages, each leading to the next by its number and the last to none."""
        folder = self.folder / "pages" / name
        folder.mkdir(parents=True)
        for number, body in enumerate(bodies):
            following = number + 1 if number + 1 < len(bodies) else None
            (folder / f"page-{number or ''}").write_bytes(chained(body, following))


def chained(body: bytes, following: int | None) -> bytes:
    """The page with a number in the place of its cursor, or without `next` and `more`; no other byte is touched."""
    cursor = json.loads(body).get("next")
    if cursor is None:
        return body
    written = rb'"next":\s*' + re.escape(json.dumps(cursor).encode())
    if following is not None:
        return re.sub(written, f'"next":"{following}"'.encode(), body, count=1)
    ended = re.sub(written + rb",?\s*", b"", body, count=1)
    return re.sub(rb'"more":\s*true', b'"more":false', ended, count=1)


def version() -> str:
    """Of the program.

    Raises:
        AbsentError: it is not installed.
    """
    shown = subprocess.run([_program(), "-v"], check=True, capture_output=True, text=True).stderr
    return shown.rpartition("/")[2].strip()


@contextmanager
def serving(pages: Pages) -> Iterator[int]:
    """Serve all sets of pages; gives the port.

    Raises:
        AbsentError: it is not installed.
    """
    program, port = _program(), free_port()
    text = _CONFIG.format(
        workers=WEB_WORKERS,
        folder=pages.folder,
        requests=ACCEPTED_REQUESTS,
        media_type=TAXII,
        address=LOOPBACK,
        port=port,
    )
    config = pages.folder / "nginx.conf"
    config.write_text(text, encoding="utf-8")
    command = [program, "-p", str(pages.folder), "-c", str(config), "-e", str(pages.folder / "error.log")]
    with running(ManagedProcess(NAME, command, {"PATH": SYSTEM_PATH}, pages.folder / "nginx.log"), port):
        yield port


@contextmanager
def folder_of_pages() -> Iterator[Pages]:
    """A temporary folder that nginx's processes, who are another user under root, may enter."""
    with tempfile.TemporaryDirectory(prefix="commonwatch-pages-") as name:
        Path(name).chmod(0o755)
        yield Pages(Path(name))


def _program() -> str:
    found = shutil.which("nginx", path=SYSTEM_PATH)
    if found is None:
        raise AbsentError("nginx is not installed: it comes with the distribution's packages")
    return found
