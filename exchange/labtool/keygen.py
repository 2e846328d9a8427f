"""A new lab or node: root key, signing key, and the identity that both of them sign.

wire-format, "Keys". The root key is for a drawer; the signing key is for every day. Where the exchange keeps the
signing key, the lab makes its root key and a draft of the identity, which the node completes. Nothing here talks to
a node; publishing the identity and pinning its root at the node are steps of their own.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from exchange.labtool.errors import DataError
from exchange.labtool.files import PUBLIC_FILE, write_file
from exchange.labtool.key_files import IDENTITY_FILE, ROOT_KEY_FILE, SIGNING_KEY_FILE, write_key_file
from exchange.stix.extensions import Home, Keys
from exchange.stix.fixed import KEYS_EXTENSION
from exchange.stix.keys import Custody, PublicKey, SigningKey, unix_seconds
from exchange.stix.markings import Tlp
from exchange.stix.signature import sign_identity
from exchange.stix.timestamps import format_stix

# A key a year, and another year to notice that it was not renewed.
SIGNING_KEY_LIFETIME: Final = timedelta(days=730)
# The key must be valid for a node whose clock is behind ours by what signatures may be ahead (wire-format).
BACKDATED: Final = timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class LabDraft:
    """The root key of a lab whose signing key a node keeps, and the identity that only the root has signed."""

    root: SigningKey
    signing_kid: str
    identity_id: str
    identity_bytes: bytes


IdentityClass = Literal["organization", "system"]


@dataclass(frozen=True, slots=True)
class LabKeys:
    """A lab's keys and its signed identity. The reprs show no secret."""

    root: SigningKey
    signing: SigningKey
    identity_id: str
    identity_bytes: bytes


def make_lab(
    name: str,
    *,
    contact: str | None = None,
    now: datetime,
    home: Sequence[Home] = (),
    marking: Tlp = Tlp.GREEN,
) -> LabKeys:
    """Make fresh keys and the identity of a lab that keeps its signing key.

    contact: how to reach the lab, published as `contact_information`.
    """
    root, signing = SigningKey.generate("root"), SigningKey.generate("sig")
    identity_id = f"identity--{uuid.uuid4()}"
    identity = make_identity(
        name, root, signing, "lab", marking, now=now, identity_id=identity_id, home=home, contact=contact
    )
    return LabKeys(root, signing, identity_id, identity)


def make_lab_draft(
    name: str,
    exchange_key: PublicKey,
    *,
    contact: str | None = None,
    now: datetime,
    home: Sequence[Home] = (),
    marking: Tlp = Tlp.GREEN,
) -> LabDraft:
    """Make a root key, and the draft of the identity of a lab whose signing key a node keeps.

    Raises: DataError as `make_identity_draft`.
    """
    root, identity_id = SigningKey.generate("root"), f"identity--{uuid.uuid4()}"
    draft = make_identity_draft(
        name, root, exchange_key, marking, now=now, identity_id=identity_id, home=home, contact=contact
    )
    return LabDraft(root, exchange_key.kid, identity_id, draft)


def make_identity(
    name: str,
    root: SigningKey,
    signing: SigningKey,
    custody: Custody,
    marking: Tlp,
    *,
    now: datetime,
    identity_class: IdentityClass = "organization",
    identity_id: str | None = None,
    home: Sequence[Home] = (),
    contact: str | None = None,
) -> bytes:
    """The bytes of a first version of an identity, signed by the root key and by the signing key.

    now: aware; the time of the version. home: the nodes that the lab calls home.
    """
    keys = (_root_part(root, now), _signing_part(signing, custody, now))
    members = _identity(name, keys, marking, now, identity_class, identity_id, home, contact)
    return to_bytes(sign_identity(members, [root, signing], unix_seconds(now)))


def make_identity_draft(
    name: str,
    root: SigningKey,
    exchange_key: PublicKey,
    marking: Tlp,
    *,
    now: datetime,
    identity_id: str | None = None,
    home: Sequence[Home] = (),
    contact: str | None = None,
) -> bytes:
    """The bytes of a first version of a lab's identity, signed by the root key alone.

    It lists `exchange_key`, the public part of a signing key that a node keeps. Nobody believes it before the node
    has added the signature by that key.

    Raises: DataError for a key that is no signing key in the custody of an exchange.
    """
    if exchange_key.use != "sig" or exchange_key.custody != "exchange":
        raise DataError("the exchange's key must have the use `sig` and the custody `exchange`")
    keys = (_root_part(root, now), exchange_key)
    members = _identity(name, keys, marking, now, "organization", identity_id, home, contact)
    return to_bytes(sign_identity(members, [root], unix_seconds(now)))


def _identity(
    name: str,
    keys: tuple[PublicKey, ...],
    marking: Tlp,
    now: datetime,
    identity_class: IdentityClass,
    identity_id: str | None,
    home: Sequence[Home],
    contact: str | None,
) -> dict[str, Any]:
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": identity_id or f"identity--{uuid.uuid4()}",
        "created": format_stix(now),
        "modified": format_stix(now),
        "name": name,
        "identity_class": identity_class,
        **({"contact_information": contact} if contact else {}),
        "object_marking_refs": [marking.marking_id],
        "extensions": {KEYS_EXTENSION: Keys(keys, tuple(home)).to_extension()},
    }


def save_lab(lab: LabKeys, folder: Path) -> None:
    """Write root key, signing key and identity into a folder, overwriting nothing.

    Raises: DataError where one of the three is there already.
    """
    _save({ROOT_KEY_FILE: lab.root, SIGNING_KEY_FILE: lab.signing}, lab.identity_bytes, folder)


def save_draft(draft: LabDraft, folder: Path) -> None:
    """Write root key and draft into a folder, overwriting nothing. Raises: DataError as `save_lab`."""
    _save({ROOT_KEY_FILE: draft.root}, draft.identity_bytes, folder)


def _save(keys: Mapping[str, SigningKey], identity: bytes, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    present = [name for name in (*keys, IDENTITY_FILE) if (folder / name).exists() or (folder / name).is_symlink()]
    if present:
        raise DataError(f"{folder / present[0]} is already there; nothing is overwritten")
    for name, key in keys.items():
        write_key_file(folder / name, key)
    write_file(folder / IDENTITY_FILE, identity + b"\n", mode=PUBLIC_FILE)


def to_bytes(members: dict[str, Any]) -> bytes:
    """An object of ours as one line of JSON, members in their order."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def _root_part(root: SigningKey, now: datetime) -> PublicKey:
    return root.public(nbf=unix_seconds(now - BACKDATED))


def _signing_part(signing: SigningKey, custody: Custody, now: datetime) -> PublicKey:
    begins, ends = unix_seconds(now - BACKDATED), unix_seconds(now + SIGNING_KEY_LIFETIME)
    return signing.public(nbf=begins, exp=ends, custody=custody)
