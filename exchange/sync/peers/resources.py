"""What a peer answers, as values: read from the bytes, strictly where something is used and bounded everywhere.

What TAXII 2.1 requires but nobody needs may be missing. Texts for people are cut and made printable; an id that could
not stand in a URL, or a wrong type of what is used, makes the whole answer malformed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from exchange.sync.peers.errors import PeerError, PeerFault
from exchange.sync.peers.members import (
    count_in,
    flag_in,
    list_in,
    malformed,
    mapping_of,
    message_in,
    read_resource,
    short_in,
    texts_in,
    title_in,
    uuid_of,
)

MAX_COLLECTIONS: Final = 10_000
MAX_SEGMENT_CHARS: Final = 250


@dataclass(frozen=True, slots=True)
class RootInfo:
    """An API root (TAXII 2.1 section 4.2.1). `max_content_length`: bytes of a request, None if unknown."""

    title: str
    versions: tuple[str, ...]
    max_content_length: int | None


@dataclass(frozen=True, slots=True)
class RemoteCollectionInfo:
    """A collection (section 5.2.1) as this node may use it. `alias` is "" if there is none."""

    id: str
    title: str
    alias: str
    can_read: bool
    can_write: bool
    media_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatusDetail:
    """What became of one posted object (section 4.3.1); texts are "" where the peer is silent."""

    id: str
    version: str
    message: str


@dataclass(frozen=True, slots=True)
class RemoteStatus:
    """A status (section 4.3.1). A list may be shorter than its count: peers need not name what went well."""

    id: str
    status: Literal["pending", "complete"]
    request_timestamp: str
    success: tuple[StatusDetail, ...]
    failure: tuple[StatusDetail, ...]
    pending: tuple[StatusDetail, ...]
    total_count: int
    success_count: int
    failure_count: int
    pending_count: int

    @property
    def is_complete(self) -> bool:
        return self.status == "complete"


def is_segment(name: object) -> bool:
    """Whether this can stand for one thing in the path of a URL, once quoted."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= MAX_SEGMENT_CHARS
        and name.isprintable()
        and name not in (".", "..")
        and not set(name) & set("/\\?#")
    )


def read_root(body: bytes) -> RootInfo:
    """Raises: PeerError (`malformed`, `too-large`), as the others here."""
    members = read_resource(body)
    length = members.get("max_content_length")
    if length is not None and (type(length) is not int or length <= 0):
        malformed("max_content_length")
    return RootInfo(title_in(members), texts_in(members, "versions", required=True), length)


def read_collections(body: bytes) -> list[RemoteCollectionInfo]:
    """A collections resource (section 5.1.1); none is an empty list."""
    listed = list_in(read_resource(body), "collections")
    if len(listed) > MAX_COLLECTIONS:
        raise PeerError(PeerFault.TOO_LARGE, f"the peer lists more than {MAX_COLLECTIONS} collections")
    return [_collection(mapping_of(each, "collections")) for each in listed]


def read_versions(body: bytes) -> tuple[str, ...]:
    """A versions resource (section 5.8.1): of an object that the peer does not hold, none."""
    return texts_in(read_resource(body), "versions")


def read_status(body: bytes) -> RemoteStatus:
    """A status resource (section 4.3.1)."""
    members = read_resource(body)
    status = members.get("status")
    if status not in ("pending", "complete"):
        malformed("status")
    success, failure, pending = (_details(members, name) for name in ("successes", "failures", "pendings"))
    counts = [
        count_in(members, f"{name}_count", len(details))
        for name, details in (("success", success), ("failure", failure), ("pending", pending))
    ]
    total = count_in(members, "total_count", sum(counts))
    requested = short_in(members, "request_timestamp")
    return RemoteStatus(uuid_of(members.get("id")), status, requested, success, failure, pending, total, *counts)


def _collection(members: Mapping[str, Any]) -> RemoteCollectionInfo:
    alias = members.get("alias")
    if not is_segment(members.get("id")):
        malformed("id")
    if alias is not None and not isinstance(alias, str):
        malformed("alias")
    return RemoteCollectionInfo(
        id=members["id"],
        title=title_in(members),
        alias=alias if alias is not None and is_segment(alias) else "",
        can_read=flag_in(members, "can_read"),
        can_write=flag_in(members, "can_write"),
        media_types=texts_in(members, "media_types") or ("application/stix+json",),
    )


def _details(members: Mapping[str, Any], name: str) -> tuple[StatusDetail, ...]:
    return tuple(
        StatusDetail(short_in(each, "id"), short_in(each, "version"), message_in(each))
        for each in (mapping_of(listed, name) for listed in list_in(members, name))
    )
