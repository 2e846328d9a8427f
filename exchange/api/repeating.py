"""Doing a request's work once under an Idempotency-Key, and answering the same when the request comes again."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest

from exchange.services.idempotency import KeptAnswer, claim_key, keep_answer, release_key, request_digest
from exchange.services.principals import Principal


def answer_once(
    principal: Principal, request: HttpRequest, body: bytes, work: Callable[[], KeptAnswer], *, is_secret: bool = False
) -> KeptAnswer:
    """Do the work, or answer what it answered when the key came before. Without a key the work is simply done.

    Two requests are the same by address, query and body; where the answer holds a secret, by the token that asks too,
    so that no other token of the lab gets it.

    Raises:
        ExchangeError: as `claim_key`, and as the work; an error of the work is not kept.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return work()
    query = request.META.get("QUERY_STRING", "")
    asker = principal.token_prefix if is_secret else ""
    digest = request_digest(request.path.encode(), query.encode(), body, *([asker.encode()] if asker else []))
    kept = claim_key(principal=principal, key=key, digest=digest, is_sealed=is_secret)
    if kept is not None:
        return kept
    try:
        answer = work()
    except BaseException:
        release_key(principal=principal, key=key)
        raise
    keep_answer(principal=principal, key=key, answer=answer, is_sealed=is_secret)
    return answer
