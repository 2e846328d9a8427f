"""Key chains: how an identity's keys follow from a pinned root key, version by version. docs/wire-format.md, "Keys".

It verifies a new version of an identity against what is known and answers with the new state. It keeps nothing: pins,
stored versions and the owners of other keys come from the caller, and so does the decision of two operators.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from exchange.stix.chain_state import KeyState, key_valid_at
from exchange.stix.chain_versions import IdentityVersion, version_of
from exchange.stix.errors import KeyChainError, ObjectInvalidError
from exchange.stix.extension_ids import KEYS_EXTENSION
from exchange.stix.keys import PublicKey
from exchange.stix.signature import SignedObject, VerifiedObject, verify_each
from exchange.stix.signature_payload import POINTER as SIGNATURE_POINTER

__all__ = ["IdentityVersion", "KeyState", "extend", "key_valid_at"]

_FIRST: Final = f"{SIGNATURE_POINTER}/signatures/0"
_KEYS: Final = f"/extensions/{KEYS_EXTENSION}/jwks/keys"


def extend(
    state: KeyState | None,
    identity: SignedObject,
    *,
    pins: Collection[str],
    owner_of: Callable[[str], str | None],
    now: datetime,
    first_seen: datetime | None = None,
    approved_root: str | None = None,
) -> tuple[KeyState, VerifiedObject]:
    """Verifies a version of an identity and adds it to what is known of its keys.

    state: None as long as no version is known. pins: thumbprints of the root keys that operators compared.
    owner_of: the id of the identity that a thumbprint belongs to, None if it is new. now: the time of receipt.
    first_seen: if that was earlier, as a witnessed log proves. approved_root: the root key of a version outside
    the chain that two operators accepted. A version that is known already leaves the state as it is.

    Raises:
        KeyChainError: chain-no-keys, chain-identity, chain-conflict, chain-foreign-key, chain-key-use,
            chain-not-root, chain-unpinned, chain-outside, chain-proof, or as `Keys.parse`.
        SignatureError: signature-wrong, signature-ahead.
        ObjectInvalidError: the keys extension has the wrong form.
    """
    version = version_of(identity, first_seen or now)
    _check_identity(state, identity)
    _check_keys(state, version, identity.id, owner_of)
    known = state.version_at(version.modified) if state is not None else None
    if state is not None and known is not None:
        return state, _verify_again(state, known, identity, pins=pins, now=now)
    root = _root_key(state, version, pins, approved_root)
    signers = [root, *_introduced(state, version, identity)]
    verified = verify_each(identity, signers, owner=identity.id, now=now, first_seen=version.first_seen)
    return (state.with_version(version) if state is not None else KeyState.of(identity.id, [version])), verified


def _verify_again(
    state: KeyState, known: IdentityVersion, identity: SignedObject, *, pins: Collection[str], now: datetime
) -> VerifiedObject:
    """Verifies a version that was accepted before, against what was known then: it may have had other predecessors."""
    if known.payload_sha256 != identity.payload_sha256:
        raise KeyChainError("chain-conflict", "Another body of this version is known.", "/modified")
    if known not in state.standing:
        raise KeyChainError("chain-outside", "The version turned out to be signed by somebody else.", _FIRST)
    prior = state.until(known)
    version = version_of(identity, known.first_seen)
    # Whoever accepted the version with this signer may have had an operator's word for it.
    approved = known.signer if version.signer == known.signer else None
    signers = [_root_key(prior, version, pins, approved), *_introduced(prior, version, identity)]
    return verify_each(identity, signers, owner=identity.id, now=now, first_seen=known.first_seen)


def _check_identity(state: KeyState | None, identity: SignedObject) -> None:
    if identity.members.get("identity_class") not in ("organization", "system"):
        message = "Only organizations and systems have keys."
        raise ObjectInvalidError("chain-identity-class", message, "/identity_class")
    if state is not None and state.identity != identity.id:
        raise KeyChainError("chain-identity", "The version belongs to another identity.", "/id")
    if identity.members.get("created_by_ref", identity.id) != identity.id:
        raise KeyChainError("chain-identity", "An identity with keys is its own creator.", "/created_by_ref")


def _check_keys(
    state: KeyState | None, version: IdentityVersion, identity: str, owner_of: Callable[[str], str | None]
) -> None:
    """A key belongs to one identity for ever, and for one use."""
    for place, key in enumerate(version.keys):
        if owner_of(key.kid) not in (None, identity):
            raise KeyChainError("chain-foreign-key", "The key belongs to another identity.", f"{_KEYS}/{place}/kid")
        known = state.keys.get(key.kid) if state is not None else None
        if known is not None and known.use != key.use:
            raise KeyChainError("chain-key-use", "The use of a key never changes.", f"{_KEYS}/{place}/use")


def _root_key(
    state: KeyState | None, version: IdentityVersion, pins: Collection[str], approved_root: str | None
) -> PublicKey:
    """The root key that may sign this version first and claims to have done so."""
    listed = {key.kid: key for key in version.keys}
    key = (state.keys.get(version.signer) if state is not None else None) or listed.get(version.signer)
    if key is None or key.use != "root":
        raise KeyChainError("chain-not-root", "The first signature must be by a root key of the identity.", _FIRST)
    if version.signer != approved_root:
        _check_trust(state, version, pins)
    if not key.is_valid_at(version.first_seen):
        raise KeyChainError("chain-outside", "The root key was not valid when the version was first seen.", _FIRST)
    return key


def _check_trust(state: KeyState | None, version: IdentityVersion, pins: Collection[str]) -> None:
    """The signer is a root key of the version before, or a pinned one where there is none before."""
    before = state.standing_before(version.modified) if state is not None else []
    if not before and not (version.signer in pins and version.signer in version.roots):
        raise KeyChainError("chain-unpinned", "No operator has pinned this root key.", _FIRST)
    # Whoever holds a root key that was left out since must not slip a version in between older ones.
    newest = state.newest_seen_by(version.first_seen) if state is not None else None
    if any(version.signer not in other.roots for other in (*before[-1:], newest) if other is not None):
        raise KeyChainError("chain-outside", "The root key is not one of the version before.", _FIRST)


def _introduced(state: KeyState | None, version: IdentityVersion, identity: SignedObject) -> list[PublicKey]:
    """The keys that this version introduces, in the order of their signatures.

    Each signs once, to prove that somebody holds it; a root key that signed first has proven that.
    """
    before = state.standing_before(version.modified) if state is not None else []
    old = {key.kid for earlier in before for key in earlier.keys} | {version.signer}
    new = {key.kid: key for key in version.keys if key.kid not in old}
    signed = [entry.header.kid for entry in identity.entries[1:]]
    missing = sorted(new.keys() - set(signed))
    if missing:
        place = next(place for place, key in enumerate(version.keys) if key.kid == missing[0])
        message = "The version introduces the key without a signature by it."
        raise KeyChainError("chain-proof", message, f"{_KEYS}/{place}")
    for place, kid in enumerate(signed, start=1):
        if kid not in new or kid in signed[: place - 1]:
            message = "After the root key, each key that the version introduces signs once, and no other."
            raise KeyChainError("chain-proof", message, f"{SIGNATURE_POINTER}/signatures/{place}")
    return [new[kid] for kid in signed]
