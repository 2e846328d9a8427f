"""Revoke an object of one's own: the newest version at the node, once more, revoked.

STIX 2.1 section 3.6: revoking is a new version and final. What has no versions is deleted instead.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from exchange.labtool.answers import Entry, Result
from exchange.labtool.client import NodeClient
from exchange.labtool.errors import DataError
from exchange.labtool.keygen import to_bytes
from exchange.labtool.signing import sign_objects
from exchange.stix.errors import StixError, shown
from exchange.stix.identifiers import is_identifier
from exchange.stix.keys import SigningKey
from exchange.stix.next_version import later_than, unsigned
from exchange.stix.reading import RawObject, read_object


def revoke(
    client: NodeClient, object_id: str, *, key: SigningKey | None, lab_identity: str | None, now: datetime
) -> Result:
    """Publish a revoking version of our own object and answer with what became of it.

    key: our signing key; None where the node keeps it and signs. lab_identity: whose objects are ours; the
    node is asked if it is None.

    Raises: DataError where there is no such object of ours, or it cannot be revoked; as `NodeClient`.
    """
    if not is_identifier(object_id):
        raise DataError(f"not an object id: {shown(object_id)}")
    ours = lab_identity or client.whoami().identity
    entry, source = _newest_of(client.get_object(object_id), object_id, ours)
    version = to_bytes(revoked_version(source.members, now=now))
    signed = [version] if key is None else sign_objects([version], key, now=now, lab_identity=ours, fix=True)
    return client.publish(signed, sign=key is None, collection=entry.collection)[0]


def _newest_of(entries: list[Entry], object_id: str, ours: str | None) -> tuple[Entry, RawObject]:
    for entry in entries:
        try:
            source = read_object(entry.object_bytes)
        except StixError as error:
            raise DataError(f"the node's copy of {object_id} is broken: {error}") from None
        if source.members.get("id") == object_id and source.members.get("created_by_ref") == ours:
            return entry, source
    raise DataError(f"the node shows us no {object_id} of our own")


def revoked_version(members: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """The next version of an object, unsigned, that revokes it (STIX 2.1 section 3.6).

    Raises: DataError for what has no versions or is revoked already.
    """
    if "modified" not in members:
        raise DataError(f"{members.get('type')} objects have no versions and cannot be revoked; delete them instead")
    if members.get("revoked") is True:
        raise DataError("the object is revoked already")
    try:
        modified = later_than(str(members["modified"]), now)
    except StixError as error:
        raise DataError(f"the version before is broken: {error}") from None
    return unsigned(members) | {"modified": modified, "revoked": True}
