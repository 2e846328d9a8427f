"""What is known of the keys of one identity: a pure value, folded from the versions that were accepted.

It is computed anew from all accepted versions each time, so that what was revoked stays revoked whatever order they
came in. Which versions are accepted is decided in chain.py.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Self

from exchange.stix.errors import KeyChainError
from exchange.stix.extension_ids import KEYS_EXTENSION
from exchange.stix.extensions_keys import Home, Keys
from exchange.stix.keys import PublicKey
from exchange.stix.signature import SignedObject
from exchange.stix.timestamps import ordering_key, parse_timestamp


@dataclass(frozen=True, slots=True)
class IdentityVersion:
    """One accepted version of an identity.

    modified: ordering key of its time. signer: thumbprint of the root key that signed it first.
    """

    modified: str
    payload_sha256: str
    first_seen: datetime
    signer: str
    keys: tuple[PublicKey, ...]
    homes: tuple[Home, ...]

    @property
    def roots(self) -> frozenset[str]:
        """The thumbprints of the root keys that this version lists."""
        return frozenset(key.kid for key in self.keys if key.use == "root")


@dataclass(frozen=True, slots=True)
class KeyState:
    """The keys of one identity.

    versions: those accepted, in the order in which they were. keys: every key ever introduced, by thumbprint, with
    what is known of it by now. homes: those of the newest version.
    """

    identity: str
    versions: tuple[IdentityVersion, ...]
    keys: Mapping[str, PublicKey]
    homes: tuple[Home, ...]

    @classmethod
    def of(cls, identity: str, versions: Iterable[IdentityVersion]) -> Self:
        """The state that versions in their order of acceptance amount to."""
        accepted = tuple(versions)
        standing = _by_time(_standing(accepted))
        homes = standing[-1].homes if standing else ()
        return cls(identity, accepted, MappingProxyType(_merge(standing)), homes)

    @classmethod
    def recall(cls, identity: str, stored: Iterable[tuple[SignedObject, datetime]]) -> Self:
        """The state of versions that were accepted before, each with the time it was first seen; verifies nothing."""
        return cls.of(identity, (version_of(signed, first_seen) for signed, first_seen in stored))

    def with_version(self, version: IdentityVersion) -> "KeyState":
        """The state once this version is accepted too."""
        return KeyState.of(self.identity, (*self.versions, version))

    def version_at(self, modified: str) -> IdentityVersion | None:
        """The accepted version with that time, if there is one."""
        return next((version for version in self.versions if version.modified == modified), None)

    def until(self, version: IdentityVersion) -> "KeyState | None":
        """What was known when that version was accepted; None if it was the first."""
        earlier = self.versions[: self.versions.index(version)]
        return KeyState.of(self.identity, earlier) if earlier else None

    def is_standing(self, version: IdentityVersion) -> bool:
        """Whether an accepted version is in force still."""
        return version in _standing(self.versions)

    def standing_before(self, modified: str) -> list[IdentityVersion]:
        """The versions in force with an earlier time, oldest first."""
        return [version for version in _by_time(_standing(self.versions)) if version.modified < modified]

    def newest_seen_by(self, when: datetime) -> IdentityVersion | None:
        """The newest version in force among those first seen by then."""
        seen = [version for version in _standing(self.versions) if version.first_seen <= when]
        return max(seen, key=lambda version: version.modified, default=None)


def key_valid_at(state: KeyState, kid: str, when: datetime) -> bool:
    """Whether the identity has that key and could sign with it at that time, as far as is known now."""
    key = state.keys.get(kid)
    return key is not None and key.is_valid_at(when)


def version_of(identity: SignedObject, first_seen: datetime) -> IdentityVersion:
    """What a version of an identity says; nothing about it is verified.

    Raises:
        KeyChainError: chain-no-keys where it is not an identity with keys, or as `Keys.parse`.
        ObjectInvalidError: the keys extension or the time of the version has the wrong form.
    """
    extensions = identity.members.get("extensions")
    if identity.type != "identity" or not isinstance(extensions, dict) or KEYS_EXTENSION not in extensions:
        raise KeyChainError("chain-no-keys", "An identity with the keys extension is expected here.")
    modified = identity.members.get("modified")
    if not isinstance(modified, str):
        raise KeyChainError("chain-no-keys", "An identity needs the time of its version.", "/modified")
    parse_timestamp(modified, "/modified")
    keys = Keys.parse(extensions[KEYS_EXTENSION], f"/extensions/{KEYS_EXTENSION}")
    return IdentityVersion(
        modified=ordering_key(modified),
        payload_sha256=identity.payload_sha256,
        first_seen=first_seen,
        signer=identity.kid,
        keys=keys.keys,
        homes=keys.homes,
    )


def _standing(versions: tuple[IdentityVersion, ...]) -> Iterator[IdentityVersion]:
    """The versions in force, last accepted first.

    A version is void if one that was accepted later, and is in force, says that its signer was in other hands when it
    was first seen: what a thief revoked is not revoked.
    """
    compromised: dict[str, int] = {}
    for version in reversed(versions):
        since = compromised.get(version.signer)
        if since is not None and version.first_seen.timestamp() >= since:
            continue
        yield version
        for key in version.keys:
            if key.compromised_since is not None:
                known = compromised.get(key.kid, key.compromised_since)
                compromised[key.kid] = min(known, key.compromised_since)


def _by_time(versions: Iterable[IdentityVersion]) -> list[IdentityVersion]:
    return sorted(versions, key=lambda version: version.modified)


def _merge(standing: list[IdentityVersion]) -> dict[str, PublicKey]:
    """Every key: terms as the newest version that lists it, ends as the strictest that any version set."""
    keys: dict[str, PublicKey] = {}
    for version in standing:
        for key in version.keys:
            known = keys.get(key.kid, key)
            keys[key.kid] = replace(
                key,
                revoked_at=_earlier(known.revoked_at, key.revoked_at),
                compromised_since=_earlier(known.compromised_since, key.compromised_since),
            )
    return keys


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((end for end in (one, other) if end is not None), default=None)
