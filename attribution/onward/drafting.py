"""What grants a request: the object's next version with a wider distribution, and the marking that it names.

Drafts for the producer to sign. Nothing is stored here, and nobody sees more before they are published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from attribution.models import OnwardRequest
from attribution.onward.audiences import has_asked_for, has_lab
from attribution.onward.deciding import find_open
from attribution.onward.errors import NotShareableError
from attribution.onward.subjects import SHOWN, Subject, newest_subject
from exchange.models import Lab
from exchange.services.access import require_scope
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.own_objects import read_own
from exchange.services.principals import Principal
from exchange.services.publishing.marking import recipients_in
from exchange.services.publishing.reading import inspect_payloads, strictest_label
from exchange.stix.extensions import Distribution
from exchange.stix.fixed import DISTRIBUTION_EXTENSION
from exchange.stix.identifiers import create_id
from exchange.stix.markings import Tlp, label_of, marking_refs_of, tlp_of
from exchange.stix.next_version import later_than, unsigned
from exchange.stix.reading import read_object
from exchange.stix.timestamps import format_stix

Members = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Grant:
    """Drafts that grant a request: a distribution marking if there is a new one, then the object's next version.

    recipients: identities that the new version's marking names, none if it has none. replaces: the version before.
    """

    request: OnwardRequest
    objects: tuple[Members, ...]
    label: Tlp
    recipients: tuple[str, ...]
    replaces: str


def draft_grant(*, principal: Principal, public_id: str, moment: datetime | None = None) -> Grant:
    """Drafts that let whom an open request is for see its object, and take it from nobody.

    For a lab: the recipients so far and that lab, under the label so far. For clients of an AMBER+STRICT object: the
    label AMBER with the recipients so far, whose clients all see it then.

    Raises:
        ExchangeError: as `find_open`. AccessDeniedError: a token without `read`.
        NotShareableError: the object, its label, the asking lab or the lab asked for is no longer what it was, and no
            version of this object grants the request.
    """
    require_scope(principal, "read")
    moment = moment or now()
    request = find_open(principal, public_id, moment)
    subject = _shareable(request)
    bodies = read_own(principal, [subject.stix_id])
    if subject.stix_id not in bodies:
        raise NotShareableError("this token may not read the object's newest version")
    earlier = read_object(bodies[subject.stix_id]).members
    distribution, named = _distribution_of(principal, earlier)
    if request.for_lab is None:
        draft = _next_version(earlier, _loosened(earlier), moment)
        _require_label(draft, Tlp.AMBER)
        return Grant(request, (draft,), Tlp.AMBER, named, subject.version_text)
    marking = _marking(principal.lab_identity, (*named, str(request.for_lab.identity_id)), request.for_lab, moment)
    kept = [ref for ref in earlier["object_marking_refs"] if ref != distribution]
    draft = _next_version(earlier, [*kept, marking["id"]], moment)
    recipients = tuple(marking["extensions"][DISTRIBUTION_EXTENSION]["recipients"])
    return Grant(request, (marking, draft), subject.label, recipients, subject.version_text)


def _shareable(request: OnwardRequest) -> Subject:
    """The object as it stands, if a version of it can still grant the request.

    That it is RED, deleted, and in no state to be shared is told alike: no token reads a RED object, its lab's neither.
    """
    with writing():
        subject = newest_subject(request.object_id)
    if subject is None or subject.state not in SHOWN or subject.label is Tlp.RED:
        raise NotShareableError("the object is deleted, revoked, suspended, or for named persons alone by now")
    asker, for_lab = str(request.asker.identity_id), request.for_lab
    if not request.asker.is_active or not all(has_lab(each, asker) for each in subject.audiences):
        raise NotShareableError("the lab that asked may not see the object any more")
    if for_lab is not None and not for_lab.is_active:
        raise NotShareableError("the lab that it is asked for is no active member any more")
    identity = None if for_lab is None else str(for_lab.identity_id)
    if all(has_asked_for(each, asker=asker, for_lab=identity) for each in subject.audiences):
        raise NotShareableError("who was asked for may see the object already")
    return subject


def _distribution_of(principal: Principal, members: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Id of the distribution marking that the object carries, and whom it names; "" and nobody if it carries none."""
    for stix_id, body in read_own(principal, marking_refs_of(members)).items():
        if recipients_in(body) is not None:
            extension = read_object(body).members["extensions"][DISTRIBUTION_EXTENSION]
            return stix_id, tuple(extension["recipients"])
    return "", ()


def _marking(producer: str, recipients: Sequence[str], added: Lab, moment: datetime) -> Members:
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": create_id("marking-definition"),
        "created": format_stix(moment),
        "created_by_ref": producer,
        "name": f"Shared onward with {added.slug}",
        "extensions": {DISTRIBUTION_EXTENSION: Distribution(tuple(dict.fromkeys(recipients))).to_extension()},
    }


def _loosened(members: Mapping[str, Any]) -> list[str]:
    """The markings of the object with AMBER in the place of AMBER+STRICT."""
    loosened = [
        Tlp.AMBER.marking_id if tlp_of(ref) is Tlp.AMBER_STRICT else ref for ref in members["object_marking_refs"]
    ]
    return list(dict.fromkeys(loosened))


def _require_label(draft: Members, wanted: Tlp) -> None:
    """Refuse a draft that a part of it, or what it carries, makes stricter than wanted: it would grant nothing."""
    inside = strictest_label(inspect_payloads(draft))
    if max(label for label in (label_of(draft), inside) if label is not None) > wanted:
        raise NotShareableError(
            f"a part of the object, or what it carries, is stricter than {wanted.label}: publish a version without it"
        )


def _next_version(earlier: Mapping[str, Any], markings: Sequence[str], moment: datetime) -> Members:
    """The object without its signature, under other markings. An observable's version is the time of its signature."""
    draft = unsigned(earlier) | {"object_marking_refs": list(markings)}
    return draft | ({"modified": later_than(earlier["modified"], moment)} if "modified" in earlier else {})
