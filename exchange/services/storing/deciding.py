"""Decides, in memory, whether a version may follow what is stored of its object (STIX 2.1 section 3.6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from exchange.services.errors import ConflictError
from exchange.services.storing.prepared import PreparedVersion, StoreResult, StoreStatus
from exchange.stix.timestamps import ordering_key


@dataclass(slots=True)
class ObjectState:
    """An object under lock, as stored and as the versions of this transaction change it.

    `id` is 0 for an object that is new; `producer_id` is the producer's row. `digests` holds the versions that this
    transaction may meet again, those in `deleted_keys` among them. `waiting` holds the audiences of versions that wait
    for their marking, by version key. `newest_audience_id` is who may read the object: the audience of its latest
    version, whether that waits or not.
    """

    stix_id: str
    producer_id: int = 0
    id: int = 0
    home_collection_id: int | None = None
    created_text: str = ""
    newest_version_id: int | None = None
    newest_key: str = ""
    first_key: str = ""
    newest_audience_id: int | None = None
    state: str = "current"
    has_earlier_first: bool = False
    digests: dict[str, bytes] = field(default_factory=dict)
    deleted_keys: set[str] = field(default_factory=set)
    waiting: dict[str, int] = field(default_factory=dict)

    def decide(self, version: PreparedVersion) -> StoreResult:
        """What becomes of `version`; the state is changed only by `accept`."""
        known = self.digests.get(version.version_key)
        if known is not None:
            return self._decide_known(version, known)
        refusal = self._refusal(version)
        if refusal is not None:
            return StoreResult(StoreStatus.FAILED, refusal)
        return StoreResult(StoreStatus.HELD if version.missing_marking else StoreStatus.STORED)

    def accept(self, version: PreparedVersion, version_id: int, audience_id: int) -> None:
        """Take a version in. A held one is shown to nobody, but narrows and revokes at once."""
        self.digests[version.version_key] = version.digest
        self.home_collection_id = self.home_collection_id or version.collection_id
        self.created_text = self.created_text or version.created_text
        if version.revoked:
            self.state = "revoked"
        if version.missing_marking:
            self.waiting[version.version_key] = audience_id
        else:
            self._show(version, version_id, audience_id)
        latest = max(self.waiting, default="")
        if latest > self.newest_key and self.newest_version_id is not None:
            self.newest_audience_id = self.waiting[latest]

    @property
    def latest_key(self) -> str:
        """The key of the version that says who may read the object."""
        return max([self.newest_key, *self.waiting])

    def _show(self, version: PreparedVersion, version_id: int, audience_id: int) -> None:
        self.has_earlier_first |= version.version_key < self.first_key
        self.first_key = min(self.first_key or version.version_key, version.version_key)
        if version.version_key >= self.newest_key:
            self.newest_key = version.version_key
            self.newest_version_id = version_id
            self.newest_audience_id = audience_id

    def _decide_known(self, version: PreparedVersion, known: bytes) -> StoreResult:
        if self.state == "expired":
            return StoreResult(StoreStatus.FAILED, _expired())
        if self.state == "deleted" or version.version_key in self.deleted_keys:
            return StoreResult(StoreStatus.FAILED, _deleted())
        if known == version.digest:
            return StoreResult(StoreStatus.EXISTS)
        return StoreResult(
            StoreStatus.FAILED,
            ConflictError("another payload is stored under this id and version", code="version-conflict"),
        )

    def _refusal(self, version: PreparedVersion) -> ConflictError | None:
        if self.state == "expired":
            return _expired()
        if self.state == "deleted":
            return _deleted()
        if self.state == "revoked":
            return ConflictError(
                "the object is revoked; no later version may exist",
                code="version-after-revocation",
                pointer="/modified",
            )
        if self.home_collection_id not in (None, version.collection_id):
            return ConflictError("the object lives in another collection", code="other-collection", pointer="/id")
        if self.created_text and not _same_instant(self.created_text, version.created_text):
            return ConflictError("created is the same in all versions", code="created-changed", pointer="/created")
        return None


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version on its way in: with its id, its object's state and its audience's id."""

    version: PreparedVersion
    id: int
    state: ObjectState
    audience_id: int


def _same_instant(one: str, other: str) -> bool:
    return bool(one) == bool(other) and (not one or ordering_key(one) == ordering_key(other))


def _deleted() -> ConflictError:
    return ConflictError("it was deleted; it cannot be published again", code="deleted", pointer="/id")


def _expired() -> ConflictError:
    return ConflictError(
        "its time in the collection is over (retention); it cannot be published again", code="expired", pointer="/id"
    )
