"""Followers: they poll a collection while others write, and keep what they saw."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from tests.integration.faults.traffic import Door, Key, Seen


@dataclass(slots=True)
class Follower:
    """Polls until told to stop, and once more after that: what was published before then it must have seen.

    by_cursor: goes on with `next` while there is more; else every poll asks for what was added after the last date.
    all_versions: follows every version, not just the newest.
    """

    door: Door
    limit: int
    by_cursor: bool
    all_versions: bool
    may_end: threading.Event
    seen: list[Key] = field(default_factory=list)
    last_date: datetime | None = None
    polls: int = 0

    def run(self) -> None:
        is_last = False
        try:
            while not is_last:
                is_last = self.may_end.is_set()
                self._poll_to_the_end()
        finally:
            self.door.close()

    def _poll_to_the_end(self) -> None:
        start, cursor = self.last_date, ""
        while True:
            page = self.door.read(added_after=start, cursor=cursor, limit=self.limit, all_versions=self.all_versions)
            self._take(page)
            if not page.more:
                return
            start, cursor = (start, page.next) if self.by_cursor else (self.last_date, "")

    def _take(self, page: Seen) -> None:
        self.polls += 1
        self.seen += page.keys
        for date in page.dates if len(page.keys) > 1 else page.dates[:1]:
            assert self.last_date is None or date > self.last_date, f"{date} does not come after {self.last_date}"
            self.last_date = date
