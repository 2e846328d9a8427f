"""One API root of a peer: what this node asks of it, one request each.

Paging, watermarks and what becomes of the objects are others' work. Nothing here is stored.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self
from urllib.parse import quote

from exchange.services.errors import InvalidRequestError
from exchange.sync.peers.access import Access
from exchange.sync.peers.client import TaxiiClient
from exchange.sync.peers.errors import PeerError, PeerFault
from exchange.sync.peers.limits import DEFAULT_LIMITS, Limits
from exchange.sync.peers.pages import RemoteManifest, RemotePage, read_manifest, read_page
from exchange.sync.peers.resources import (
    RemoteCollectionInfo,
    RemoteStatus,
    RootInfo,
    is_segment,
    read_collections,
    read_root,
    read_status,
    read_versions,
)
from exchange.sync.peers.transport import Transport


class RemoteRoot:
    """An API root of a peer, for one thread. A context manager: it keeps a connection open between requests.

    Every method raises PeerError, whose `fault` says what happened. A collection is named by its id or its alias.
    """

    def __init__(self, access: Access, *, limits: Limits = DEFAULT_LIMITS) -> None:
        """Raises: PeerError: `target-refused` for a URL of no root, `tls` for certificates that cannot be read."""
        if "?" in access.url:
            raise PeerError(PeerFault.TARGET_REFUSED, "the URL of an API root has no query")
        self._limits = limits
        self._url = access.url if access.url.endswith("/") else f"{access.url}/"
        self._client = TaxiiClient(Transport(access, limits))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; asking again makes another."""
        self._client.close()

    def describe(self) -> RootInfo:
        """The root's own resource (TAXII 2.1 section 4.2)."""
        return read_root(self._client.get(self._url).body)

    def collections(self) -> list[RemoteCollectionInfo]:
        """The collections that the peer shows this node (section 5.1)."""
        return read_collections(self._client.get(f"{self._url}collections/").body)

    def page(
        self, collection: str, *, added_after: str = "", next: str = "", limit: int, version: str = ""
    ) -> RemotePage:
        """Exactly one page of a collection (section 5.4).

        added_after: a timestamp, passed on as it is. limit: at least 1; a peer may send fewer objects, or more.
        version: as of `match[version]`; "" leaves it to the peer, which answers the latest.
        """
        filters = _filters(added_after, next, limit, version)
        taken = self._client.get_objects(self._collection(collection), filters)
        return read_page(taken.headers, taken.body, max_objects=self._limits.max_page_objects)

    def manifest(
        self, collection: str, *, added_after: str = "", next: str = "", limit: int, version: str = ""
    ) -> RemoteManifest:
        """Exactly one page of a collection's manifest (section 5.3); the parameters as of `page`."""
        filters = _filters(added_after, next, limit, version)
        taken = self._client.get_manifest(self._collection(collection), filters)
        return read_manifest(taken.headers, taken.body, max_records=self._limits.max_page_objects)

    def post(self, collection: str, envelope: bytes) -> RemoteStatus:
        """Post an envelope (section 5.5). Posting it again should be a success for what the peer has already; there are
        peers that call it a failure, so `versions` says what is there."""
        return read_status(self._client.post(self._collection(collection), envelope).body)

    def status(self, status_id: str) -> RemoteStatus:
        """The status of a post (section 4.3)."""
        return read_status(self._client.get(f"{self._url}status/{_segment(status_id)}/").body)

    def versions(self, collection: str, object_id: str) -> tuple[str, ...]:
        """The versions of an object that the peer holds (section 5.8), of its first page; `not-found` if there are
        none."""
        url = f"{self._collection(collection)}objects/{_segment(object_id)}/versions/"
        return read_versions(self._client.get(url).body)

    def delete(self, collection: str, object_id: str, version: str = "") -> None:
        """Delete an object (section 5.7), or one version of it; peers differ in what "" removes, and `all` is plain.

        `not-found` may mean that an attempt before, whose answer was lost, has done it.
        """
        self._client.delete(self._collection(collection), _segment(object_id), {"version": version})

    def _collection(self, name: str) -> str:
        return f"{self._url}collections/{_segment(name)}/"


def _filters(added_after: str, next_: str, limit: int, version: str) -> dict[str, str | int]:
    """What taxii2-client makes parameters of; it leaves out what is empty, and a limit of 0."""
    if limit < 1:
        raise InvalidRequestError("a page has room for at least one object")
    return {"added_after": added_after, "next": next_, "version": version, "limit": limit}


def _segment(name: str) -> str:
    if not is_segment(name):
        raise InvalidRequestError("an id or alias of TAXII is a printable text without slashes")
    return quote(name, safe="")
