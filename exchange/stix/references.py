"""What a reference may point at (STIX 2.1 sections 3.3, 5 and 6), by the type that its id begins with.

Whether the target exists is no error and not asked here: a reference may be unresolvable (section 2.9).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from exchange.stix.errors import ObjectInvalidError, shown
from exchange.stix.identifiers import type_of
from exchange.stix.object_classes import CLASS_OF, META_TYPES, SCO_TYPES, SRO_TYPES

_MARKINGS: Final = frozenset({"marking-definition"})
_ACCOUNTS: Final = frozenset({"user-account"})
_MAILBOXES: Final = frozenset({"email-addr"})
_ENDPOINTS: Final = frozenset({"ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"})

# Of every type that has the property.
_TARGETS: Final[Mapping[str, frozenset[str]]] = {
    "created_by_ref": frozenset({"identity"}),
    "object_marking_refs": _MARKINGS,
    "src_ref": _ENDPOINTS,
    "dst_ref": _ENDPOINTS,
    "src_payload_ref": frozenset({"artifact"}),
    "dst_payload_ref": frozenset({"artifact"}),
    "encapsulates_refs": frozenset({"network-traffic"}),
    "encapsulated_by_ref": frozenset({"network-traffic"}),
    "from_ref": _MAILBOXES,
    "sender_ref": _MAILBOXES,
    "to_refs": _MAILBOXES,
    "cc_refs": _MAILBOXES,
    "bcc_refs": _MAILBOXES,
    "raw_email_ref": frozenset({"artifact"}),
    "belongs_to_ref": _ACCOUNTS,
    "belongs_to_refs": frozenset({"autonomous-system"}),
    "parent_directory_ref": frozenset({"directory"}),
    "content_ref": frozenset({"artifact"}),
    "opened_connection_refs": frozenset({"network-traffic"}),
    "creator_user_ref": _ACCOUNTS,
    "image_ref": frozenset({"file"}),
    "parent_ref": frozenset({"process"}),
    "child_refs": frozenset({"process"}),
    "operating_system_refs": frozenset({"software"}),
    "sample_refs": frozenset({"artifact", "file"}),
    "analysis_sco_refs": SCO_TYPES,
}
_TARGETS_OF_TYPE: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("directory", "contains_refs"): frozenset({"directory", "file"}),
    ("domain-name", "resolves_to_refs"): frozenset({"domain-name", "ipv4-addr", "ipv6-addr"}),
    ("ipv4-addr", "resolves_to_refs"): frozenset({"mac-addr"}),
    ("ipv6-addr", "resolves_to_refs"): frozenset({"mac-addr"}),
}
# Where a type that an extension adds is a possible target too, what is excluded has to be said instead.
_NOT_RELATED: Final = SRO_TYPES | META_TYPES | {"bundle"}
_EXCLUDED: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("relationship", "source_ref"): _NOT_RELATED,
    ("relationship", "target_ref"): _NOT_RELATED,
    ("sighting", "sighting_of_ref"): _NOT_RELATED | SCO_TYPES,
    **{
        (object_type, "object_refs"): frozenset({"bundle"})
        for object_type in ("grouping", "note", "opinion", "report", "observed-data")
    },
}


def check_references(members: Mapping[str, Any], object_type: str, names: frozenset[str]) -> None:
    """Accept the references under `names` of an object that fits its schema.

    Raises: ObjectInvalidError (`identifier`, `reference`) with the pointer of a malformed or misdirected one.
    """
    for name in names:
        allowed = _TARGETS_OF_TYPE.get((object_type, name)) or _TARGETS.get(name)
        excluded = _EXCLUDED.get((object_type, name))
        for reference, pointer in _references_under(name, members[name]):
            target = type_of(reference, pointer)
            if (allowed is not None and target not in allowed) or (excluded is not None and target in excluded):
                message = f"{shown(name)} of a {shown(object_type)} does not refer to a {shown(target)}."
                raise ObjectInvalidError("reference", message, pointer)
    if object_type == "observed-data" and "object_refs" in names:
        _check_observed(members["object_refs"])


def _references_under(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield each reference with its pointer."""
    if isinstance(value, str):
        yield value, f"/{name}"
        return
    for position, reference in enumerate(value):
        yield reference, f"/{name}/{position}"


def _check_observed(references: list[str]) -> None:
    # A type that an extension adds may be an observable.
    if not any(CLASS_OF.get(target := type_of(ref)) is None or target in SCO_TYPES for ref in references):
        message = "At least one of the objects must be an observable."
        raise ObjectInvalidError("reference", message, "/object_refs")
