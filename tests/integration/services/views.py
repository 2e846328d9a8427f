"""What a reader finds, and who the readers of these tests are besides lab tokens."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db import connections

from exchange.services.collections import find_collection, visible_everywhere
from exchange.services.errors import ExchangeError, NotFoundError
from exchange.services.labs import create_person
from exchange.services.principals import OPERATOR, Principal, PrincipalKind
from exchange.services.publishing import Outcome, OutcomeStatus
from exchange.services.query import Page, PageEntry, PageRequest, read_object, read_page
from exchange.stix.errors import StixError
from exchange.stix.extensions import Withdrawal, check_extensions
from exchange.stix.fixed import WITHDRAWAL_EXTENSION
from exchange.stix.markings import Tlp
from tests.support.labs import LabHandle

Members = dict[str, Any]


def page_of(principal: Principal, collection: str = "all", **asked: Any) -> Page:
    """One page, as a door asks for it."""
    view = find_collection(principal, collection)
    return read_page(principal=principal, collection=view, request=PageRequest(**{"limit": 1000, **asked}), door="test")


def members_of(entry: PageEntry) -> Members:
    members: Members = json.loads(entry.body)
    return members


def ids_of(page: Page) -> list[str]:
    return [members_of(entry)["id"] for entry in page.entries]


def visible(principal: Principal, collection: str = "all") -> set[str]:
    """Ids of what a reader finds in a collection."""
    return set(ids_of(page_of(principal, collection)))


def finds(principal: Principal, stix_id: str) -> bool:
    """Whether a reader gets an object by its id; pages and look-ups must agree."""
    try:
        found = read_object(
            principal=principal, stix_id=stix_id, door="test", collections=visible_everywhere(principal)
        )
    except NotFoundError:
        return False
    return bool(found)


def person_of(handle: LabHandle, *, fresh: bool = True) -> Principal:
    """A person of the lab, signed in to the web with or without a fresh second factor."""
    person = create_person(
        actor=OPERATOR, username=f"{handle.lab.slug}-{secrets.token_hex(4)}", role="analyst", lab=handle.lab
    ).person
    return Principal(
        kind=PrincipalKind.PERSON,
        lab_id=handle.lab.id,
        lab_slug=handle.lab.slug,
        lab_identity=handle.identity,
        person_id=person.id,
        person_identity=person.identity_id,
        fresh_second_factor=fresh,
    )


def without_fresh_factor(person: Principal) -> Principal:
    return replace(person, fresh_second_factor=False)


def withdrawals(principal: Principal, stix_id: str) -> list[str]:
    """States of the notes that tell this reader that it lost sight of an object."""
    found = []
    for entry in page_of(principal).entries:
        extension = check_extensions(members_of(entry)).get(WITHDRAWAL_EXTENSION)
        if isinstance(extension, Withdrawal) and extension.object == stix_id:
            found.append(extension.state)
    return found


def marked(handle: LabHandle, label: Tlp, marking: Mapping[str, Any] | None = None, **changes: Any) -> Members:
    """An indicator with this label, for the recipients of a distribution marking."""
    refs = [label.marking_id] + ([marking["id"]] if marking is not None else [])
    return handle.indicator(label, object_marking_refs=refs, **changes)


def store(handle: LabHandle, *objects: Members) -> None:
    """Sign and publish; every one must be stored."""
    outcomes = handle.publish(*(handle.signed(members) for members in objects))
    assert [each.status for each in outcomes] == [OutcomeStatus.STORED] * len(objects), outcomes


def refusal(outcome: Outcome) -> tuple[str, str]:
    """Code and pointer of why an object failed."""
    assert outcome.status is OutcomeStatus.FAILED, outcome
    assert isinstance(outcome.error, ExchangeError | StixError)
    return outcome.error.code, outcome.error.pointer


def as_owner(statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """Run a statement as the owner of the tables, whom no policy binds: for counting, and for doing damage."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


STORED_TABLES = ("object", "version", "version_key", "entry", "leaf", "held", "reference", "tombstone", "signing_key")


def stored_rows() -> dict[str, int]:
    """How many rows there are of everything that publishing writes, and the last number of the sequence."""
    counts = {table: as_owner(f"SELECT count(*) FROM {table}")[0][0] for table in STORED_TABLES}
    return counts | {"last_seq": as_owner("SELECT last_seq FROM sequencer")[0][0]}


def seconds_now() -> int:
    return int(datetime.now(UTC).timestamp())
