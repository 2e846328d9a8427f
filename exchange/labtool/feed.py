"""A TAXII 2.1 collection as a stream of bounded pages of exact bytes, on top of taxii2-client.

taxii2-client finds the API roots and collections, negotiates and asks. What it lacks stands here, in one
place: bounds and retries (`BoundedSession`), smaller pages where one is too large, the bytes and headers of an
answer, an end to paging that makes no progress, and one error for everything that a broken or hostile server
makes it stumble over. What it parses is never stored: objects are cut from the bytes as they came.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import requests
from taxii2client.common import _HTTPConnection
from taxii2client.exceptions import AccessError, TAXIIServiceException
from taxii2client.v21 import ApiRoot, Collection, Server

from exchange.labtool.address import NodeAddress
from exchange.labtool.answers import versions_of
from exchange.labtool.errors import RefusedError, UnreachableError
from exchange.labtool.transport import BoundedSession, OversizeError
from exchange.stix.errors import MalformedJsonError, StixError, shown
from exchange.stix.reading import split_envelope
from exchange.stix.timestamps import ordering_key, parse_timestamp

DEFAULT_PAGE_OBJECTS: Final = 1000
# Pages may be empty (TAXII 2.1 section 3.5), and other servers give objects loaded together one date; but a
# server that says `more` for longer than this without moving on does so for ever.
MAX_STILL_PAGES: Final = 100
MAX_COLLECTIONS: Final = 10_000
MAX_NEXT_CHARS: Final = 4096
# What fewer objects in a page may mend.
_TOO_MUCH: Final = frozenset({"too-many-objects", "too-many-values"})
DATE_ADDED_LAST: Final = "X-TAXII-Date-Added-Last"
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class FeedError(UnreachableError):
    """What answers is no TAXII 2.1 server, or one that we cannot follow any further."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. `date_added_last` is None when the page is empty or the server does not say."""

    objects: list[bytes]
    more: bool
    next: str | None
    date_added_last: str | None

    def moves_beyond(self, place: str | None) -> bool:
        """Whether this page ends later than `place`."""
        last = self.date_added_last
        return last is not None and (place is None or ordering_key(last) > ordering_key(place))


class Feed(AbstractContextManager["Feed"]):
    """The TAXII face of one node, as one reader sees it."""

    def __init__(self, address: NodeAddress, session: BoundedSession) -> None:
        self.address = address
        self._session = session
        self._connection = _HTTPConnection(version="2.1")
        self._connection.session.close()
        self._connection.session = session
        self._collections: dict[str, Collection] | None = None

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()

    def collections(self) -> dict[str, str]:
        """Alias (or id, where there is none) of each collection in sight, to its title."""
        return {
            collection.alias or collection.id: collection.title
            for key, collection in self._visible().items()
            if key == collection.id
        }

    def pages(
        self,
        alias: str,
        *,
        added_after: str | None = None,
        all_versions: bool = False,
        page_objects: int = DEFAULT_PAGE_OBJECTS,
    ) -> Iterator[Page]:
        """Every page of a collection (alias or id) after the timestamp, oldest first.

        A page that is too large is asked for again with half as many objects, down to one; the pages after it stay
        small.

        Raises: UnreachableError: FeedError for an answer that is no TAXII or leads nowhere, OversizeError where a page
        of one object is too large; RefusedError.
        """
        collection = self._find(alias)
        limit = page_objects
        filters: dict[str, Any] = {"version": "all"} if all_versions else {}
        place, cursor, still_pages = added_after, None, 0
        while True:
            wanted = {**filters, "added_after": added_after, "next": cursor}
            page, limit = self._fitting_page(collection, wanted, limit)
            yield page
            if not page.more:
                return
            if page.moves_beyond(place):
                place, still_pages = page.date_added_last, 0
            else:
                still_pages += 1
            if (page.next == cursor and still_pages) or still_pages > MAX_STILL_PAGES:
                raise FeedError("the node says `more` again and again but does not move on")
            if page.next is None:
                added_after = page.date_added_last
            cursor = page.next

    def history(self, object_id: str) -> list[bytes]:
        """All versions of an object in our sight, where the node has our REST interface; else [].

        TAXII has `match[version]=all` for that, which not every node serves. Raises: UnreachableError.
        """
        url = self.address.rest_url(f"objects/{quote(object_id, safe='')}/versions/")
        response = self._session.get(url)
        return [version.object_bytes for version in versions_of(response.content)] if response.ok else []

    def _find(self, alias: str) -> Collection:
        collection = self._visible().get(alias)
        if collection is None:
            raise RefusedError(f"the node shows us no collection {shown(alias)}", 404)
        return collection

    def _visible(self) -> dict[str, Collection]:
        """Collections by id and by alias; the default API root's come first where names clash."""
        if self._collections is None:
            with _as_feed_errors():
                found: dict[str, Collection] = {}
                for root in self._api_roots():
                    for collection in root.collections[:MAX_COLLECTIONS]:
                        # The id becomes part of an address.
                        if _UUID.fullmatch(collection.id) is None:
                            raise FeedError(f"the node names a collection {shown(collection.id)}")
                        found.setdefault(collection.id, collection)
                        if isinstance(collection.alias, str):
                            found.setdefault(collection.alias, collection)
                self._collections = found
        return self._collections

    def _api_roots(self) -> list[ApiRoot]:
        with Server(self.address.discovery_url, conn=_Shared(self._connection)) as server:
            default, roots = server.default, server.api_roots
            ordered = [root for root in roots if root is default] + [root for root in roots if root is not default]
            for root in roots:
                # taxii2-client opens a session of its own for each, without our bounds and token.
                root.close()
            # A root may stand on another host (section 4.1.1); our token must not go there.
            return [
                ApiRoot(root.url, conn=self._connection) for root in ordered if self.address.has_origin_of(root.url)
            ]

    def _fitting_page(self, collection: Collection, filters: Mapping[str, Any], limit: int) -> tuple[Page, int]:
        """A page of at most `limit` objects that is not too large, and the limit that it took."""
        while True:
            try:
                return self._page(collection, {**filters, "limit": limit}), limit
            except OversizeError:
                if limit <= 1:
                    raise
                limit //= 2

    def _page(self, collection: Collection, filters: Mapping[str, Any]) -> Page:
        with _as_feed_errors():
            collection.get_objects(**filters)
            response = self._session.take_last_response()
            if response is None:
                raise FeedError("the node did not answer")
            return _page_of(response)


class _Shared:
    """Lends a connection to an endpoint that would close it."""

    def __init__(self, connection: _HTTPConnection) -> None:
        self._connection = connection

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._connection.get(*args, **kwargs)

    def close(self) -> None:
        """Leave it open: it belongs to somebody else."""


def _page_of(response: requests.Response) -> Page:
    try:
        envelope = split_envelope(response.content)
    except MalformedJsonError as error:
        if error.code in _TOO_MUCH:
            raise OversizeError(f"the node sent too large a page: {error}") from None
        raise
    more, cursor = envelope.members.get("more", False), envelope.members.get("next")
    if not isinstance(more, bool) or not (cursor is None or isinstance(cursor, str)):
        raise FeedError("the node's envelope has a `more` or `next` of the wrong kind")
    if cursor is not None and len(cursor) > MAX_NEXT_CHARS:
        raise FeedError(f"the node's `next` has more than {MAX_NEXT_CHARS} characters")
    last = response.headers.get(DATE_ADDED_LAST)
    is_usable = bool(envelope.objects) and last is not None and _is_timestamp(last)
    return Page(envelope.objects, more, cursor or None, last if is_usable else None)


def _is_timestamp(text: str) -> bool:
    try:
        parse_timestamp(text)
    except StixError:
        return False
    return True


@contextmanager
def _as_feed_errors() -> Iterator[None]:
    """Turn what taxii2-client lets through, or trips over, into one line."""
    try:
        yield
    except requests.HTTPError as error:
        status = error.response.status_code
        raise RefusedError(f"the node refused: HTTP {status}{_title_of(error.response)}", status) from None
    except StixError as error:
        raise FeedError(f"the node's envelope is broken: {error}") from None
    except AccessError:
        raise RefusedError("the node does not let us read this collection", 403) from None
    except TAXIIServiceException as error:
        raise FeedError(f"the node's answer is not TAXII 2.1: {shown(str(error))}") from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        # taxii2-client takes the form of an answer for granted.
        raise FeedError("the node's answer is not TAXII 2.1") from None


def _title_of(response: requests.Response) -> str:
    """The title of a TAXII error resource (section 3.6), if there is one."""
    try:
        value = response.json()
    except (ValueError, RecursionError):
        return ""
    title = value.get("title") if isinstance(value, dict) else None
    return f" ({shown(title)})" if isinstance(title, str) else ""
