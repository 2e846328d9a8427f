"""Key files: private JSON Web Keys that only their owner can read, and the identity that goes with them.

No message here carries the content of a file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from exchange.labtool.errors import DataError
from exchange.labtool.files import create_secret_file, read_file
from exchange.stix.errors import StixError
from exchange.stix.extensions import Keys
from exchange.stix.fixed import KEYS_EXTENSION
from exchange.stix.keys import PublicKey, SigningKey, parse_public_key
from exchange.stix.limits import MAX_OBJECT_BYTES
from exchange.stix.reading import RawObject, read_object

MAX_KEY_FILE_BYTES: Final = 16 * 1024
ROOT_KEY_FILE: Final = "root-key.json"
SIGNING_KEY_FILE: Final = "signing-key.json"
IDENTITY_FILE: Final = "identity.json"
_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key as read. `is_exposed`: others on this machine may read or change the file."""

    key: SigningKey
    path: Path
    is_exposed: bool


def read_key_file(path: Path) -> KeyFile:
    """Read a private key. Raises: DataError."""
    try:
        data = read_file(path, max_bytes=MAX_KEY_FILE_BYTES)
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise DataError(f"no such key file: {path}") from None
    try:
        key = SigningKey.from_text(data.decode("utf-8"))
    except UnicodeDecodeError:
        key = None
    except StixError as error:
        raise DataError(f"{path} is not a key file: {error}") from None
    if key is None:
        # Raised out here: the decoder's own error carries the bytes of the file.
        raise DataError(f"{path} is not a key file: it is not text")
    return KeyFile(key, path, bool(mode & _OTHERS))


def read_exchange_key(path: Path) -> PublicKey:
    """Read the public JWK of a signing key that a node keeps, as its `create_exchange_key` printed it.

    Raises: DataError; also for a file that holds a secret, which nobody should have sent.
    """
    try:
        value = orjson.loads(read_file(path, max_bytes=MAX_KEY_FILE_BYTES))
    except FileNotFoundError:
        raise DataError(f"no such key file: {path}") from None
    except orjson.JSONDecodeError:
        value = None
    try:
        return parse_public_key(value, "")
    except StixError as error:
        raise DataError(f"{path} is not a public key: {error}") from None


def write_key_file(path: Path, key: SigningKey) -> None:
    """Create a key file with mode 0600. Raises: DataError if something is there already."""
    create_secret_file(path, key.to_text().encode())


def read_identity(path: Path) -> RawObject:
    """Read an identity with keys from a file; nothing about it is verified. Raises: DataError."""
    try:
        identity = read_object(read_file(path, max_bytes=MAX_OBJECT_BYTES))
        keys_of(identity)
    except FileNotFoundError:
        raise DataError(f"no such identity file: {path}") from None
    except StixError as error:
        raise DataError(f"{path} is not an identity with keys: {error}") from None
    return identity


def keys_of(identity: RawObject) -> Keys:
    """The keys that an identity lists. Raises: StixError."""
    extensions = identity.members.get("extensions")
    value = extensions.get(KEYS_EXTENSION) if isinstance(extensions, dict) else None
    return Keys.parse(value, f"/extensions/{KEYS_EXTENSION}")


def identity_beside(key_file: KeyFile) -> str | None:
    """The id of the identity in the key's folder, if it lists this key: what keygen leaves there."""
    try:
        identity = read_identity(key_file.path.parent / IDENTITY_FILE)
    except DataError:
        return None
    listed = {key.kid for key in keys_of(identity).keys}
    return str(identity.members.get("id")) if key_file.key.kid in listed else None
