"""What is known of the keys of one identity: a pure value, folded from the versions that were accepted.

It is computed anew from all accepted versions each time, so that what was revoked stays revoked whatever order they
came in. Which versions are accepted is decided in chain.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Self

from exchange.stix.chain_versions import IdentityVersion, find_void, version_of
from exchange.stix.extensions_keys import Home
from exchange.stix.keys import PublicKey
from exchange.stix.signature import SignedObject


@dataclass(frozen=True, slots=True)
class KeyState:
    """The keys of one identity.

    versions: those accepted, in the order in which they were. standing: those in force, oldest first. keys: every
    key ever introduced, by thumbprint, with what is known of it by now. homes: those of the newest version in force.
    """

    identity: str
    versions: tuple[IdentityVersion, ...]
    standing: tuple[IdentityVersion, ...]
    keys: Mapping[str, PublicKey]
    homes: tuple[Home, ...]

    @classmethod
    def of(cls, identity: str, versions: Iterable[IdentityVersion]) -> Self:
        """The state that versions in their order of acceptance amount to."""
        accepted = tuple(versions)
        void = find_void(accepted)
        standing = _by_time(version for place, version in enumerate(accepted) if place not in void)
        keys = _void_keys(accepted[place] for place in sorted(void)) | _merge(standing)
        homes = standing[-1].homes if standing else ()
        return cls(identity, accepted, tuple(standing), MappingProxyType(keys), homes)

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

    def standing_before(self, modified: str) -> list[IdentityVersion]:
        """The versions in force with an earlier time, oldest first."""
        return [version for version in self.standing if version.modified < modified]

    def newest_seen_by(self, when: datetime) -> IdentityVersion | None:
        """The newest version in force among those first seen by then."""
        return next((version for version in reversed(self.standing) if version.first_seen <= when), None)


def key_valid_at(state: KeyState, kid: str, when: datetime) -> bool:
    """Whether the identity has that key and could sign with it at that time, as far as is known now."""
    key = state.keys.get(kid)
    return key is not None and key.is_valid_at(when)


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


def _void_keys(void: Iterable[IdentityVersion]) -> dict[str, PublicKey]:
    """The keys of void versions: known for ever, so that nobody else can claim them, and never valid."""
    return {key.kid: replace(key, compromised_since=key.nbf) for version in void for key in version.keys}


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((end for end in (one, other) if end is not None), default=None)
