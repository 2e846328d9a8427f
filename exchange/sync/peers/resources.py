"""What a peer answers, as values: read from the bytes, strictly where something is used and bounded everywhere.

What TAXII 2.1 requires but nobody needs may be missing. Texts for people are cut and made printable; an id that could
not stand in a URL, or a wrong type of what is used, makes the whole answer malformed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn

from exchange.stix.counting import exceeds_values
from exchange.stix.errors import MalformedJsonError
from exchange.stix.limits import MAX_VALUES_PER_ENVELOPE
from exchange.stix.reading import parse_value
from exchange.sync.peers.errors import PeerError, PeerFault, printable

MAX_COLLECTIONS: Final = 10_000
MAX_TITLE_CHARS: Final = 250
MAX_SHORT_CHARS: Final = 250
"""Media types, ids of objects, versions: STIX has none that is longer."""

MAX_MESSAGE_CHARS: Final = 500
MAX_LISTED: Final = 100
"""Versions of a root and media types of a collection."""

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
        _malformed("max_content_length")
    return RootInfo(_title(members), _texts(members, "versions", required=True), length)


def read_collections(body: bytes) -> list[RemoteCollectionInfo]:
    """A collections resource (section 5.1.1); none is an empty list."""
    listed = _list(read_resource(body), "collections")
    if len(listed) > MAX_COLLECTIONS:
        raise PeerError(PeerFault.TOO_LARGE, f"the peer lists more than {MAX_COLLECTIONS} collections")
    return [_collection(_mapping(each, "collections")) for each in listed]


def read_status(body: bytes) -> RemoteStatus:
    """A status resource (section 4.3.1)."""
    members = read_resource(body)
    status = members.get("status")
    if status not in ("pending", "complete"):
        _malformed("status")
    success, failure, pending = (_details(members, name) for name in ("successes", "failures", "pendings"))
    counts = [
        _count(members, f"{name}_count", len(details))
        for name, details in (("success", success), ("failure", failure), ("pending", pending))
    ]
    total = _count(members, "total_count", sum(counts))
    requested = _short(members, "request_timestamp")
    return RemoteStatus(_uuid(members.get("id")), status, requested, success, failure, pending, total, *counts)


def read_resource(body: bytes) -> Mapping[str, Any]:
    """The members of any resource: I-JSON, of bounded depth and number of values."""
    if exceeds_values(body, MAX_VALUES_PER_ENVELOPE):
        raise PeerError(PeerFault.TOO_LARGE, f"the answer has more than {MAX_VALUES_PER_ENVELOPE} values")
    try:
        value = parse_value(body)
    except MalformedJsonError as error:
        # Its message may quote the peer; its code is one of ours.
        raise PeerError(PeerFault.MALFORMED, f"the answer is no JSON that is read here ({error.code})") from None
    return _mapping(value, "answer")


def _collection(members: Mapping[str, Any]) -> RemoteCollectionInfo:
    alias = members.get("alias")
    if not is_segment(members.get("id")):
        _malformed("id")
    if alias is not None and not isinstance(alias, str):
        _malformed("alias")
    return RemoteCollectionInfo(
        id=members["id"],
        title=_title(members),
        alias=alias if alias is not None and is_segment(alias) else "",
        can_read=_flag(members, "can_read"),
        can_write=_flag(members, "can_write"),
        media_types=_texts(members, "media_types") or ("application/stix+json",),
    )


def _details(members: Mapping[str, Any], name: str) -> tuple[StatusDetail, ...]:
    return tuple(
        StatusDetail(_short(each, "id"), _short(each, "version"), _message(each))
        for each in (_mapping(listed, name) for listed in _list(members, name))
    )


def _message(members: Mapping[str, Any]) -> str:
    message = members.get("message", "")
    return printable(message, MAX_MESSAGE_CHARS) if isinstance(message, str) else ""


def _title(members: Mapping[str, Any]) -> str:
    title = members.get("title", "")
    return printable(title, MAX_TITLE_CHARS) if isinstance(title, str) else _malformed("title")


def _short(members: Mapping[str, Any], name: str) -> str:
    """A text for programs: never cut, as it would be another then."""
    text = members.get(name, "")
    if not isinstance(text, str) or len(text) > MAX_SHORT_CHARS or not text.isprintable():
        _malformed(name)
    return text


def _texts(members: Mapping[str, Any], name: str, *, required: bool = False) -> tuple[str, ...]:
    listed = _list(members, name)
    if len(listed) > MAX_LISTED or (required and not listed):
        _malformed(name)
    return tuple(_short({name: each}, name) for each in listed)


def _list(members: Mapping[str, Any], name: str) -> list[Any]:
    listed = members.get(name, [])
    return listed if isinstance(listed, list) else _malformed(name)


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _malformed(name)


def _flag(members: Mapping[str, Any], name: str) -> bool:
    flag = members.get(name)
    return flag if isinstance(flag, bool) else _malformed(name)


def _count(members: Mapping[str, Any], name: str, otherwise: int) -> int:
    count = members.get(name, otherwise)
    return count if type(count) is int and count >= 0 else _malformed(name)


def _uuid(value: object) -> str:
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) and len(value) == 36 else _malformed("id")
    except ValueError:
        _malformed("id")


def _malformed(name: str) -> NoReturn:
    raise PeerError(PeerFault.MALFORMED, f"the answer is no such TAXII resource: {name}")
