"""First steps of publishing: what the bytes say, whether the agreement covers it, and where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from exchange.models import Collection
from exchange.services.collections import CollectionView
from exchange.services.errors import AccessDeniedError, InvalidRequestError, TooLargeError
from exchange.services.principals import Principal
from exchange.services.publishing.item import Item
from exchange.services.scope import Payload, check_scope
from exchange.stix.checks import CheckedObject, check_object
from exchange.stix.errors import ObjectInvalidError
from exchange.stix.extensions import check_extensions
from exchange.stix.facets import Facets, facets_of
from exchange.stix.fixed import WITHDRAWAL_EXTENSION, is_fixed
from exchange.stix.identifiers import is_identifier
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object

Inspector = Callable[[Mapping[str, Any]], Sequence[Payload]]

_HOME_OF_TYPE = {
    "indicator": "signatures",
    "attack-pattern": "signatures",
    "course-of-action": "playbooks",
    "sighting": "feedback",
    "opinion": "feedback",
    "note": "feedback",
    "identity": "identities",
    "marking-definition": "identities",
    "extension-definition": "identities",
    "language-content": "identities",
}
_HOME_OF_THE_REST = "attribution"

FEEDBACK_TYPES = frozenset({"sighting", "opinion", "note"})
"""What a token with the scope `feedback` alone may publish."""


def read_item(
    item: Item, principal: Principal, collection: CollectionView | None, homes: Mapping[str, CollectionView]
) -> None:
    """Check the bytes and choose the home collection: the one named, else by type.

    Raises:
        StixError, OutOfScopeError: the object is wrong, or outside the agreement.
        AccessDeniedError: the principal may not write the collection. TooLargeError: over the collection's limit.
    """
    parse_item(item)
    if not principal.allows("publish") and item.object.type not in FEEDBACK_TYPES:
        raise AccessDeniedError("the scope feedback publishes sightings, opinions and notes", code="scope-missing")
    if is_fixed(item.object.id):
        return
    if WITHDRAWAL_EXTENSION in check_extensions(item.object.members):
        raise AccessDeniedError(
            "only a node says that something was withdrawn",
            code="withdrawal-by-lab",
            pointer=f"/extensions/{WITHDRAWAL_EXTENSION}",
        )
    settle_item(item, _writable(collection or homes.get(home_alias(item.object))))


def parse_item(item: Item) -> None:
    """Check the bytes as STIX; nothing is asked of who sent them.

    Raises:
        StixError: the object is wrong.
    """
    raw = read_object(item.body)
    item.claimed = raw.members
    item.checked = check_object(raw)
    item.warnings = tuple((each.code, each.pointer, each.message) for each in item.checked.warnings)


def settle_item(item: Item, collection: CollectionView) -> None:
    """Take a parsed object into its home collection: its size, what it carries, the scope, what it can be found by.

    Raises:
        StixError, OutOfScopeError: a payload cannot be opened, is not safe, or the agreement does not cover it.
        TooLargeError: over the collection's limit.
    """
    item.collection = collection
    _check_size(collection, len(item.object.raw))
    payloads = inspect_payloads(item.object.members)
    item.payload_label = strictest_label(payloads)
    _heed_notices(item, payloads)
    if collection.scope == Collection.Scope.AGREEMENT:
        found = check_scope(item.object.members, payloads)
        item.warnings += tuple((each.rule, each.pointer, "somebody should look at this text") for each in found)
    item.references = tuple(references_of(item.object))
    item.facets = facets_in(item.object, item.references, payloads)


def _heed_notices(item: Item, payloads: Sequence[Payload]) -> None:
    """Refuse, or warn of, what was found about the payloads. What its producer revokes may be as unsafe as it is."""
    is_revoked = item.object.members.get("revoked") is True
    for payload in payloads:
        for notice in payload.notices:
            if notice.refuses and not is_revoked:
                raise ObjectInvalidError(notice.code, notice.message, payload.pointer)
            item.warnings += ((notice.code, payload.pointer, notice.message),)


def inspect_payloads(members: Mapping[str, Any]) -> list[Payload]:
    """What the object carries inside, opened by the rooms that settings name.

    Raises:
        StixError: a payload that cannot be opened.
    """
    return [payload for inspect in _inspectors() for payload in inspect(members)]


def facets_in(checked: CheckedObject, references: Iterable[tuple[str, str]], payloads: Sequence[Payload]) -> Facets:
    """What the object can be found by. A Sigma rule stands in the pattern in clear; a playbook was decoded."""
    texts = [text for each in payloads if each.pointer != "/pattern" for _, text in each.texts]
    return facets_of(checked.members, targets=[target for _, target in references], payload_texts=texts)


def strictest_label(payloads: Sequence[Payload]) -> Tlp | None:
    """The strictest marking inside, None if there is none."""
    return max((each.label for each in payloads if each.label is not None), default=None)


def home_alias(checked: CheckedObject) -> str:
    """The collection that REST chooses for an object; a relationship goes with its source."""
    if checked.type == "relationship":
        source = str(checked.members["source_ref"]).partition("--")[0]
        return _HOME_OF_TYPE.get(source, _HOME_OF_THE_REST)
    return _HOME_OF_TYPE.get(checked.type, _HOME_OF_THE_REST)


def _writable(collection: CollectionView | None) -> CollectionView:
    if collection is None:
        raise AccessDeniedError("you may write no collection for this type of object", code="no-home")
    if collection.is_view:
        raise InvalidRequestError(f"{collection.alias} is a read-only view", code="read-only-view")
    if not collection.can_write:
        raise AccessDeniedError(f"you may not write to {collection.alias}", code="not-writable")
    return collection


def _check_size(collection: CollectionView, size: int) -> None:
    limit = collection.max_object_bytes
    if size > limit:
        raise TooLargeError(f"{collection.alias} takes objects of up to {limit} bytes; this has {size}")


@lru_cache(maxsize=1)
def _inspectors() -> tuple[Inspector, ...]:
    return tuple(import_string(path) for path in settings.CONTENT_INSPECTORS)


NO_CONTENT_REFERENCES = frozenset({"created_by_ref", "object_marking_refs", "granular_markings"})
"""Who made an object and how it is marked does not count as content that it refers to: every object names its
producer, whose identity has a label of its own."""

MAX_REFERENCES = 10_000


def references_of(checked: CheckedObject) -> list[tuple[str, str]]:
    """Pairs of property and target id of everything that the object refers to, each target once. Properties that the
    standard does not know may say anything: what is no identifier refers to nothing.

    Raises:
        ObjectInvalidError: more than `MAX_REFERENCES`.
    """
    found: dict[str, str] = {}
    for name, value in checked.members.items():
        if name in NO_CONTENT_REFERENCES:
            continue
        targets = [value] if name.endswith("_ref") else value if name.endswith("_refs") else []
        for target in targets if isinstance(targets, list) else []:
            if is_identifier(target):
                found.setdefault(target, name)
    if len(found) > MAX_REFERENCES:
        raise ObjectInvalidError("too-many-references", f"At most {MAX_REFERENCES} references are allowed.")
    return [(name, target) for target, name in found.items()]
