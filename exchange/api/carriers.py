"""The object that carries what is asked for: a playbook, a rule. What it carries is the door's question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from exchange.api.authentication import principal_of
from exchange.api.endpoint import query_of
from exchange.api.filters import read_producer
from exchange.api.publication import DOOR
from exchange.http.parameters import Parameters
from exchange.services.collections import visible_everywhere
from exchange.services.query import read_object
from exchange.services.query.object import several_producers
from exchange.stix.reading import read_object as parse_object


def members_of(request: Request, stix_id: str) -> Mapping[str, Any]:
    """The members of the object that the reader may read under this id; none if `producer` has no such object.

    Raises:
        NotFoundError: no such object for this reader. InvalidRequestError: several producers have an object of this
            id, and none is named.
    """
    principal, parameters = principal_of(request), Parameters(query_of(request))
    parameters.allow_only({"producer"})
    producer = read_producer(parameters)
    found = read_object(principal=principal, stix_id=stix_id, door=DOOR, collections=visible_everywhere(principal))
    entries = [entry for entry in found if producer in ("", entry.producer)]
    if len(entries) > 1:
        raise several_producers()
    return parse_object(entries[0].body).members if entries else {}
