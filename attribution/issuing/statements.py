"""What an issuer says of its epochs: a note signed by the node, which every client can verify against its pins.

Pure: makes and reads the note's members. It signs and verifies nothing, and knows no clock. docs/selectors.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from attribution.voprf import group
from exchange.stix.canonical import canonicalize
from exchange.stix.errors import ObjectInvalidError, StixError
from exchange.stix.extensions import SELECTOR_SCHEME
from exchange.stix.identifiers import create_id
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import format_stix, parse_timestamp

ABSTRACT: Final = "Epochs of the issuer of selectors"
"""What tells this note from any other that a node signs."""

STATES: Final = ("current", "accepted", "ended")
MAX_EPOCHS: Final = 1_200
"""A century of months."""

_EPOCH: Final = re.compile("[0-9]{4}-(0[1-9]|1[0-2])")
_PUBLIC_KEY: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch as the issuer states it. began, ends: aware; ends is None while the epoch is current."""

    name: str
    public_key: bytes
    state: str
    began: datetime
    ends: datetime | None

    def is_open_at(self, when: datetime) -> bool:
        """Whether values are evaluated and selectors accepted in it at that time."""
        return self.state != "ended" and (self.ends is None or when < self.ends)

    def to_json(self) -> dict[str, str | None]:
        """The epoch as it stands in the statement and in answers."""
        return {
            "epoch": self.name,
            "public_key": self.public_key.hex(),
            "state": self.state,
            "began": format_stix(self.began),
            "ends": None if self.ends is None else format_stix(self.ends),
        }


@dataclass(frozen=True, slots=True)
class Statement:
    """All epochs of an issuer, the newest first, at a time (aware). issuer: identity id of the node."""

    issuer: str
    at: datetime
    epochs: tuple[Epoch, ...]

    @property
    def current(self) -> Epoch | None:
        """The epoch in which selectors are made now."""
        return next((epoch for epoch in self.epochs if epoch.state == "current"), None)

    def open_epochs(self) -> tuple[Epoch, ...]:
        """Those that selectors may be of now."""
        return tuple(epoch for epoch in self.epochs if epoch.is_open_at(self.at))


def note_of(issuer: str, epochs: Sequence[Epoch], moment: datetime) -> dict[str, Any]:
    """The unsigned note that states the epochs."""
    at = format_stix(moment)
    content = {"v": 1, "scheme": SELECTOR_SCHEME, "issuer": issuer, "epochs": [each.to_json() for each in epochs]}
    return {
        "type": "note",
        "spec_version": "2.1",
        "id": create_id("note"),
        "created_by_ref": issuer,
        "created": at,
        "modified": at,
        "abstract": ABSTRACT,
        "content": canonicalize(content).decode(),
        "object_refs": [issuer],
        "object_marking_refs": [Tlp.CLEAR.marking_id],
    }


def read_note(members: Mapping[str, Any]) -> Statement:
    """What a note states. That its producer is the issuer, and signed it, is verified before by the caller.

    Raises:
        ObjectInvalidError (`selector-epochs`): it is no such note, or of another form than `note_of` makes.
    """
    try:
        return _read(members)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, StixError):
        raise ObjectInvalidError(
            "selector-epochs", "This is no statement of the epochs of an issuer.", "/content"
        ) from None


def _read(members: Mapping[str, Any]) -> Statement:
    content = orjson.loads(members["content"])
    issuer, listed = content["issuer"], content["epochs"]
    is_ours = members["type"] == "note" and members["abstract"] == ABSTRACT and content["v"] == 1
    is_whole = content["scheme"] == SELECTOR_SCHEME and issuer == members["created_by_ref"]
    if not (is_ours and is_whole and isinstance(listed, list) and len(listed) <= MAX_EPOCHS):
        raise ValueError
    epochs = tuple(_read_epoch(entry) for entry in listed)
    if len({epoch.name for epoch in epochs}) != len(epochs) or sum(e.state == "current" for e in epochs) > 1:
        raise ValueError
    return Statement(issuer, parse_timestamp(members["modified"]), epochs)


def _read_epoch(entry: Mapping[str, Any]) -> Epoch:
    name, public_key, state, ends = entry["epoch"], entry["public_key"], entry["state"], entry["ends"]
    if not (_EPOCH.fullmatch(name) and _PUBLIC_KEY.fullmatch(public_key) and state in STATES):
        raise ValueError
    key = bytes.fromhex(public_key)
    if not group.is_element(key) or (ends is None) != (state == "current"):
        raise ValueError
    return Epoch(name, key, state, parse_timestamp(entry["began"]), None if ends is None else parse_timestamp(ends))
