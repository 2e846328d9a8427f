"""The protected header of our signatures: JWS with a detached, unencoded payload (RFC 7515, RFC 7797).

One header form and one algorithm exist. The header says which key signed and when the signer claims to have done so; it
never chooses how the signature is checked.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from exchange.stix import keys_encoding as base64url
from exchange.stix.errors import SignatureError, shown
from exchange.stix.extensions_fields import MAX_UNIX_SECONDS
from exchange.stix.keys import ALGORITHM, is_thumbprint

#: The header's own text has about 110 characters; others may add whitespace, but not a book.
MAX_PROTECTED_CHARS = 512

_MEMBERS = frozenset({"alg", "b64", "crit", "iat", "kid"})


@dataclass(frozen=True, slots=True)
class Header:
    """What a protected header says: the key's thumbprint and the signing time (seconds since 1970)."""

    kid: str
    iat: int

    def to_protected(self) -> str:
        """The header as we write it: canonical JSON, base64url."""
        text = f'{{"alg":"{ALGORITHM}","b64":false,"crit":["b64"],"iat":{self.iat},"kid":"{self.kid}"}}'
        return base64url.encode(text.encode("ascii"))


def signing_input(protected: str, payload: bytes) -> bytes:
    """The bytes that are signed (RFC 7797 section 3, ``b64`` false): the payload as it is, after the header."""
    return protected.encode("ascii") + b"." + payload


def parse_protected(protected: object, pointer: str) -> Header:
    """Reads a protected header that has exactly our five members.

    Raises:
        SignatureError: signature-header, signature-algorithm, signature-unknown-member.
    """
    if not isinstance(protected, str) or len(protected) > MAX_PROTECTED_CHARS:
        message = f"A text of at most {MAX_PROTECTED_CHARS} characters is expected here."
        raise SignatureError("signature-header", message, pointer)
    outcome = _parse(protected)
    if isinstance(outcome, Header):
        return outcome
    code, message = outcome
    raise SignatureError(code, message, pointer)


# A lab signs a batch within one second: most headers of a batch are the same text.
@lru_cache(maxsize=4096)
def _parse(protected: str) -> Header | tuple[str, str]:
    """The header, or the code and the message of what is wrong with it."""
    text = base64url.decode(protected)
    if text is None:
        return "signature-header", "The header is not base64url without padding."
    try:
        members = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        return "signature-header", "The header is not a JSON object with unique names."
    return _check(members)


def _check(members: dict[str, object]) -> Header | tuple[str, str]:
    if members.get("alg", ALGORITHM) != ALGORITHM:
        return "signature-algorithm", f"The algorithm must be {ALGORITHM}."
    unknown = sorted(members.keys() - _MEMBERS)
    if unknown:
        return "signature-unknown-member", f"The header has the unknown member {shown(unknown[0])}."
    missing = sorted(_MEMBERS - members.keys())
    if missing:
        return "signature-header", f"The header lacks the member {missing[0]}."
    if members["b64"] is not False or members["crit"] != ["b64"]:
        return "signature-header", 'The header must say "b64":false and "crit":["b64"].'
    iat = members["iat"]
    if type(iat) is not int or not 0 <= iat <= MAX_UNIX_SECONDS:
        return "signature-header", "The header's iat must be whole seconds since 1970."
    if not is_thumbprint(members["kid"]):
        return "signature-header", "The header's kid must be an RFC 7638 thumbprint."
    return Header(kid=cast(str, members["kid"]), iat=iat)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members
