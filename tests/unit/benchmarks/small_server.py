"""A small HTTP server, a process of its own: prints its port and serves until it is ended.

`/fine` is a page; of `/broken` it promises one byte more than it sends; `/refused` is 404.
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BODY = b'{"more":false,"objects":[{"id":"x"},{"id":"y"}]}'


class Handler(BaseHTTPRequestHandler):
    """Keeps connections open, but that of a promise it breaks."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        is_broken = self.path.startswith("/broken")
        self.send_response(404 if self.path.startswith("/refused") else 200)
        self.send_header("Content-Length", str(len(BODY) + is_broken))
        self.end_headers()
        self.wfile.write(BODY)
        self.close_connection = is_broken

    def log_message(self, *args: Any) -> None:
        """Nothing: the output is the port."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)  # noqa: T201 - what the test that starts it waits for
    server.serve_forever()
