"""Signing objects: for the lab tool, for keys that an exchange keeps, and for a node's own notes.

It makes signatures that verification will accept and refuses to make others. It does not decide who may ask for one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from exchange.stix.errors import SignatureError
from exchange.stix.extension_ids import KEYS_EXTENSION
from exchange.stix.keys import SigningKey
from exchange.stix.signature_header import Header, signing_input
from exchange.stix.signature_payload import SignatureEntry, attach, payload_of


def sign(members: Mapping[str, Any], key: SigningKey, iat: int) -> dict[str, Any]:
    """A copy of the object signed with a lab's or node's signing key; an older signature is replaced.

    ``iat``: seconds since 1970.

    Raises:
        SignatureError: signature-key-use for a root key, or for an identity with keys (see `sign_identity`);
            signature-extensions.
    """
    if key.use != "sig" or carries_keys(members):
        message = "Signing keys sign everything but identities with keys; root keys sign only those."
        raise SignatureError("signature-key-use", message)
    return attach(members, [make_entry(payload_of(members), key, iat)])


def sign_identity(members: Mapping[str, Any], keys: Sequence[SigningKey], iat: int) -> dict[str, Any]:
    """A copy of an identity with keys, signed by a root key first and then by each key that it introduces.

    Raises:
        SignatureError: signature-key-use where the first key is not a root key or the object carries no keys.
    """
    if not keys or keys[0].use != "root" or not carries_keys(members):
        raise SignatureError("signature-key-use", "An identity with keys is signed by a root key first.")
    payload = payload_of(members)
    return attach(members, [make_entry(payload, key, iat) for key in keys])


def make_entry(payload: bytes, key: SigningKey, iat: int) -> SignatureEntry:
    """One signature over a payload, whatever the key's use."""
    header = Header(kid=key.kid, iat=iat)
    protected = header.to_protected()
    return SignatureEntry(header, protected, key.sign(signing_input(protected, payload)))


def carries_keys(members: Mapping[str, Any]) -> bool:
    """Whether the object is an identity that publishes keys: the one kind that root keys sign."""
    extensions = members.get("extensions")
    return isinstance(extensions, dict) and KEYS_EXTENSION in extensions
