"""Traffic for races and crashes: what writers publish, and the doors by which they do.

A door answers what was acknowledged, or raises OSError or HTTPException when the other side went away: then nobody
knows, and nothing was promised.
"""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from exchange.services.collections import find_collection
from exchange.services.publishing import OutcomeStatus, publish_objects
from exchange.services.query import PageRequest, read_page
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import format_taxii, parse_timestamp
from tests.support.database import close_connections
from tests.support.labs import LabHandle

TAXII = "application/taxii+json;version=2.1"
TIMEOUT_S = 30.0
COLLECTION = "signatures"

Key = tuple[str, str]
"""STIX id and version."""


@dataclass(frozen=True, slots=True)
class Post:
    """The objects of one request, and the key of each."""

    bodies: tuple[bytes, ...]
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as a follower sees it. `dates` are those that the door tells: of every object, or of first and last."""

    keys: list[Key]
    dates: list[datetime]
    more: bool
    next: str


class Door(Protocol):
    """One lab's way to the node."""

    def publish(self, post: Post) -> set[Key]:
        """Publish; answers what was acknowledged. Raises AssertionError if anything was refused."""

    def read(self, *, added_after: datetime | None, cursor: str, limit: int, all_versions: bool) -> Seen:
        """The next page of the collection: of newest versions, or of all."""

    def close(self) -> None:
        """The end of its use."""


@dataclass(frozen=True, slots=True)
class ServiceDoor:
    """The services themselves, in the calling thread and on its own connection."""

    lab: LabHandle

    def publish(self, post: Post) -> set[Key]:
        principal = self.lab.principal
        view = find_collection(principal, COLLECTION)
        outcomes = publish_objects(principal=principal, bodies=post.bodies, collection=view, door="test")
        taken = (OutcomeStatus.STORED, OutcomeStatus.EXISTS)
        refused = [outcome for outcome in outcomes if outcome.status not in taken]
        assert not refused, refused
        return {(outcome.id or "", outcome.version or "") for outcome in outcomes}

    def read(self, *, added_after: datetime | None, cursor: str, limit: int, all_versions: bool) -> Seen:
        principal = self.lab.principal
        request = PageRequest(limit=limit, added_after=added_after, cursor=cursor, all_versions=all_versions)
        view = find_collection(principal, COLLECTION)
        page = read_page(principal=principal, collection=view, request=request, door="test")
        keys = [key_of(json.loads(entry.body)) for entry in page.entries]
        return Seen(keys, [entry.date_added for entry in page.entries], page.more, page.next)

    def close(self) -> None:
        close_connections()


@dataclass(slots=True)
class TaxiiDoor:
    """The TAXII door of a web process, over one connection that is opened again when it broke."""

    url: str
    lab: LabHandle
    _connection: HTTPConnection | None = None

    def publish(self, post: Post) -> set[Key]:
        status, _, answer = self._ask("POST", "", b'{"objects":[' + b",".join(post.bodies) + b"]}")
        if status >= 500:
            raise HTTPException(f"the web process answered {status}")
        assert status == 202, answer
        assert answer["failure_count"] == 0, answer
        return {(each["id"], each["version"]) for each in answer["successes"]}

    def read(self, *, added_after: datetime | None, cursor: str, limit: int, all_versions: bool) -> Seen:
        query = f"?limit={limit}" + ("&match[version]=all" if all_versions else "")
        query += f"&added_after={format_taxii(added_after)}" if added_after else ""
        query += f"&next={quote(cursor)}" if cursor else ""
        status, headers, answer = self._ask("GET", query)
        assert status == 200, answer
        names = ("x-taxii-date-added-first", "x-taxii-date-added-last")
        dates = [parse_timestamp(headers[name]) for name in names if name in headers]
        keys = [key_of(each) for each in answer.get("objects", [])]
        return Seen(keys, dates[: len(keys)], answer.get("more", False), answer.get("next", ""))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, method: str, query: str, body: bytes | None = None) -> tuple[int, dict[str, str], Any]:
        address = urlsplit(self.url)
        if self._connection is None:
            self._connection = HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self.lab.token}", "Accept": TAXII, "Content-Type": TAXII}
        try:
            self._connection.request(method, f"/exchange/collections/{COLLECTION}/objects/{query}", body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, HTTPException):
            self.close()
            raise
        found = {name.lower(): value for name, value in response.getheaders()}
        is_taxii = found.get("content-type", "").startswith("application/taxii")
        return response.status, found, json.loads(content) if is_taxii and content else {}


def key_of(members: dict[str, Any]) -> Key:
    return members["id"], members.get("modified") or members["created"]


def make_posts(lab: LabHandle, reader: LabHandle, *, rounds: int, shared: Sequence[bytes] = ()) -> list[Post]:
    """What one writer publishes: in each round a batch, two singles, new versions of some, and something for named
    recipients who were never named together before. `shared` objects are posted by all writers at once.

    The reader may read every version of everything.
    """
    posts: list[Post] = []
    for _ in range(rounds):
        batch = [lab.indicator(Tlp.AMBER) for _ in range(12)]
        marking = lab.distribution(reader.identity, f"identity--{uuid.uuid4()}")
        refs = [Tlp.AMBER.marking_id, marking["id"]]
        named = lab.indicator(Tlp.AMBER, object_marking_refs=refs)
        posts.append(_post(lab, batch))
        posts += [_post(lab, [each]) for each in (lab.indicator(), lab.indicator())]
        narrowed = lab.next_version(batch[0], object_marking_refs=refs)
        posts.append(_post(lab, [marking, named, narrowed]))
        posts.append(_post(lab, [lab.next_version(each) for each in random.sample(batch[1:], 3)]))
        if shared:
            mixed = random.sample(shared, len(shared))
            posts.append(Post(tuple(mixed), tuple(key_of(json.loads(body)) for body in mixed)))
    return posts


def _post(lab: LabHandle, objects: list[dict[str, Any]]) -> Post:
    return Post(tuple(lab.signed(each) for each in objects), tuple(map(key_of, objects)))


@dataclass(slots=True)
class Writer:
    """Publishes its posts one after the other until they end or the other side goes away."""

    door: Door
    posts: list[Post]
    acknowledged: set[Key] = field(default_factory=set)
    stopped_by: Exception | None = None

    def run(self) -> None:
        try:
            for post in self.posts:
                self.acknowledged |= self.door.publish(post)
        except (OSError, HTTPException) as error:
            self.stopped_by = error
        finally:
            self.door.close()


class Failures(list[BaseException]):
    """What went wrong in threads; `raise_first` brings it before the test."""

    def raise_first(self) -> None:
        if self:
            raise self[0]


@contextmanager
def running(works: Sequence[Callable[[], None]]) -> Iterator[Failures]:
    """Run each in a thread, at the same time; wait for all at the end, and raise what one of them raised."""
    failures = Failures()

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test's own thread raises it
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        for thread in threads:
            thread.join()
    failures.raise_first()
