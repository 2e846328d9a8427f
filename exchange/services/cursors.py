"""Cursors and tags of pages: opaque, authenticated, bound to the reader and the question.

A cursor holds a position in the sequence and nothing about audiences; rights are asked anew with every page. It
is encrypted, because a bare number would tell how much a reader does not see. It is bound to the collections that the
reader read with it: after a grant has come or gone, what became visible lies behind the position, so the reader is
told to start again (docs/sharing.md).
"""

from __future__ import annotations

import base64
import hashlib
import os
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from exchange.services.errors import InvalidRequestError
from exchange.services.principals import Principal


class Reach(Protocol):
    """The collections that a reader reads, and those among them where it is anybody."""

    @property
    def sources(self) -> Sequence[int]: ...
    @property
    def open_sources(self) -> Sequence[int]: ...


SEQ_BYTES = 8
BINDING_BYTES = 16
NONCE_BYTES = 12
"""RFC 8439 section 2.8. Random ones meet after some 2^48 cursors under one key."""


def make_cursor(principal: Principal, question: dict[str, object], view: Reach, seq: int) -> str:
    """The text that continues after `seq` for this reader and this question (collection and filters)."""
    nonce = os.urandom(NONCE_BYTES)
    content = seq.to_bytes(SEQ_BYTES, "big") + _binding(principal, question) + _reach(view)
    return base64.urlsafe_b64encode(nonce + _box().encrypt(nonce, content, None)).decode().rstrip("=")


def read_cursor(principal: Principal, question: dict[str, object], view: Reach, cursor: str) -> int:
    """The position of a cursor.

    Raises:
        InvalidRequestError: forged, of another reader, of another question, or from before a change of grants.
    """
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars="-_", validate=True)
        opened = _box().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
    except (InvalidTag, ValueError):
        raise InvalidRequestError("the cursor is not valid; start again", code="cursor", pointer="next") from None
    position, binding = opened[:SEQ_BYTES], opened[SEQ_BYTES : SEQ_BYTES + BINDING_BYTES]
    if binding != _binding(principal, question):
        raise InvalidRequestError("the cursor belongs to another request; start again", code="cursor", pointer="next")
    if opened[SEQ_BYTES + BINDING_BYTES :] != _reach(view):
        raise InvalidRequestError(
            "the collections that you may read have changed; start again", code="cursor", pointer="next"
        )
    return int.from_bytes(position, "big")


def pack_places(seqs: Sequence[int]) -> bytes:
    """Numbers of the sequence as `make_tag` takes them."""
    return struct.pack(f">{len(seqs)}q", *seqs)


def make_tag(principal: Principal, question: dict[str, object], view: Reach, places: bytes, *, more: bool) -> str:
    """What tells an answer with these numbers from every other answer to this reader and question.

    Keyed: the numbers themselves cannot be tried out. A change of grants makes another tag, because it ends cursors.
    """
    place = _binding(principal, question) + _reach(view) + bytes([more])
    digest = hashlib.blake2b(places, key=_tag_key(), digest_size=BINDING_BYTES)
    digest.update(place)
    return base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")


def _binding(principal: Principal, question: dict[str, object]) -> bytes:
    who = [str(principal.kind), principal.lab_id, principal.person_id, *_crossing(principal)]
    return hashlib.sha256(_encoded({"who": who, "question": question})).digest()[:BINDING_BYTES]


def _crossing(principal: Principal) -> list[object]:
    """What may cross to a peer: when that changes, what became visible may lie behind its position."""
    peer = principal.peer
    if peer is None:
        return []
    return [peer.community, peer.highest_label, sorted(peer.residents), sorted(peer.exclusive)]


def _reach(view: Reach) -> bytes:
    reach = {"sources": sorted(view.sources), "open": sorted(view.open_sources)}
    return hashlib.sha256(_encoded(reach)).digest()[:BINDING_BYTES]


def _encoded(value: Mapping[str, object]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


@lru_cache(maxsize=1)
def _box() -> ChaCha20Poly1305:
    return ChaCha20Poly1305(_derived(b"commonwatch cursors"))


@lru_cache(maxsize=1)
def _tag_key() -> bytes:
    return _derived(b"commonwatch tags")


def _derived(purpose: bytes) -> bytes:
    derived: bytes = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(settings.SECRET_KEY.encode())
    return derived
