"""Tokens in Authorization headers."""

from __future__ import annotations

import base64

import pytest

from exchange.http.credentials import secret_in
from exchange.services.errors import NotAuthenticatedError


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        "Bearer cwt_1",
        "bearer  cwt_1",
        basic("aurora:cwt_1"),
        basic(":cwt_1"),
        basic("cwt_1:cwt_1"),
        basic("a:cwt_1").lower().split(" ")[0] + " " + basic("a:cwt_1").split(" ")[1],
    ],
)
def test_the_token_is_found_under_both_schemes(header: str) -> None:
    assert secret_in(header) == "cwt_1"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "cwt_1", "Digest cwt_1", "Basic ???", "Basic /w==", "Bearer " + "x" * 5000],
)
def test_what_is_neither_is_refused(header: str) -> None:
    with pytest.raises(NotAuthenticatedError):
        secret_in(header)
