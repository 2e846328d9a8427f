"""Asks the web process of this container for /healthz. Exit code 0 when it answers 200."""

import http.client
import os
import sys

PORT = 8000
TIMEOUT_S = 4


def main() -> int:
    """The Host header is one that the node accepts."""
    host = os.environ.get("ALLOWED_HOSTS", "localhost").replace(",", " ").split()[0]
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        return 0 if connection.getresponse().status == http.client.OK else 1
    except OSError:
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
