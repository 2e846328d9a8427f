"""Reasons of requests and decisions: one line that a person of the other lab reads, and that may hold anything.

Invisible and direction-changing characters are refused, and so is what the agreement refuses in any text.
"""

from __future__ import annotations

from attribution.models.onward import MAX_REASON_CHARS
from exchange.services.errors import InvalidRequestError, OutOfScopeError
from exchange.services.scope_agreement import agreement
from exchange.services.scope_texts import find_refusal, readable

POINTER = "/reason"


def check_reason(text: str, *, may_be_empty: bool = False) -> str:
    """The reason, as it came.

    Raises:
        InvalidRequestError: empty, too long, or not printable on one line.
        OutOfScopeError: it holds personal data, or what else the agreement refuses in a text.
    """
    if not text.strip() and not (may_be_empty and not text):
        raise _malformed("is empty")
    if len(text) > MAX_REASON_CHARS:
        raise _malformed(f"has more than {MAX_REASON_CHARS} characters")
    if not text.isprintable():
        raise _malformed("is one line of printable characters")
    found = find_refusal(readable(text), agreement())
    if found is not None:
        rule, detail = found
        raise OutOfScopeError(rule=rule, pointer=POINTER, detail=f"{detail} Rule: {agreement().rules[rule]}")
    return text


def _malformed(fault: str) -> InvalidRequestError:
    return InvalidRequestError(f"the reason {fault}", code="onward-order", pointer=POINTER)
