"""The table from a refusal to an HTTP status, at both doors."""

from __future__ import annotations

import json

import pytest
from django.db import OperationalError
from django.http import Http404
from rest_framework.exceptions import NotAcceptable

from exchange.api import problems
from exchange.http.errors import UnsupportedMediaTypeError
from exchange.services import errors
from exchange.services.idempotency import KeyReusedError
from exchange.stix.errors import MalformedJsonError, SignatureError
from exchange.taxii import answers

TABLE: list[tuple[errors.ExchangeError | MalformedJsonError | SignatureError, int, int]] = [
    (errors.InvalidRequestError("x"), 400, 400),
    (MalformedJsonError("syntax", "x"), 400, 400),
    (errors.NotAuthenticatedError("x"), 401, 401),
    (errors.AccessDeniedError("x"), 403, 403),
    (errors.NotFoundError("x"), 404, 404),
    (errors.ConflictError("x"), 409, 422),
    (errors.TooLargeError("x"), 413, 413),
    (UnsupportedMediaTypeError("x"), 415, 415),
    (errors.PolicyError("x"), 422, 422),
    (errors.OutOfScopeError(rule="r", pointer="/a", detail="x"), 422, 422),
    (SignatureError("signature-wrong", "x"), 422, 422),
    (KeyReusedError("x"), 422, 400),
    (errors.NotReadyError("x"), 503, 503),
    (errors.ExchangeError("x"), 400, 400),
]


@pytest.mark.parametrize(("error", "rest", "taxii"), TABLE)
def test_a_refusal_has_its_status(
    error: errors.ExchangeError | MalformedJsonError | SignatureError, rest: int, taxii: int
) -> None:
    problem = json.loads(problems.handle_exception(error, None).content)
    assert problem["status"] == problems.handle_exception(error, None).status_code == rest
    assert problem["type"] == f"urn:commonwatch:problem:{error.code}"
    assert problem["detail"] == "x"
    assert problem.get("pointer", "") == error.pointer
    resource = json.loads(answers.error_response(error).content)
    assert resource["http_status"] == str(answers.error_response(error).status_code) == str(taxii)
    assert resource["title"]


def test_a_fault_of_ours_tells_nothing_of_itself() -> None:
    response = problems.handle_exception(RuntimeError("password=secret at /srv/file.py"), None)
    assert response.status_code == 500
    assert json.loads(response.content) == {
        "type": "urn:commonwatch:problem:internal", "title": "Internal error", "status": 500
    }  # fmt: skip


def test_without_a_database_the_client_is_asked_to_come_again() -> None:
    response = problems.handle_exception(OperationalError("password=secret"), None)
    assert response.status_code == 503
    assert response["Retry-After"]
    assert "secret" not in response.content.decode()


def test_what_frameworks_refuse_becomes_a_problem_too() -> None:
    assert json.loads(problems.handle_exception(Http404(), None).content)["type"].endswith(":not-found")
    response = problems.handle_exception(NotAcceptable(), None)
    assert response.status_code == 406
    assert json.loads(response.content)["type"] == "urn:commonwatch:problem:not-acceptable"
