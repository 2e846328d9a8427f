"""A new lab or node: root key, signing key, and the identity that both of them sign.

wire-format, "Keys". The root key is for a drawer; the signing key is for every day. Nothing here talks to a
node; publishing the identity and pinning its root at the node are steps of their own.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from exchange.labtool.errors import DataError
from exchange.labtool.files import write_file
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
    custody: Custody = "lab",
    marking: Tlp = Tlp.GREEN,
) -> LabKeys:
    """Make fresh keys and the identity of a lab.

    contact: how to reach the lab, published as `contact_information`. custody: "exchange" where the signing
    key will be handed to an operator.
    """
    root, signing = SigningKey.generate("root"), SigningKey.generate("sig")
    identity_id = f"identity--{uuid.uuid4()}"
    identity = make_identity(
        name, root, signing, custody, marking, now=now, identity_id=identity_id, home=home, contact=contact
    )
    return LabKeys(root, signing, identity_id, identity)


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
    members = {
        "type": "identity",
        "spec_version": "2.1",
        "id": identity_id or f"identity--{uuid.uuid4()}",
        "created": format_stix(now),
        "modified": format_stix(now),
        "name": name,
        "identity_class": identity_class,
        **({"contact_information": contact} if contact else {}),
        "object_marking_refs": [marking.marking_id],
        "extensions": {KEYS_EXTENSION: _keys(root, signing, custody, now, home).to_extension()},
    }
    return to_bytes(sign_identity(members, [root, signing], unix_seconds(now)))


def save_lab(lab: LabKeys, folder: Path) -> None:
    """Write root key, signing key and identity into a folder, overwriting nothing.

    Raises: DataError where one of the three is there already.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = (ROOT_KEY_FILE, SIGNING_KEY_FILE, IDENTITY_FILE)
    present = [name for name in names if (folder / name).exists() or (folder / name).is_symlink()]
    if present:
        raise DataError(f"{folder / present[0]} is already there; nothing is overwritten")
    write_key_file(folder / ROOT_KEY_FILE, lab.root)
    write_key_file(folder / SIGNING_KEY_FILE, lab.signing)
    write_file(folder / IDENTITY_FILE, lab.identity_bytes + b"\n")


def to_bytes(members: dict[str, Any]) -> bytes:
    """An object of ours as one line of JSON, members in their order."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def _keys(root: SigningKey, signing: SigningKey, custody: Custody, now: datetime, home: Sequence[Home]) -> Keys:
    nbf = unix_seconds(now - BACKDATED)
    exp = unix_seconds(now + SIGNING_KEY_LIFETIME)
    listed: tuple[PublicKey, ...] = (root.public(nbf=nbf), signing.public(nbf=nbf, exp=exp, custody=custody))
    return Keys(listed, tuple(home))
