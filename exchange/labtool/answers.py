"""The node's REST answers as typed values, read strictly: what is not of this form is an UnreachableError.

Members that are not known are ignored, so that a newer node can say more. Text in them is the node's; it is
shown through `shown`.
"""

from typing import Any, Final, TypeVar

import msgspec
import requests

from exchange.labtool.errors import UnreachableError
from exchange.stix.errors import shown

MAX_SHOWN_DETAIL_CHARS: Final = 300
T = TypeVar("T")


class Fault(msgspec.Struct, frozen=True):
    """Why an object was refused. `pointer` is a JSON pointer into it."""

    code: str
    detail: str
    pointer: str = ""


class Result(msgspec.Struct, frozen=True):
    """What became of one object: stored, exists, held, valid (dry run) or failed."""

    id: str | None
    version: str | None
    status: str
    error: Fault | None = None
    warnings: tuple[Fault, ...] = ()

    @property
    def is_accepted(self) -> bool:
        """Whether the node has it, or would take it."""
        return self.status != "failed"


class Entry(msgspec.Struct, frozen=True):
    """One object version in its collection. `raw` holds the bytes as their producer sent them."""

    raw: msgspec.Raw = msgspec.field(name="object")
    collection: str | None = None
    date_added: str | None = None
    label: str | None = None
    state: str | None = None
    custody: str | None = None

    @property
    def object_bytes(self) -> bytes:
        """The object as its producer sent it."""
        return bytes(self.raw)


class Identity(msgspec.Struct, frozen=True):
    """Whom a token speaks for."""

    lab: str | None
    identity: str | None
    scopes: tuple[str, ...] = ()
    client: bool = False
    expires: str | None = None


class Collection(msgspec.Struct, frozen=True):
    """A collection and what we may do with it."""

    id: str
    alias: str | None
    title: str
    scope: str | None = None
    floor: str | None = None
    can_read: bool = False
    can_write: bool = False


class Lab(msgspec.Struct, frozen=True):
    """A member of a node."""

    slug: str
    name: str
    identity: str | None = None
    status: str | None = None
    home: Any = None


class ListedFault(msgspec.Struct, frozen=True):
    """One entry of a problem's `errors`: the fault of the object at `index` of the request."""

    index: int
    code: str = "refused"
    detail: str = ""
    pointer: str = ""
    id: str | None = None

    @property
    def fault(self) -> Fault:
        """The same, without the place in the request."""
        return Fault(self.code, self.detail, self.pointer or "")


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    pointer: str | None = None
    errors: tuple[ListedFault, ...] = ()

    def as_fault(self) -> Fault:
        """The problem as the fault of each object of the request."""
        return Fault(self.type.rpartition(":")[2], self.detail or self.title, self.pointer or "")

    def in_one_line(self) -> str:
        """The problem for a person."""
        where = f" at {printable(self.pointer)}" if self.pointer else ""
        return printable(self.detail or self.title or self.type) + where


class _Results(msgspec.Struct):
    results: tuple[Result, ...]


class _Entries(msgspec.Struct):
    objects: tuple[Entry, ...] = ()


class Version(msgspec.Struct, frozen=True):
    """One version of an object. `raw` holds the bytes as their producer sent them."""

    raw: msgspec.Raw = msgspec.field(name="object")
    version: str | None = None
    producer: str | None = None

    @property
    def object_bytes(self) -> bytes:
        """The object as its producer sent it."""
        return bytes(self.raw)


class _Versions(msgspec.Struct):
    versions: tuple[Version, ...] = ()


class _Collections(msgspec.Struct):
    collections: list[Collection] = []


class _Labs(msgspec.Struct):
    labs: list[Lab] = []


def results_of(body: bytes) -> list[Result]:
    """Read the answer to a publication. Raises: UnreachableError."""
    return list(_read(body, _Results).results)


def entries_of(body: bytes) -> list[Entry]:
    """Read a list of objects. Raises: UnreachableError."""
    # A Raw is a view into the whole answer; a copy lets that go.
    return [msgspec.structs.replace(entry, raw=entry.raw.copy()) for entry in _read(body, _Entries).objects]


def versions_of(body: bytes) -> list[Version]:
    """Read the versions of an object. Raises: UnreachableError."""
    return [msgspec.structs.replace(one, raw=one.raw.copy()) for one in _read(body, _Versions).versions]


def collections_of(body: bytes) -> list[Collection]:
    """Read a list of collections. Raises: UnreachableError."""
    return _read(body, _Collections).collections


def labs_of(body: bytes) -> list[Lab]:
    """Read a list of labs. Raises: UnreachableError."""
    return _read(body, _Labs).labs


def identity_of(body: bytes) -> Identity:
    """Read the answer to "who am I". Raises: UnreachableError."""
    return _read(body, Identity)


def problem_of(response: requests.Response) -> Problem:
    """Read the problem details of a refusal; another body gives a problem with the status alone."""
    try:
        return msgspec.json.decode(response.content, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Problem(title=f"HTTP {response.status_code}")


def printable(text: str) -> str:
    """Text of a node in one line of printable ASCII."""
    return ascii(text[:MAX_SHOWN_DETAIL_CHARS])[1:-1].replace("\\'", "'").replace("\\\\", "\\")


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreachableError(f"the node's answer has another form than expected: {shown(str(error))}") from None
