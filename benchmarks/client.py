"""The client of a full pull, a process of its own: follows `next` and parses every page, as taxii2-client does.

Reads what to ask from its standard input as JSON (`Pull`), writes what it got to its standard output (`Pulled`). It
loads nothing of the project but the HTTP client.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from urllib.parse import quote

from benchmarks.connection import Connection, make_request


@dataclass(frozen=True, slots=True)
class Pull:
    """All pages of `limit` objects at `path`, or as many as come within `most_s` seconds."""

    port: int
    path: str
    authorization: str
    limit: int
    most_s: float


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came. `seconds` is the time to the last page, parsing included."""

    objects: int
    pages: int
    seconds: float
    whole: bool

    @property
    def rate(self) -> float:
        """Objects a second."""
        return self.objects / self.seconds


def start(pull: Pull) -> subprocess.Popen[str]:
    """Start the client; `finish` waits for it."""
    command = [sys.executable, "-m", "benchmarks.client"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if process.stdin is not None:
        process.stdin.write(json.dumps(asdict(pull)))
        process.stdin.close()
    return process


def finish(process: subprocess.Popen[str]) -> Pulled:
    """What the client got.

    Raises:
        AssertionError: it ended with an error, which stands on the terminal.
    """
    text = process.stdout.read() if process.stdout is not None else ""
    if process.wait() != 0:
        raise AssertionError("the client of a full pull failed")
    return Pulled(**json.loads(text))


def run(pull: Pull) -> Pulled:
    """Pull in this process.

    Raises:
        AssertionError: an answer is no page.
    """
    cursor, objects, pages, seconds, more = "", 0, 0, 0.0, True
    with closing(Connection(pull.port)) as link:
        began = time.perf_counter()
        while more and seconds < pull.most_s:
            path = f"{pull.path}?limit={pull.limit}" + (f"&next={quote(cursor)}" if cursor else "")
            answer = link.send(make_request("GET", path, pull.authorization))
            if answer.status != 200:
                raise AssertionError(f"page {pages + 1} was answered {answer.status}: {answer.body[:300]!r}")
            envelope = json.loads(answer.body)
            objects, pages = objects + len(envelope["objects"]), pages + 1
            cursor, more = envelope.get("next", ""), envelope.get("more", False)
            seconds = time.perf_counter() - began
    return Pulled(objects, pages, seconds, whole=not more)


if __name__ == "__main__":
    json.dump(asdict(run(Pull(**json.loads(sys.stdin.read())))), sys.stdout)
