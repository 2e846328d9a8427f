"""What publishing answers by REST: a result for each object, or one problem where every object failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from exchange.api.problems import detail_of, encoded, problem, status_of
from exchange.services.errors import ExchangeError
from exchange.services.idempotency import KeptAnswer
from exchange.services.publishing import Outcome, OutcomeStatus
from exchange.stix.errors import StixError

SHARED_STATUSES: Final = frozenset({403, 409, 413})
"""Statuses that say more than 422; they stand for a whole request when every object failed with the same one."""

OBJECT_TOO_LARGE: Final = "too-large"
"""The code of an object over its own limit (exchange/stix/reading.py)."""

_NEW: Final = frozenset({OutcomeStatus.STORED, OutcomeStatus.HELD})


def answer_of(outcomes: Sequence[Outcome]) -> KeptAnswer:
    """Status and bytes of the answer to a publication."""
    errors = [(outcome, outcome.error) for outcome in outcomes if outcome.error is not None]
    if len(errors) == len(outcomes):
        refusal = _refusal(errors)
        return KeptAnswer(refusal["status"], encoded(refusal))
    status = 201 if any(outcome.status in _NEW for outcome in outcomes) else 200
    return KeptAnswer(status, encoded({"results": results_of(outcomes)}))


def results_of(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """A result for each object, in their order."""
    return [_result(outcome) for outcome in outcomes]


def _result(outcome: Outcome) -> dict[str, Any]:
    warnings = [{"code": code, "pointer": pointer, "detail": text} for code, pointer, text in outcome.warnings]
    return {
        "id": outcome.id,
        "version": outcome.version,
        "status": str(outcome.status),
        # Filled when the transparency log is there (docs/api.md).
        "log": None,
        "error": _fault(outcome.error) if outcome.error is not None else None,
        "warnings": warnings,
    }


def _refusal(errors: Sequence[tuple[Outcome, ExchangeError | StixError]]) -> dict[str, Any]:
    """One problem; `errors` names each object by its place, with a pointer into it."""
    statuses = {_status_of(error) for _, error in errors}
    status = statuses.pop() if len(statuses) == 1 else 422
    codes = {error.code for _, error in errors}
    code, first = errors[0][1].code if len(codes) == 1 else "objects-refused", errors[0][1]
    title = status_of(first)[1] if len(codes) == 1 else "Every object was refused"
    detail = detail_of(first) if len(errors) == 1 else f"{len(errors)} objects were refused, each as errors says"
    found = problem(code, title, status if status in SHARED_STATUSES else 422, detail)
    listed = [{"index": outcome.index, "id": outcome.id, **_fault(error)} for outcome, error in errors]
    return found | {"errors": listed}


def _status_of(error: ExchangeError | StixError) -> int:
    return 413 if isinstance(error, StixError) and error.code == OBJECT_TOO_LARGE else status_of(error)[0]


def _fault(error: ExchangeError | StixError) -> Mapping[str, str]:
    return {"code": error.code, "pointer": error.pointer, "detail": detail_of(error)}
