"""One object on its way through publishing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from exchange.services.collections import CollectionView
from exchange.services.errors import ExchangeError
from exchange.services.sharing import AudienceRule
from exchange.services.storing import PreparedVersion
from exchange.stix.checks import CheckedObject
from exchange.stix.errors import StixError
from exchange.stix.facets import Facets
from exchange.stix.identifiers import is_identifier
from exchange.stix.markings import Tlp
from exchange.stix.signature import SignedObject, VerifiedObject
from exchange.stix.timestamps import format_stix, ordering_key

MAX_VERSION_CHARS = 64
"""Width of the version columns; a timestamp of nine fraction digits has 30 characters."""


@dataclass(frozen=True, slots=True)
class VouchedObject:
    """An object that nobody signed, and the version and payload digest under which a feed vouches for it.

    payload_sha256: of its canonical form, in hexadecimal.
    """

    raw: bytes
    payload_sha256: str
    version_text: str


@dataclass(slots=True)
class Item:
    """What is known of one object so far; each step fills in its part or sets `error`, which ends its way.

    vouched: in the place of a signature, for what a feed sends unsigned. default_label: what such an object counts as
    if it carries no label. origin_peer_id: the peer that it came from, None for what is published here.
    """

    index: int
    body: bytes
    claimed: Mapping[str, Any] = field(default_factory=dict)
    checked: CheckedObject | None = None
    collection: CollectionView | None = None
    signed: SignedObject | None = None
    verified: VerifiedObject | None = None
    vouched: VouchedObject | None = None
    default_label: Tlp | None = None
    origin_peer_id: int | None = None
    label: Tlp = Tlp.RED
    payload_label: Tlp | None = None
    distribution: str = ""
    missing_marking: str = ""
    audience: AudienceRule | None = None
    references: tuple[tuple[str, str], ...] = ()
    facets: Facets | None = None
    warnings: tuple[tuple[str, str, str], ...] = ()
    error: ExchangeError | StixError | None = None

    @property
    def object(self) -> CheckedObject:
        """The object, which `read_item` has checked."""
        if self.checked is None:
            raise AssertionError("the item has not been read")
        return self.checked

    @property
    def claimed_id(self) -> str | None:
        """The id that the bytes say, however wrong the rest is; None if they say none that can be one."""
        said = self.claimed.get("id")
        return said if is_identifier(said) else None

    @property
    def claimed_version(self) -> str | None:
        """The version that the bytes say, None if they say none."""
        if self.checked is not None:
            return self.version_text or None
        said = self.claimed.get("modified", self.claimed.get("created"))
        return said if isinstance(said, str) and len(said) <= MAX_VERSION_CHARS else None

    @property
    def version_text(self) -> str:
        """`modified`, else `created`, else the signature's `iat` (docs/wire-format.md)."""
        if self.object.version is not None:
            return self.object.version
        if self.vouched is not None:
            return self.vouched.version_text
        if self.signed is None:
            return ""
        return format_stix(datetime.fromtimestamp(self.signed.iat, UTC))

    def prepared(self, *, lab_identity: str, received_at: datetime) -> PreparedVersion:
        """The version for storage; only an object that is verified, or vouched for, with an audience becomes one."""
        if self.audience is None or self.collection is None or self.facets is None:
            raise AssertionError("the item has not passed every step")
        source, kid = self._proof()
        members = self.object.members
        return PreparedVersion(
            stix_id=self.object.id,
            type=self.object.type,
            collection_id=self.collection.id,
            version_text=self.version_text,
            version_key=ordering_key(self.version_text),
            body=source.raw,
            digest=bytes.fromhex(source.payload_sha256),
            label=self.label,
            audience=self.audience,
            distribution=self.distribution,
            kid=kid,
            created_text=str(members.get("created", "")),
            revoked=members.get("revoked") is True,
            references=self.references,
            lab_identity=lab_identity,
            received_at=received_at,
            facets=self.facets,
            missing_marking=self.missing_marking,
            origin_peer_id=self.origin_peer_id,
        )

    def _proof(self) -> tuple[SignedObject | VouchedObject, str]:
        """What stands behind the object, and the thumbprint of the key that signed it, "" if nobody did."""
        if self.verified is not None:
            return self.verified.signed, self.verified.key.kid
        if self.vouched is not None and self.origin_peer_id is not None:
            return self.vouched, ""
        raise AssertionError("nothing stands behind the item")


def each(items: Iterable[Item], step: Callable[[Item], None]) -> list[Item]:
    """Take every item that has no error through a step; answers those that have none after it."""
    passed = []
    for item in items:
        if item.error is not None:
            continue
        try:
            step(item)
        except (StixError, ExchangeError) as error:
            item.error = error
        else:
            passed.append(item)
    return passed
