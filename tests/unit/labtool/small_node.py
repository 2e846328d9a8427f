"""A small real node for the tests: TAXII and REST over a socket on loopback, with objects in a list.

It checks nothing and trusts everybody, so that the lab tool's own checks show. `answers` replaces the answer to a
path by hostile bytes.
"""

import gzip
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TAXII = "application/taxii+json;version=2.1"
TOKEN = "cwt_test_0123456789"
START = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Answer:
    """What the node says once or for ever."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1_000_000
    cut_after_bytes: int | None = None


@dataclass
class Request:
    """What a client sent."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Stored:
    """An object in its collection."""

    collection: str
    date_added: str
    raw: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients of these tests hang up in the middle of an answer."""


class SmallNode:
    """The node; use as a context manager."""

    def __init__(self) -> None:
        self.objects: list[Stored] = []
        self.collection_ids = {
            alias: str(uuid.uuid4()) for alias in ("signatures", "attribution", "identities", "feedback")
        }
        self.answers: dict[str, Answer] = {}
        self.requests: list[Request] = []
        self.whoami: dict[str, Any] = {"lab": "aurora", "identity": None, "scopes": ["read", "publish"]}
        self.publish_status: Callable[[dict[str, Any]], dict[str, Any]] | None = None
        self.page_cap = 1000
        self.gives_next = True
        self.serves_all_versions = True
        self._server = _Server(("127.0.0.1", 0), _handler_for(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "SmallNode":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(self, collection: str, *raws: bytes) -> None:
        """Store objects as they are."""
        for raw in raws:
            moment = START + timedelta(microseconds=len(self.objects) + 1)
            date_added = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            self.objects.append(Stored(collection, date_added, raw))

    def objects_path(self, alias: str) -> str:
        return f"/exchange/collections/{self.collection_ids[alias]}/objects/"

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]


def _handler_for(node: SmallNode) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet: two would cost 40 ms of delayed acknowledgement.
        wbufsize = -1

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def do_DELETE(self) -> None:
            self._answer("DELETE")

        def _answer(self, method: str) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(method, unquote(parts.path), parse_qs(parts.query), dict(self.headers.items()), body)
            node.requests.append(request)
            answer = node.answers.get(request.path)
            if answer is not None and answer.times > 0:
                answer.times -= 1
            else:
                answer = respond(node, request)
            self._send(answer)

        def _send(self, answer: Answer) -> None:
            kind = {"Content-Type": TAXII if self.path.startswith(("/taxii2", "/exchange")) else "application/json"}
            self.send_response(answer.status)
            for name, value in {**kind, **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if answer.cut_after_bytes is not None:
                self.wfile.write(answer.body[: answer.cut_after_bytes])
                self.close_connection = True
                return
            self.wfile.write(answer.body)

    return Handler


def respond(node: SmallNode, request: Request) -> Answer:
    """The answer of a node that works."""
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return _json({"title": "Unauthorized", "detail": "no token", "type": "about:blank", "status": 401}, 401)
    path = request.path
    if path == "/taxii2/":
        return _json({"title": "Small", "default": "/exchange/", "api_roots": ["/exchange/"]})
    if path == "/exchange/":
        return _json({"title": "Root", "versions": [TAXII], "max_content_length": 1_000_000})
    if path == "/exchange/collections/":
        listed = [
            {"id": key, "alias": alias, "title": alias.title(), "can_read": True, "can_write": True}
            for alias, key in node.collection_ids.items()
        ]
        return _json({"collections": listed})
    for alias in node.collection_ids:
        if path == node.objects_path(alias):
            return _page(node, alias, request.query)
    if path == "/api/v1/whoami/":
        return _json(node.whoami)
    if path == "/api/v1/objects/" and request.method == "POST":
        return _publish(node, request)
    if path.endswith("/versions/"):
        return _versions(node, path.split("/")[-3])
    if path.startswith("/api/v1/objects/"):
        return _read(node, path.removeprefix("/api/v1/objects/").rstrip("/"))
    return _json({"title": "Not found", "type": "urn:commonwatch:problem:not-found", "status": 404}, 404)


def gzipped(body: bytes, **headers: str) -> Answer:
    """An answer that grows when it is unpacked."""
    return Answer(body=gzip.compress(body), headers={"Content-Encoding": "gzip", **headers})


def _json(value: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def _page(node: SmallNode, alias: str, query: dict[str, list[str]]) -> Answer:
    if "match[version]" in query and not node.serves_all_versions:
        return _json({"title": "match[version] is not served here"}, 400)
    after = query.get("next", query.get("added_after", [""]))[0]
    limit = min(int(query.get("limit", ["100"])[0]), node.page_cap)
    rest = [stored for stored in node.objects if stored.collection == alias and stored.date_added > after]
    if "match[version]" not in query and not node.serves_all_versions:
        newest = {json.loads(stored.raw)["id"]: stored for stored in node.objects}
        rest = [stored for stored in rest if stored in newest.values()]
    page = rest[:limit]
    if not page:
        return _json({})
    head: dict[str, Any] = {"more": len(rest) > limit}
    if head["more"] and node.gives_next:
        head["next"] = page[-1].date_added
    body = json.dumps(head)[:-1].encode() + b', "objects": [' + b", ".join(stored.raw for stored in page) + b"]}"
    dates = {
        "X-TAXII-Date-Added-First": page[0].date_added,
        "X-TAXII-Date-Added-Last": page[-1].date_added,
    }
    return Answer(body=body, headers=dates)


def _publish(node: SmallNode, request: Request) -> Answer:
    results = []
    for member in json.loads(request.body):
        result = {"id": member["id"], "version": member.get("modified"), "status": "stored", "log": None}
        if node.publish_status is not None:
            result |= node.publish_status(member)
        if result["status"] == "stored" and "dry_run" not in request.query:
            node.add(request.query.get("collection", ["signatures"])[0], json.dumps(member).encode())
        results.append(result)
    return _json({"results": results}, 201)


def _versions(node: SmallNode, object_id: str) -> Answer:
    raws = [stored.raw for stored in node.objects if json.loads(stored.raw).get("id") == object_id]
    return Answer(body=b'{"versions": [' + b",".join(b'{"object": ' + raw + b"}" for raw in raws) + b"]}")


def _read(node: SmallNode, object_id: str) -> Answer:
    entries = [
        b'{"collection": "%s", "label": "TLP:GREEN", "object": %s}' % (stored.collection.encode(), stored.raw)
        for stored in node.objects
        if json.loads(stored.raw).get("id") == object_id
    ]
    if not entries:
        return _json({"title": "Not found", "type": "urn:commonwatch:problem:not-found", "status": 404}, 404)
    return Answer(body=b'{"objects": [' + entries[-1] + b"]}")
