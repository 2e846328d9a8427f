"""A reader of Server-Sent Events for tests, by the HTML Living Standard section 9.2.6."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import requests

TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event; `id` is the last event id at that time."""

    name: str
    id: str
    data: Any


class EventReader:
    """An open stream. `last_id` is what a client would send as Last-Event-ID."""

    def __init__(self, url: str, token: str, *, query: str = "", last_id: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        headers |= {"Last-Event-ID": last_id} if last_id else {}
        address = f"{url}/api/v1/events/" + (f"?{query}" if query else "")
        self.response = requests.get(address, headers=headers, stream=True, timeout=TIMEOUT_S)
        self.last_id = last_id
        self._lines = self.response.iter_lines(chunk_size=1)
        if self.response.status_code == 200:
            # The first block says where the stream begins.
            while next(self._lines):
                pass

    def __enter__(self) -> EventReader:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.response.close()

    def events(self) -> Iterator[Event]:
        """Events as they come, until the stream ends."""
        name, data = "message", []
        for line in self._lines:
            field, _, value = line.decode().partition(": ")
            if field == "event":
                name = value
            elif field == "id":
                self.last_id = value
            elif field == "data":
                data.append(value)
            elif not line and data:
                yield Event(name, self.last_id, json.loads("\n".join(data)))
                name, data = "message", []

    def take(self, count: int) -> list[Event]:
        found = []
        for each in self.events():
            found.append(each)
            if len(found) == count:
                break
        return found
