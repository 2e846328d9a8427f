"""One version of an identity as its chain sees it, and which of the accepted versions are in force.

A version is void if whoever signed it was not entitled to, as was learned afterwards: what a thief introduced or
revoked does not count. Whether a version is accepted in the first place is decided in chain.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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


def find_void(versions: Sequence[IdentityVersion]) -> frozenset[int]:
    """The places of the void versions among those accepted, which stand in the order of their acceptance.

    A version is void if one that was accepted later, and is in force, says that its signer was in other hands when it
    was first seen; or if its signer was introduced by void versions only. Where versions contradict each other so that
    neither can be believed without the other being void, both are.
    """
    rootless: frozenset[int] = frozenset()
    ever: frozenset[int] = frozenset()
    for _round in range(len(versions) + 1):
        void = rootless | _declared_void(versions, rootless)
        found = frozenset(place for place in range(len(versions)) if _is_rootless(versions, place, void))
        if found == rootless:
            return void
        rootless, ever = found, ever | void
    return ever


def _declared_void(versions: Sequence[IdentityVersion], unheard: frozenset[int]) -> frozenset[int]:
    """Those whose signer a later version calls compromised, where that version is neither void nor unheard."""
    compromised: dict[str, int] = {}
    void = set()
    for place in reversed(range(len(versions))):
        version = versions[place]
        since = compromised.get(version.signer)
        if since is not None and version.first_seen.timestamp() >= since:
            void.add(place)
        elif place not in unheard:
            for key in version.keys:
                if key.compromised_since is not None:
                    known = compromised.get(key.kid, key.compromised_since)
                    compromised[key.kid] = min(known, key.compromised_since)
    return frozenset(void)


def _is_rootless(versions: Sequence[IdentityVersion], place: int, void: frozenset[int]) -> bool:
    """Whether the signer owes its place to another root key, and only void versions give it one."""
    signer = versions[place].signer
    listing = [earlier for earlier in range(place) if signer in versions[earlier].roots]
    # A key that signed the first version listing it was pinned, or accepted by operators.
    return bool(listing) and versions[listing[0]].signer != signer and all(earlier in void for earlier in listing)
