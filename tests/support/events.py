"""A client of the event stream for tests: it reads in a thread, and parses as the standard says."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.support.rest import RestClient

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event."""

    id: str
    kind: str
    data: str

    @property
    def object_id(self) -> str:
        return str(json.loads(self.data)["object"]["id"])


@dataclass
class Stream:
    """A stream that is open; `last_id` is what a browser would come back with."""

    response: requests.Response
    events: list[Event] = field(default_factory=list)
    last_id: str = ""
    beats: int = 0
    has_ended: bool = False
    fault: str = ""

    def read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for raw in self.response.iter_lines(chunk_size=1):
                line = raw.decode()
                if line.startswith(":"):
                    self.beats += 1
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = fields[name] + "\n" + value if name == "data" and name in fields else value
                else:
                    self._dispatch(fields)
                    fields = {}
        except (requests.RequestException, AttributeError) as error:
            self.fault = repr(error)
        finally:
            self.has_ended = True

    def _dispatch(self, fields: dict[str, str]) -> None:
        self.last_id = fields.get("id", self.last_id)
        if "data" in fields:
            self.events.append(Event(self.last_id, fields.get("event", "message"), fields["data"]))

    @property
    def object_ids(self) -> list[str]:
        return [event.object_id for event in list(self.events)]

    def close(self) -> None:
        """Go away without a word."""
        self.response.close()


def open_stream(client: RestClient, query: str = "", **headers: str) -> Stream:
    """Begin a stream; its answer must be 200."""
    response = requests.get(
        f"{client.base_url}/api/v1/events/{query}",
        headers={"Authorization": f"Bearer {client.token}", "Accept": "text/event-stream", **headers},
        stream=True,
        timeout=TIMEOUT_S,
    )
    assert response.status_code == 200, response.text
    stream = Stream(response)
    threading.Thread(target=stream.read, daemon=True).start()
    return stream


def parsed(text: bytes) -> list[dict[str, Any]]:
    """The blocks of a stream's bytes, each as its fields."""
    blocks = text.decode().split("\n\n")
    return [dict(line.split(": ", 1) for line in block.splitlines() if ": " in line) for block in blocks if block]
