"""The extensions that this project adds to STIX objects, each as a frozen value: docs/wire-format.md.

`check_extensions` reads every one of ours that an object carries. Extensions of others are left alone, and so is the
question whether an object may be published at all. The signature extension is read in signature.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

from exchange.stix import extension_ids as ids
from exchange.stix.errors import ObjectInvalidError
from exchange.stix.extensions_fields import (
    identity_id,
    list_of,
    matching,
    members_of,
    note_id,
    object_id,
    one_of,
    sha256_hex,
    timestamp,
    whole_number,
)
from exchange.stix.extensions_keys import Home, Keys
from exchange.stix.extensions_ranges import Range, Ranges

__all__ = [
    "Appeal",
    "Distribution",
    "Extension",
    "Feedback",
    "Home",
    "Keys",
    "Range",
    "Ranges",
    "Selector",
    "Withdrawal",
    "check_extensions",
]

#: More labs than one exchange has; beyond, a collection is the better means.
MAX_RECIPIENTS = 1_000
#: STIX 2.1 section 5.2 bounds counts of sightings alike.
MAX_EVIDENCE = 999_999_999

SELECTOR_SCHEME: Final = "voprf-ristretto255-sha512"
SELECTOR_KINDS = frozenset({"email", "phone", "payment-instrument", "account-login", "device"})
FEEDBACK_REASONS = frozenset(
    {
        "legitimate-evaluation",
        "shared-egress",
        "public-harness",
        "enterprise-gateway",
        "licensed-vendor",
        "own-test",
        "other",
    }
)
APPEAL_STEPS = frozenset({"opened", "message", "decided", "acknowledged"})
APPEAL_SEVERITIES = frozenset({"low", "medium", "high", "critical"})
APPEAL_OUTCOMES = frozenset({"upheld", "corrected", "revoked"})
WITHDRAWAL_STATES = frozenset({"narrowed", "revoked", "deleted", "suspended", "restored"})

_EPOCH = re.compile("[0-9]{4}-(0[1-9]|1[0-2])")
#: RFC 9497 section 4.1: an output of ristretto255-SHA512 has 64 bytes.
_SELECTOR_OUTPUT = re.compile("[0-9a-f]{128}")
_PROPERTY_EXTENSION: Final = "property-extension"


class Extension(Protocol):
    """One extension of ours as a value."""

    @classmethod
    def parse(cls, value: object, pointer: str) -> Self: ...
    def to_extension(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Distribution:
    """The labs (for RED: persons) that may receive what carries this marking: ids of identities."""

    recipients: tuple[str, ...]

    @classmethod
    def parse(cls, value: object, pointer: str) -> Self:
        """Reads the extension. Raises: ObjectInvalidError."""
        members = members_of(value, pointer, required={"extension_type", "recipients"})
        listed = list_of(members, "recipients", pointer, most=MAX_RECIPIENTS)
        where = f"{pointer}/recipients"
        recipients = tuple(identity_id({str(place): item}, str(place), where) for place, item in enumerate(listed))
        if len(set(recipients)) != len(recipients):
            raise ObjectInvalidError("extension-value", "A recipient is named twice.", where)
        return cls(recipients)

    def to_extension(self) -> dict[str, Any]:
        """The extension as it stands in an object."""
        return {"extension_type": _PROPERTY_EXTENSION, "recipients": list(self.recipients)}


@dataclass(frozen=True, slots=True)
class Selector:
    """How the `user_id` of an account was made. issuer: a node's identity id. epoch: a month as YYYY-MM."""

    scheme: str
    issuer: str
    epoch: str
    kind: str

    @classmethod
    def parse(cls, value: object, pointer: str) -> Self:
        """Reads the extension. Raises: ObjectInvalidError."""
        members = members_of(value, pointer, required={"extension_type", "scheme", "issuer", "epoch", "kind"})
        return cls(
            scheme=one_of(members, "scheme", pointer, {SELECTOR_SCHEME}),
            issuer=identity_id(members, "issuer", pointer),
            epoch=matching(members, "epoch", pointer, _EPOCH, "a month as YYYY-MM"),
            kind=one_of(members, "kind", pointer, SELECTOR_KINDS),
        )

    def to_extension(self) -> dict[str, Any]:
        """The extension as it stands in an object."""
        return _as_extension(self)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a lab found when it used an object: the payload it means, how much evidence, and why if it disagrees."""

    evidence_count: int
    payload_sha256: str
    reason: str | None = None

    @classmethod
    def parse(cls, value: object, pointer: str) -> Self:
        """Reads the extension. Raises: ObjectInvalidError."""
        required = {"extension_type", "evidence_count", "payload_sha256"}
        members = members_of(value, pointer, required=required, optional={"reason"})
        return cls(
            evidence_count=whole_number(members, "evidence_count", pointer, 0, MAX_EVIDENCE),
            payload_sha256=sha256_hex(members, "payload_sha256", pointer),
            reason=one_of(members, "reason", pointer, FEEDBACK_REASONS) if "reason" in members else None,
        )

    def to_extension(self) -> dict[str, Any]:
        """The extension as it stands in an object."""
        return _as_extension(self)


@dataclass(frozen=True, slots=True)
class Appeal:
    """One step of an appeal. appeal: id of the note that opened it. deadline: STIX timestamp text, as in the object."""

    appeal: str
    step: str
    severity: str | None = None
    deadline: str | None = None
    outcome: str | None = None

    @classmethod
    def parse(cls, value: object, pointer: str) -> Self:
        """Reads the extension. Raises: ObjectInvalidError."""
        members: Any = members_of(
            value,
            pointer,
            required={"extension_type", "appeal", "step"},
            optional={"severity", "deadline", "outcome"},
        )
        note_id(members, "appeal", pointer)
        step = one_of(members, "step", pointer, APPEAL_STEPS)
        if "severity" in members:
            one_of(members, "severity", pointer, APPEAL_SEVERITIES)
        if "deadline" in members:
            timestamp(members, "deadline", pointer)
        if "outcome" in members:
            one_of(members, "outcome", pointer, APPEAL_OUTCOMES)
        if (step == "decided") != ("outcome" in members):
            message = "An outcome belongs to the step decided, and to no other."
            raise ObjectInvalidError("extension-value", message, f"{pointer}/outcome")
        return cls(**_without_type(members))

    def to_extension(self) -> dict[str, Any]:
        """The extension as it stands in an object."""
        return _as_extension(self)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A node's word to those who could read an object and now cannot.

    object, producer: whose copy of which object, because an observable has the same id for everybody. at: STIX
    timestamp text, as in the object.
    """

    object: str
    producer: str
    state: str
    at: str

    @classmethod
    def parse(cls, value: Any, pointer: str) -> Self:
        """Reads the extension. Raises: ObjectInvalidError."""
        members: Any = members_of(value, pointer, required={"extension_type", "object", "producer", "state", "at"})
        object_id(members, "object", pointer)
        identity_id(members, "producer", pointer)
        one_of(members, "state", pointer, WITHDRAWAL_STATES)
        timestamp(members, "at", pointer)
        return cls(**_without_type(members))

    def to_extension(self) -> dict[str, Any]:
        """The extension as it stands in an object."""
        return _as_extension(self)


_CODECS: Final[dict[str, tuple[type[Extension], frozenset[str]]]] = {
    ids.KEYS_EXTENSION: (Keys, frozenset({"identity"})),
    ids.DISTRIBUTION_EXTENSION: (Distribution, frozenset({"marking-definition"})),
    ids.SELECTOR_EXTENSION: (Selector, frozenset({"user-account"})),
    ids.RANGES_EXTENSION: (Ranges, frozenset({"infrastructure", "indicator"})),
    ids.FEEDBACK_EXTENSION: (Feedback, frozenset({"opinion", "sighting"})),
    ids.APPEAL_EXTENSION: (Appeal, frozenset({"note"})),
    ids.WITHDRAWAL_EXTENSION: (Withdrawal, frozenset({"note"})),
}


def check_extensions(members: Mapping[str, Any]) -> dict[str, Extension]:
    """Reads the extensions of ours on an object, by extension id. The signature extension is not among them.

    Raises:
        ObjectInvalidError: extension-type, extension-place, extension-not-an-object, extension-member-missing,
            extension-member-unknown, extension-value: each with a pointer into the object.
        KeyChainError: as `Keys.parse`.
    """
    extensions = members.get("extensions")
    if not isinstance(extensions, dict):
        return {}
    ours = [name for name in extensions if name in _CODECS]
    return {name: _read(name, extensions[name], members) for name in ours}


def _read(name: str, value: object, members: Mapping[str, Any]) -> Extension:
    codec, types = _CODECS[name]
    pointer = f"/extensions/{name}"
    if members.get("type") not in types:
        raise ObjectInvalidError("extension-place", f"This extension belongs on: {', '.join(sorted(types))}.", pointer)
    if isinstance(value, dict) and value.get("extension_type", _PROPERTY_EXTENSION) != _PROPERTY_EXTENSION:
        message = f"The extension_type must be {_PROPERTY_EXTENSION}."
        raise ObjectInvalidError("extension-type", message, f"{pointer}/extension_type")
    extension = codec.parse(value, pointer)
    _check_carrier(extension, members, pointer)
    return extension


def _check_carrier(extension: Extension, members: Mapping[str, Any], pointer: str) -> None:
    """What an extension asks of the object that carries it."""
    if isinstance(extension, Keys):
        one_of({"identity_class": None, **members}, "identity_class", "", {"organization", "system"})
    elif isinstance(extension, Selector):
        one_of({"account_type": None, **members}, "account_type", "", {"llm-api"})
        matching({"user_id": None, **members}, "user_id", "", _SELECTOR_OUTPUT, "128 lower-case hexadecimal digits")
    elif isinstance(extension, Feedback) and extension.reason is None and members.get("type") == "opinion":
        raise ObjectInvalidError("extension-member-missing", "An opinion needs a reason.", pointer)


def _without_type(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name != "extension_type"}


def _as_extension(extension: Any) -> dict[str, Any]:
    values = ((name, getattr(extension, name)) for name in extension.__slots__)
    return {"extension_type": _PROPERTY_EXTENSION, **{name: value for name, value in values if value is not None}}
