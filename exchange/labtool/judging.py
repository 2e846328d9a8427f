"""Who wrote an object, and whether we trust that: a keyring built from identities and pins, and a verdict each.

Pure: bytes, pins and times in, verdicts out. Where the bytes come from and what becomes of them is decided in
pulling.py and verifying.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from exchange.labtool.pins import Pins
from exchange.stix.chain import KeyState, extend
from exchange.stix.errors import SignatureError, StixError
from exchange.stix.extensions import Withdrawal
from exchange.stix.fixed import WITHDRAWAL_EXTENSION, fixed_object, is_fixed
from exchange.stix.identifiers import type_of
from exchange.stix.keys import PublicKey
from exchange.stix.reading import read_object
from exchange.stix.signature import SignedObject, VerifiedObject, carries_keys, open_signed, verify
from exchange.stix.timestamps import parse_timestamp

# Longer types than any standard has would not fit into a file name.
MAX_TYPE_CHARS: Final = 100
# wire-format, "Keys": nodes have this identity_class, labs have another.
NODE_CLASS: Final = "system"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one object.

    reason: "" if it is all right. producer: id of the identity that signed it; None for objects with one body
    for everybody, which nobody signs. lab: the name under which the producer's root is pinned. version: the
    STIX version; of an observable, the time of its signature.
    """

    raw: bytes
    id: str | None = None
    version: str | None = None
    producer: str | None = None
    lab: str | None = None
    kid: str | None = None
    custody: str | None = None
    reason: str = ""
    payload_sha256: str | None = None
    members: Mapping[str, Any] | None = None
    is_fixed: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether the object is what its pinned producer signed, or one that everybody knows."""
        return not self.reason

    @property
    def withdrawal(self) -> Withdrawal | None:
        """The withdrawal that this note announces, if it is one."""
        extensions = (self.members or {}).get("extensions")
        value = extensions.get(WITHDRAWAL_EXTENSION) if isinstance(extensions, dict) else None
        return None if value is None else Withdrawal.parse(value, f"/extensions/{WITHDRAWAL_EXTENSION}")


class Keyring:
    """The key chains that follow from the pins. It only grows."""

    def __init__(self, pins: Pins) -> None:
        self._pins = pins
        self._states: dict[str, KeyState] = {}
        self._owners: dict[str, str] = {}
        self._classes: dict[str, set[Any]] = {}

    def judge(self, raw: bytes, *, now: datetime, first_seen: datetime) -> Verdict:
        """Read, verify and name one object; an identity with keys that verifies extends the ring.

        now, first_seen: aware; when the bytes arrived, and when they first did.
        """
        try:
            source = read_object(raw)
            object_id = source.members.get("id")
            if isinstance(object_id, str) and is_fixed(object_id):
                return _judge_fixed(raw, source.canonical, object_id, source.members)
            signed = open_signed(source)
        except StixError as error:
            return Verdict(raw, id=_claimed_id(raw), reason=str(error))
        return self._judge_signed(signed, now, first_seen)

    def learn(self, identities: Iterable[tuple[bytes, datetime]], *, now: datetime) -> None:
        """Extend the ring by versions of identities, each with the time it was first seen, in any order.

        Those that do not follow from the pins are left out.
        """
        readable = [(signed, seen) for raw, seen in identities if (signed := _signed_or_none(raw)) is not None]
        for signed, seen in sorted(readable, key=lambda item: (item[1], str(item[0].members.get("modified")))):
            self._judge_signed(signed, now, seen)

    def key_states(self) -> dict[str, list[int | None]]:
        """What ends each key, by thumbprint: to notice that verdicts given before may be void."""
        return {
            kid: [key.exp, key.revoked_at, key.compromised_since]
            for state in self._states.values()
            for kid, key in state.keys.items()
        }

    def _judge_signed(self, signed: SignedObject, now: datetime, first_seen: datetime) -> Verdict:
        is_identity = signed.type == "identity" and carries_keys(signed.members)
        owner = signed.id if is_identity else self._owners.get(signed.kid)
        named = Verdict(
            signed.raw,
            id=signed.id,
            version=_version_of(signed),
            lab=self._name_of(owner),
            kid=signed.kid,
            payload_sha256=signed.payload_sha256,
            members=signed.members,
        )
        try:
            if type_of(signed.id) != signed.type or len(signed.type) > MAX_TYPE_CHARS:
                raise SignatureError("type-or-id", "The id does not begin with the type.", "/id")
            if is_identity:
                verified = self._extend(signed, now, first_seen)
            else:
                verified = self._verify(signed, owner, now, first_seen)
            self._check_withdrawal(named, verified.producer)
            _check_version(signed)
        except StixError as error:
            return replace(named, reason=str(error))
        return replace(
            named,
            producer=verified.producer,
            lab=self._name_of(verified.producer),
            custody=verified.key.custody,
        )

    def _extend(self, signed: SignedObject, now: datetime, first_seen: datetime) -> VerifiedObject:
        state, verified = extend(
            self._states.get(signed.id),
            signed,
            pins=self._pins.roots,
            owner_of=self._owners.get,
            now=now,
            first_seen=first_seen,
        )
        self._states[signed.id] = state
        self._owners |= dict.fromkeys(state.keys, signed.id)
        self._classes.setdefault(signed.id, set()).add(signed.members.get("identity_class"))
        return verified

    def _verify(self, signed: SignedObject, owner: str | None, now: datetime, first_seen: datetime) -> VerifiedObject:
        if owner is None:
            message = "No identity that follows from the pins has this key."
            raise SignatureError("key-not-pinned", message)
        return verify(signed, self._key(owner, signed.kid), owner=owner, now=now, first_seen=first_seen)

    def _key(self, owner: str, kid: str) -> PublicKey:
        key = self._states[owner].keys.get(kid)
        if key is None:
            # The version that introduced it turned out to be a thief's.
            raise SignatureError("key-void", "The version of the identity that introduced this key is void.")
        return key

    def _check_withdrawal(self, named: Verdict, producer: str) -> None:
        """Another lab must not make our copies disappear."""
        if named.withdrawal is not None and not self.is_pinned_node(producer):
            raise SignatureError("withdrawal-not-by-node", "Only a node announces withdrawals.")

    def is_pinned_node(self, identity: str) -> bool:
        """Whether a pinned root began this identity, and each of its versions says that it is a node.

        A lab that calls itself a node from some version on is no node.
        """
        state = self._states.get(identity)
        is_pinned = state is not None and bool(state.standing) and state.standing[0].signer in self._pins.roots
        return is_pinned and self._classes.get(identity) == {NODE_CLASS}

    def _name_of(self, identity: str | None) -> str | None:
        state = self._states.get(identity) if identity is not None else None
        if state is None:
            return None
        names = (self._pins.name_of(kid) for kid, key in state.keys.items() if key.use == "root")
        return next((name for name in names if name is not None), None)


def is_identity_with_keys(raw: bytes) -> bool:
    """Whether these bytes claim to be an identity that publishes keys."""
    signed = _signed_or_none(raw)
    return signed is not None and signed.type == "identity" and carries_keys(signed.members)


def _signed_or_none(raw: bytes) -> SignedObject | None:
    try:
        return open_signed(read_object(raw))
    except StixError:
        return None


def _judge_fixed(raw: bytes, canonical: bytes, object_id: str, members: Mapping[str, Any]) -> Verdict:
    if canonical != fixed_object(object_id):
        return Verdict(raw, id=object_id, reason="(whole): This id has one body for everybody, and it is another.")
    return Verdict(raw, id=object_id, version=str(members["created"]), members=members, is_fixed=True)


def _version_of(signed: SignedObject) -> str | None:
    """wire-format: `modified`; of marking-definitions `created`; of observables the signature's `iat`."""
    version = signed.members.get("modified", signed.members.get("created", str(signed.iat)))
    return version if isinstance(version, str) else None


def _check_version(signed: SignedObject) -> None:
    for name in ("modified", "created"):
        if name in signed.members:
            parse_timestamp(str(signed.members[name]), f"/{name}")


def _claimed_id(raw: bytes) -> str | None:
    try:
        claimed = read_object(raw).members.get("id")
    except StixError:
        return None
    return claimed if isinstance(claimed, str) else None
