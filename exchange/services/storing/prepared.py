"""What storage takes and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from exchange.services.errors import ConflictError
from exchange.services.sharing import AudienceRule
from exchange.stix.facets import Facets
from exchange.stix.markings import Tlp


@dataclass(frozen=True, slots=True)
class PreparedVersion:
    """A version that passed every check but those against what is stored.

    version_key: the version's instant as sortable text. digest: SHA-256 of the signature payload.
    missing_marking: id of the distribution marking that it waits for, "" if it need not wait. While it waits,
    `audience` is who reads it whomever the marking names.
    references: pairs of property and target id, kept for later checks. facets: what it can be found by.
    kid: the key that signed, "" for fixed objects and for what a feed vouches for. origin_peer_id: the peer that it
    came from, None for what was published here.
    """

    stix_id: str
    type: str
    collection_id: int
    version_text: str
    version_key: str
    body: bytes
    digest: bytes
    label: Tlp
    audience: AudienceRule
    distribution: str
    kid: str
    created_text: str
    revoked: bool
    references: tuple[tuple[str, str], ...]
    lab_identity: str
    received_at: datetime
    facets: Facets
    missing_marking: str = ""
    origin_peer_id: int | None = None

    @property
    def operation(self) -> str:
        """The operation of its leaf in the log."""
        return "revoke" if self.revoked else "publish"


class StoreStatus(StrEnum):
    STORED = "stored"
    EXISTS = "exists"
    HELD = "held"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StoreResult:
    """What became of one version. `error` is set exactly when it failed."""

    status: StoreStatus
    error: ConflictError | None = None


@dataclass(frozen=True, slots=True)
class AudienceChange:
    """The newest version of an object has other readers than the newest before it: withdrawals follow from this.

    producer: id of the identity whose object it is; others may have objects with the same id. word: what the note says
    happened, "" where that follows from `revoked`.
    """

    stix_id: str
    producer: str
    collection_id: int
    before: int
    after: AudienceRule
    revoked: bool
    word: str = ""
