"""The way of a request through the door, with resources made up for the test."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

import psycopg
import pytest
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory

from exchange.services.errors import NotFoundError
from exchange.services.principals import Principal
from exchange.services.roots import ROOT_NOT_FOUND
from exchange.taxii.answers import resource_response
from exchange.taxii.endpoint import endpoint
from exchange.taxii.media_types import TAXII

SECRET = "password=hunter2"


def here(_principal: Principal, _names: Mapping[str, str]) -> str:
    return "thing"


def show(_request: HttpRequest, _principal: Principal, thing: str) -> HttpResponse:
    return resource_response({"title": thing})


def raising(error: Exception) -> HttpResponse:
    def fail(_principal: Principal, _names: Mapping[str, str]) -> str:
        raise error

    return endpoint(fail, GET=show)(RequestFactory().get("/", headers={"Accept": TAXII}))


def test_a_fault_of_ours_is_an_error_resource_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        response = raising(RuntimeError(SECRET))
    assert response.status_code == 500
    assert response["Content-Type"] == TAXII
    resource = json.loads(response.content)
    assert resource["http_status"] == "500"
    assert resource["error_id"]
    assert SECRET not in response.content.decode()


@pytest.mark.parametrize("error", [OperationalError(SECRET), psycopg.OperationalError(SECRET)])
def test_without_a_database_the_client_is_asked_to_come_again(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL):
        response = raising(error)
    assert response.status_code == 503
    assert response["Retry-After"]
    assert SECRET not in response.content.decode()


def test_the_methods_are_those_that_have_a_handler() -> None:
    response = endpoint(here, GET=show)(RequestFactory().post("/", headers={"Accept": TAXII}))
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    response = endpoint(here, GET=show, POST=show)(RequestFactory().put("/", headers={"Accept": TAXII}))
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST")


def test_what_is_not_acceptable_is_said_before_what_is_not_allowed() -> None:
    assert endpoint(here, GET=show)(RequestFactory().put("/")).status_code == 406


def test_absent_is_a_challenge_to_nobody() -> None:
    assert raising(NotFoundError("no")).status_code == 401


def test_a_path_of_no_api_root_is_this_doors_only_for_clients_that_name_taxii() -> None:
    def lost(_principal: Principal, _names: Mapping[str, str]) -> str:
        raise NotFoundError("no", code=ROOT_NOT_FOUND)

    view = endpoint(lost, GET=show)
    assert view(RequestFactory().get("/", headers={"Accept": TAXII})).status_code == 401
    with pytest.raises(Http404):
        view(RequestFactory().get("/", headers={"Accept": "text/html,*/*;q=0.8"}))
