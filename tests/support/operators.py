"""An operator at the operators' pages, signed in with both factors."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache
from django.test import Client
from django_otp.oath import totp

from exchange.models import Person
from exchange.services.labs import create_person
from exchange.services.principals import OPERATOR

PASSWORD = "a long enough password"


@contextmanager
def operators_site() -> Iterator[Client]:
    """Olga's browser. Failures of sign-in are counted in the cache, which is empty before and afterwards."""
    cache.clear()
    operator = create_person(actor=OPERATOR, username="olga", role=Person.Role.OPERATOR, password=PASSWORD)
    client = Client()
    code = f"{totp(base64.b32decode(operator.totp_secret)):06d}"
    values = {"username": "olga", "password": PASSWORD, "otp_token": code}
    assert client.post("/admin/login/?next=/admin/", values).status_code == 302
    yield client
    cache.clear()
