"""Answers kept under an Idempotency-Key, so that a repeated request does not do its work twice.

A claim commits before the work begins: of two requests at once, one works and the other is told so. Knows nothing of
what the work is; the answer is bytes and a number.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import connection

from exchange.models import IdempotentRequest
from exchange.services.clock import now
from exchange.services.errors import ConflictError, ExchangeError, InvalidRequestError
from exchange.services.principals import Principal
from exchange.services.sealing import seal, unseal

KEPT_FOR: Final = timedelta(hours=24)
"""docs/api.md: how long a key is honoured; retention.py removes what is older."""

ABANDONED_AFTER: Final = timedelta(minutes=5)
"""A claim without an answer is older than this only if its process died; the next request takes it over. Publishing
is idempotent by itself, so taking over too early would cost work and nothing else."""

_KEY: Final = re.compile("[\x21-\x7e]{1,200}")


class KeyReusedError(ExchangeError):
    """The key came with another request before."""

    default_code = "idempotency-key-reused"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What an earlier request with this key was answered."""

    status: int
    body: bytes


_CLAIM = """
INSERT INTO idempotency AS kept (lab_id, key, request_digest, created_at) VALUES (%(lab)s, %(key)s, %(digest)s, %(now)s)
ON CONFLICT (lab_id, key) DO UPDATE
    SET request_digest = excluded.request_digest, created_at = excluded.created_at, status = NULL, body = NULL
    WHERE kept.created_at < %(expired)s
       OR (kept.status IS NULL AND kept.created_at < %(abandoned)s AND kept.request_digest = excluded.request_digest)
RETURNING id
"""


def request_digest(*parts: bytes) -> bytes:
    """SHA-256 that tells requests apart, over the digests of their parts."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def claim_key(*, principal: Principal, key: str, digest: bytes, is_sealed: bool = False) -> KeptAnswer | None:
    """Begin work under a key of the principal's lab; None means that the caller does the work.

    After None the caller ends with `keep_answer` or `release_key`. is_sealed: as `keep_answer` is told.

    Raises:
        InvalidRequestError: the key is not 1 to 200 printable ASCII characters.
        ConflictError: the first request under this key is still at work.
        KeyReusedError: the key came with another request.
    """
    if _KEY.fullmatch(key) is None:
        raise InvalidRequestError("an Idempotency-Key has 1 to 200 printable ASCII characters", code="idempotency-key")
    moment = now()
    values = {"lab": principal.lab_id, "key": key, "digest": digest, "now": moment}
    values |= {"expired": moment - KEPT_FOR, "abandoned": moment - ABANDONED_AFTER}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        if cursor.fetchone() is not None:
            return None
    kept = _kept_answer(principal, key, digest)
    return KeptAnswer(kept.status, unseal(kept.body)) if is_sealed else kept


def _kept_answer(principal: Principal, key: str, digest: bytes) -> KeptAnswer:
    kept = IdempotentRequest.objects.filter(lab_id=principal.lab_id or 0, key=key).first()
    if kept is not None and bytes(kept.request_digest) != digest:
        raise KeyReusedError("this Idempotency-Key came with another request before")
    if kept is None or kept.status is None or kept.body is None:
        raise ConflictError("the first request with this Idempotency-Key is in progress", code="request-in-progress")
    return KeptAnswer(kept.status, bytes(kept.body))


def keep_answer(*, principal: Principal, key: str, answer: KeptAnswer, is_sealed: bool = False) -> None:
    """Keep the answer to the request that claimed the key, sealed where it holds a secret."""
    IdempotentRequest.objects.filter(lab_id=principal.lab_id or 0, key=key, status=None).update(
        status=answer.status, body=seal(answer.body) if is_sealed else answer.body
    )


def release_key(*, principal: Principal, key: str) -> None:
    """Forget a claim whose work gave no answer worth keeping, so that the request may come again."""
    IdempotentRequest.objects.filter(lab_id=principal.lab_id or 0, key=key, status=None).delete()
