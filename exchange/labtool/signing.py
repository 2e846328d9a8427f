"""Sign a lab's own objects with its own key, and refuse what would not survive or not be accepted.

Nothing is signed unless everything can be: a half-signed publication is harder to put right than none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from exchange.labtool.errors import DataError
from exchange.labtool.keygen import to_bytes
from exchange.labtool.normalise import NotStixError, changes_by_stix2, normalise
from exchange.stix.checks import check_object
from exchange.stix.errors import StixError
from exchange.stix.fixed import SIGNATURE_EXTENSION, is_fixed
from exchange.stix.keys import SigningKey, unix_seconds
from exchange.stix.reading import read_object
from exchange.stix.signature import carries_keys, sign

MAX_SHOWN_FAULTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an object cannot be signed. index: its place in the input, from 0."""

    index: int
    id: str | None
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"object {self.index} ({self.id or 'no id'}) {self.pointer or '(whole)'}: {self.message}"


class CannotSignError(DataError):
    """Some objects cannot be signed; `faults` says which, where and why."""

    def __init__(self, faults: list[Fault]) -> None:
        objects = len({fault.index for fault in faults})
        super().__init__(f"{objects} of the objects cannot be signed; nothing was signed")
        self.faults = faults


def sign_objects(
    objects: Iterable[bytes],
    key: SigningKey,
    *,
    now: datetime,
    lab_identity: str | None = None,
    fix: bool = False,
) -> list[bytes]:
    """The objects in their order, each signed; what has one body for everybody stays as it is.

    now: aware; the signatures' `iat`. lab_identity: the identity whose key this is, if known: other labs'
    objects are refused then. fix: write each object as stix2 does before signing, instead of refusing it.

    Raises: CannotSignError; DataError for a key that signs no objects.
    """
    if key.use != "sig":
        raise DataError("a root key signs identities only; use the signing key")
    signed, faults = [], []
    for index, raw in enumerate(objects):
        outcome = _sign_one(raw, key, unix_seconds(now), lab_identity, fix)
        if isinstance(outcome, bytes):
            signed.append(outcome)
        else:
            faults += [Fault(index, outcome.id, pointer, message) for pointer, message in outcome.wrong]
    if faults:
        raise CannotSignError(faults[:MAX_SHOWN_FAULTS])
    return signed


@dataclass(frozen=True, slots=True)
class _Refusal:
    id: str | None
    wrong: list[tuple[str, str]]


def _sign_one(raw: bytes, key: SigningKey, iat: int, lab: str | None, fix: bool) -> bytes | _Refusal:
    object_id = None
    try:
        source = read_object(raw)
        claimed = source.members.get("id")
        object_id = claimed if isinstance(claimed, str) else None
        if object_id is not None and is_fixed(object_id):
            return raw
        wrong = _not_ours(source.members, lab)
        if not wrong and not fix:
            wrong = [
                (
                    change.pointer,
                    f"{change.before} would become {change.after} in stix2; --normalise does so before signing",
                )
                for change in changes_by_stix2(source.members)
            ]
        if wrong:
            return _Refusal(object_id, wrong)
        members = normalise(source.members) if fix else source.members
        check_object(read_object(to_bytes(dict(members))) if fix else source)
        return to_bytes(sign(members, key, iat))
    except StixError as error:
        return _Refusal(object_id, [(error.pointer, error.message)])
    except NotStixError as error:
        return _Refusal(object_id, [(error.pointer, str(error))])


def _not_ours(members: Mapping[str, Any], lab: str | None) -> list[tuple[str, str]]:
    """What this key must not sign, or need not."""
    if carries_keys(members):
        return [("", "An identity with keys is signed by its root key, when it is made.")]
    extensions = members.get("extensions")
    if isinstance(extensions, dict) and SIGNATURE_EXTENSION in extensions:
        return [(f"/extensions/{SIGNATURE_EXTENSION}", "The object is signed already.")]
    creator = members.get("created_by_ref")
    if creator is None:
        # Only observables have no creator, and of the object types only they have no `created`.
        missing = "created" in members
        return [("/created_by_ref", "An object must name its creator to be signed.")] if missing else []
    if lab is not None and creator != lab:
        return [("/created_by_ref", f"The key belongs to {lab}.")]
    return []
