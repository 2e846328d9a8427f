"""One page of a collection as a peer sent it, cut into the bytes of its objects; or of its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from exchange.stix.errors import MalformedJsonError, ObjectInvalidError
from exchange.stix.reading import split_envelope
from exchange.stix.timestamps import parse_timestamp
from exchange.sync.peers.errors import PeerError, PeerFault
from exchange.sync.peers.members import list_in, malformed, mapping_of, read_resource, short_in

MAX_NEXT_CHARS: Final = 4_096
"""It goes back in a URL, of which servers take 8 KiB."""

_FIRST: Final = "x-taxii-date-added-first"
_LAST: Final = "x-taxii-date-added-last"

_TOO_MUCH: Final = frozenset({"too-many-objects", "too-many-values"})
"""Codes of what fewer objects in a page may mend."""


@dataclass(frozen=True, slots=True)
class RemotePage:
    """An envelope (TAXII 2.1 section 3.7).

    bodies: each object's bytes exactly as sent; of what is inside nothing is known but that it nests soundly. next: ""
    if there is none, also where `more` says that there should be. first, last: the headers X-TAXII-Date-Added-First and
    -Last as sent, "" where they are missing or no timestamps.
    """

    bodies: tuple[bytes, ...]
    more: bool
    next: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class ManifestRecord:
    """One version of an object (section 5.3.1). `media_type` is "" if the peer does not say."""

    id: str
    date_added: str
    version: str
    media_type: str


@dataclass(frozen=True, slots=True)
class RemoteManifest:
    """A manifest (section 5.3.1); the rest as of a page."""

    records: tuple[ManifestRecord, ...]
    more: bool
    next: str
    first: str
    last: str


def read_page(headers: Mapping[str, str], body: bytes, *, max_objects: int) -> RemotePage:
    """A page from the bytes of its envelope.

    Raises: PeerError: `too-large` for more objects, or values in them, than fit; `malformed` for what is no envelope.
    A fault inside an object, such as a name that occurs twice, is left to who reads that object: it spoils no page.
    """
    try:
        envelope = split_envelope(body, max_objects=max_objects)
    except MalformedJsonError as error:
        if error.code in _TOO_MUCH:
            raise PeerError(PeerFault.TOO_LARGE, "the page holds more than fits into one") from None
        raise PeerError(PeerFault.MALFORMED, f"the page is no envelope ({error.code})") from None
    return RemotePage(
        bodies=tuple(envelope.objects),
        more=_more(envelope.members),
        next=_next(envelope.members),
        first=_timestamp(headers.get(_FIRST, "")),
        last=_timestamp(headers.get(_LAST, "")),
    )


def read_manifest(headers: Mapping[str, str], body: bytes, *, max_records: int) -> RemoteManifest:
    """One page of a manifest. Raises: PeerError: as `read_page`."""
    members = read_resource(body)
    listed = list_in(members, "objects")
    if len(listed) > max_records:
        raise PeerError(PeerFault.TOO_LARGE, "the manifest holds more than fits into one page")
    return RemoteManifest(
        records=tuple(_record(mapping_of(each, "objects")) for each in listed),
        more=_more(members),
        next=_next(members),
        first=_timestamp(headers.get(_FIRST, "")),
        last=_timestamp(headers.get(_LAST, "")),
    )


def _record(members: Mapping[str, Any]) -> ManifestRecord:
    if not members.get("id"):
        malformed("id")
    names = ("id", "date_added", "version", "media_type")
    return ManifestRecord(*(short_in(members, name) for name in names))


def _more(members: Mapping[str, Any]) -> bool:
    more = members.get("more", False)
    if not isinstance(more, bool):
        raise PeerError(PeerFault.MALFORMED, "`more` of the page is neither true nor false")
    return more


def _next(members: Mapping[str, Any]) -> str:
    following = members.get("next", "")
    if following is None:
        return ""
    if not isinstance(following, str) or len(following) > MAX_NEXT_CHARS or not following.isprintable():
        raise PeerError(
            PeerFault.MALFORMED, f"`next` of the page is no printable text of at most {MAX_NEXT_CHARS} characters"
        )
    return following


def _timestamp(text: str) -> str:
    try:
        parse_timestamp(text)
    except ObjectInvalidError:
        return ""
    return text
