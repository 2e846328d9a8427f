"""Small JSON bodies that ask for something: read strictly, and refused with a pointer to the member at fault."""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec

from exchange.services.errors import InvalidRequestError
from exchange.stix.reading import read_object

MAX_DETAIL_CHARS: Final = 200
"""A detail may name an unknown member, and a member's name may be anything."""

Order = TypeVar("Order", bound=msgspec.Struct)


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
