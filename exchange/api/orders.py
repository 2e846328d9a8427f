"""Small JSON bodies that ask for something: read strictly, and refused with a pointer to the member at fault."""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec
from django.http import HttpRequest

from exchange.api.endpoint import JSON
from exchange.http.bodies import media_type_of, read_body
from exchange.http.errors import UnsupportedMediaTypeError
from exchange.services.errors import InvalidRequestError
from exchange.stix.reading import read_object

MAX_DETAIL_CHARS: Final = 200
"""A detail may name an unknown member, and a member's name may be anything."""

Order = TypeVar("Order", bound=msgspec.Struct)


def order_body(request: HttpRequest, *, max_body_bytes: int) -> bytes:
    """The bytes of such a body.

    Raises:
        UnsupportedMediaTypeError: it is not said to be JSON. ExchangeError: as `read_body`.
    """
    if media_type_of(request) != JSON:
        raise UnsupportedMediaTypeError(f"send {JSON}")
    return read_body(request, max_body_bytes=max_body_bytes)


def read_order(body: bytes, kind: type[Order], *, code: str) -> Order:
    """The body as an order of this kind. code: of the refusal.

    Raises:
        StixError: not I-JSON, or not an object. InvalidRequestError: a member is missing, unknown or of another type.
    """
    members = read_object(body).members
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        fault, _, place = str(error).partition(" - at `$")
        pointer = re.sub(r"\.|\[(?=[0-9])", "/", place.rstrip("`").replace("[...]", "")).replace("]", "")
        detail = fault.replace("`", "")[:MAX_DETAIL_CHARS]
        raise InvalidRequestError(detail, code=code, pointer=pointer) from None
