"""A TAXII 2.1 server of a peer on loopback that answers well, or as badly as a script says. Standard library alone.

`dials` change how it answers well; `script` holds what it does with the next requests instead, see `misbehaving`.
"""

from __future__ import annotations

import json
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TAXII = "application/taxii+json;version=2.1"
ROOT = "/peer/"
COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
ALIAS = "signatures"
STATUS = "2d086da7-4bdc-4f91-900e-d77486753710"
DEFAULT_PAGE = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came. `query` has the first value of each parameter."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Dials:
    """How a peer that speaks TAXII differs from a good one.

    gives_next: answers `next` beside `more`. inclusive: added_after includes its own moment. repeats: always the first
    page. forever: says `more` even at the end. content_type: of every answer. root, collections: resources to answer.
    """

    gives_next: bool = True
    inclusive: bool = False
    repeats: bool = False
    forever: bool = False
    content_type: str = TAXII
    root: dict[str, Any] = field(
        default_factory=lambda: {"title": "A peer", "versions": [TAXII], "max_content_length": 10_000_000}
    )
    collections: dict[str, Any] = field(
        default_factory=lambda: {
            "collections": [{"id": COLLECTION, "title": "All", "alias": ALIAS, "can_read": True, "can_write": True}]
        }
    )


@dataclass(slots=True)
class BadPeer:
    """`objects` are pairs of a date and bytes, in order. `script` comes instead of good answers, one by one, and then
    `always`."""

    origin: str = ""
    objects: list[tuple[str, bytes]] = field(default_factory=list)
    posted: list[bytes] = field(default_factory=list)
    deleted: list[tuple[str, str]] = field(default_factory=list)
    dials: Dials = field(default_factory=Dials)
    script: list[Answering] = field(default_factory=list)
    always: Answering | None = None
    requests: list[Asked] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return self.origin + ROOT

    def named(self, host: str) -> str:
        """The URL of its root under another name."""
        parts = urlsplit(self.origin)
        return f"{parts.scheme}://{host}:{parts.port}{ROOT}"

    def add(self, count: int, *, date: str = "") -> list[bytes]:
        """More objects, each a microsecond after the one before, or all at one date. No writer makes such bytes."""
        added = []
        for _ in range(count):
            number = len(self.objects)
            when = date or f"2026-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000000Z"
            body = b'{ "type" : "indicator","id":"indicator--%s" , "n":1.50, "t":"\\u00e9" }'
            body %= str(uuid.UUID(int=number, version=4)).encode()
            self.objects.append((when, body))
            added.append(body)
        return added


class Exchange(BaseHTTPRequestHandler):
    """One request and what to answer with. `send` writes a whole answer; `wfile` is there for worse."""

    protocol_version = "HTTP/1.1"
    peer: BadPeer
    asked: Asked

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        standard = {"Content-Type": self.peer.dials.content_type, "Content-Length": str(len(body))}
        for name, value in (standard | (headers or {})).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, value: Any, headers: dict[str, str] | None = None) -> None:
        self.send(200, json.dumps(value).encode(), headers)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True  # the node went away, as it should from a bad peer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        self.asked = Asked(self.command, parts.path, query, headers, body)
        self.peer.requests.append(self.asked)
        answering = self.peer.script.pop(0) if self.peer.script else self.peer.always or well
        answering(self)

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *_arguments: Any) -> None:
        return


Answering = Callable[[Exchange], None]


def well(exchange: Exchange) -> None:
    """As TAXII 2.1 says, but for the peer's dials."""
    peer, asked = exchange.peer, exchange.asked
    steps = [unquote(step) for step in asked.path.removeprefix(ROOT).split("/") if step]
    match asked.method, steps:
        case "GET", []:
            exchange.send_json(peer.dials.root)
        case "GET", ["collections"]:
            exchange.send_json(peer.dials.collections)
        case "GET", ["status", _]:
            exchange.send_json(status_of(peer.posted))
        case "GET", ["collections", name, "objects"] if name in (COLLECTION, ALIAS):
            send_page(exchange)
        case "POST", ["collections", name, "objects"] if name in (COLLECTION, ALIAS):
            peer.posted.append(asked.body)
            exchange.send(202, json.dumps(status_of(peer.posted)).encode())
        case "DELETE", ["collections", name, "objects", object_id] if name in (COLLECTION, ALIAS):
            peer.deleted.append((object_id, asked.query.get("match[version]", "")))
            exchange.send(200, b"")
        case _:
            exchange.send(404, b'{"title":"there is no such thing"}')


def send_page(exchange: Exchange) -> None:
    """One page of the peer's objects; `next` is the number of the first object on it."""
    peer, query = exchange.peer, exchange.asked.query
    after, dials = query.get("added_after", ""), peer.dials
    found = [each for each in peer.objects if each[0] > after or (dials.inclusive and each[0] == after)]
    start = 0 if dials.repeats else int(query.get("next") or 0)
    page = found[start : start + int(query.get("limit", DEFAULT_PAGE))]
    end = start + len(page)
    beside = '"more":true' if end < len(found) or dials.forever else '"more":false'
    if beside == '"more":true' and dials.gives_next:
        beside += f',"next":"{end}"'
    if page:
        beside += f',"objects":[{" , ".join(body.decode() for _, body in page)}]'
    dates = {"X-TAXII-Date-Added-First": page[0][0], "X-TAXII-Date-Added-Last": page[-1][0]} if page else {}
    exchange.send(200, f"{{{beside}}}".encode(), dates)


def status_of(posted: list[bytes]) -> dict[str, Any]:
    """A complete status: all that was posted last went well."""
    objects = json.loads(posted[-1])["objects"] if posted else []
    named = [{"id": each["id"], "version": "2026-01-01T00:00:00.000Z"} for each in objects]
    counts = {"total_count": len(named), "success_count": len(named), "failure_count": 0, "pending_count": 0}
    resource = {"id": STATUS, "status": "complete", "request_timestamp": "2026-01-01T00:00:00.000000Z", **counts}
    return resource | ({"successes": named} if named else {})


@contextmanager
def bad_peer(tls: ssl.SSLContext | None = None) -> Iterator[BadPeer]:
    """A peer for the time of a block."""
    peer = BadPeer()

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def process_request(self, request: Any, client_address: Any) -> None:
            peer.connections += 1
            super().process_request(request, client_address)

        def handle_error(self, *_arguments: Any) -> None:
            return  # a handshake that the node broke off

        def finish_request(self, request: Any, client_address: Any) -> None:
            # Not in the thread that accepts: a node that breaks a handshake off must not end the server.
            if tls is None:
                super().finish_request(request, client_address)
                return
            with tls.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)

    server = Server(("127.0.0.1", 0), type("_Exchange", (Exchange,), {"peer": peer}))
    peer.origin = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        peer.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def server_tls(certificate: Path, key: Path, *, client_authority: Path | None = None) -> ssl.SSLContext:
    """TLS of a peer; with an authority it asks for a client's certificate and takes no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if client_authority is not None:
        context.load_verify_locations(client_authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
