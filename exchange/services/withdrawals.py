"""Tells exactly those who lost sight of an object that they did: a note signed by the node, without content.

docs/sharing.md, rule 3. The note stands in the object's home collection, so incremental followers meet it there. Peers
that are exchanges are told as labs are, by their node's identity; plain feeds that it was pushed to are told to delete
it (pushing/lost.py), and those that pulled it keep what they have (delivery.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from exchange.models import Lab, Person
from exchange.services.database import execute
from exchange.services.errors import NotReadyError
from exchange.services.held_keys import open_node_key
from exchange.services.labs import granted_identities
from exchange.services.peer_principals import KnownPeer, find_exchanges
from exchange.services.pushing.lost import note_lost
from exchange.services.sharing import AudienceRule, load_audiences, may_read
from exchange.services.storing import AudienceChange, Batch, PreparedVersion, store_versions
from exchange.stix.canonical import canonicalize
from exchange.stix.extensions import Withdrawal
from exchange.stix.facets import facets_of
from exchange.stix.fixed import WITHDRAWAL_EXTENSION
from exchange.stix.identifiers import create_id
from exchange.stix.keys import SigningKey, unix_seconds
from exchange.stix.markings import Tlp
from exchange.stix.signature import payload_of, sign
from exchange.stix.timestamps import format_stix, ordering_key

NOBODY = AudienceRule(Tlp.RED)

WITHDRAWN: Final = "withdrawn-by-peer"
"""What a version waits for, in the place of a marking's id, when the peer that it came from took it back: that this
peer sends it again."""


def withdraw_from(
    changes: Sequence[AudienceChange], moment: datetime, state: str = "", batch: Batch | None = None
) -> int:
    """Write the notes that follow from changed readers; answers how many. The caller is inside `writing()`.

    `state` overrides the word of the note (deleted, suspended); else it is the change's, or revoked or narrowed. With a
    batch the notes get their places when the caller places that.

    Raises:
        NotReadyError: somebody lost sight, and the node has no identity or no key.
    """
    before = load_audiences(change.before for change in changes)
    if changes:
        note_lost(changes, before)
    exchanges = find_exchanges() if changes else []
    lost = [(change, readers_lost(before[change.before], change, exchanges)) for change in changes]
    due = [(change, readers) for change, readers in lost if not readers.is_empty]
    if not due:
        return 0
    node = this_node()
    key = open_node_key(node, moment)
    notes = [
        make_note(node, key, change, readers, state or change.word or _word_of(change), moment)
        for change, readers in due
    ]
    if batch is None:
        store_versions(node.id, notes)
    else:
        batch.store([(node.id, note) for note in notes])
    return len(notes)


def _word_of(change: AudienceChange) -> str:
    return "revoked" if change.revoked else "narrowed"


def readers_lost(before: AudienceRule, change: AudienceChange, exchanges: Sequence[KnownPeer]) -> AudienceRule:
    """Who could read under `before` and cannot now: labs, clients and exchanges with a grant, and named persons.

    exchanges: all there are, stopped ones too: like a suspended lab, one is told when it is back.

    Anonymous readers of a public collection are nobody in particular and are not told.
    """
    members = granted_identities(change.collection_id)
    after = change.after
    labs_after = _labs(after, members)
    return AudienceRule(
        label=Tlp.RED if before.label is Tlp.RED else Tlp.AMBER,
        labs=(_labs(before, members) - labs_after) | _exchanges_lost(before, change, exchanges),
        clients=_clients(before, members) - _clients(after, members),
        persons=_persons_lost(before.persons - after.persons, _labs(before, members), labs_after, members),
    )


_ORIGIN = """
SELECT v.origin_peer_id FROM object o
JOIN lab l ON l.id = o.producer_id AND l.identity_id = %(producer)s
JOIN version_key k ON k.object_id = o.id
JOIN version v ON v.id = k.version_id
WHERE o.stix_id = %(id)s ORDER BY k.version_key DESC LIMIT 1
"""


def _exchanges_lost(before: AudienceRule, change: AudienceChange, exchanges: Sequence[KnownPeer]) -> frozenset[str]:
    """Node identities of the exchanges that could read and cannot now.

    Not the one that the newest version came from: it knows, and may read on what is its own.
    """
    lost = [
        peer
        for peer in exchanges
        if change.collection_id in peer.reads
        and may_read(peer.principal, before)
        and not may_read(peer.principal, change.after)
    ]
    if not lost:
        return frozenset()
    row = execute(_ORIGIN, {"producer": change.producer, "id": change.stix_id}).fetchone()
    origin = row[0] if row is not None else None
    return frozenset(peer.principal.lab_identity for peer in lost if peer.traits.id != origin)


def _labs(rule: AudienceRule, members: frozenset[str]) -> frozenset[str]:
    return members if rule.every_lab else rule.labs & members


def _clients(rule: AudienceRule, members: frozenset[str]) -> frozenset[str]:
    return members if rule.every_client else rule.clients & members


def _persons_lost(
    unnamed: frozenset[str], before: frozenset[str], after: frozenset[str], members: frozenset[str]
) -> frozenset[str]:
    """Persons whom nobody names any more: not those who still read as members of their lab, nor those whom the note
    to their lab reaches."""
    if not unnamed:
        return frozenset()
    labs = dict(
        Person.objects.filter(identity_id__in=unnamed, lab__identity_id__isnull=False).values_list(
            "identity_id", "lab__identity_id"
        )
    )
    return frozenset(person for person, lab in labs.items() if lab in members and lab not in before | after)


def make_note(
    node: Lab, key: SigningKey, change: AudienceChange, readers: AudienceRule, state: str, moment: datetime
) -> PreparedVersion:
    """The signed note about one object, ready for storage."""
    at = format_stix(moment)
    members = sign(
        {
            "type": "note",
            "spec_version": "2.1",
            "id": create_id("note"),
            "created_by_ref": node.identity_id,
            "created": at,
            "modified": at,
            "content": f"This object is no longer available to you: {state}.",
            "object_refs": [change.stix_id],
            "object_marking_refs": [readers.label.marking_id],
            "extensions": {WITHDRAWAL_EXTENSION: Withdrawal(change.stix_id, change.producer, state, at).to_extension()},
        },
        key,
        unix_seconds(moment),
    )
    return PreparedVersion(
        stix_id=members["id"],
        type="note",
        collection_id=change.collection_id,
        version_text=at,
        version_key=ordering_key(at),
        body=canonicalize(members),
        digest=hashlib.sha256(payload_of(members)).digest(),
        label=readers.label,
        audience=readers,
        distribution="",
        kid=key.kid,
        created_text=at,
        revoked=False,
        references=(("object_refs", change.stix_id),),
        lab_identity=node.identity_id or "",
        received_at=moment,
        facets=facets_of(members, targets=[change.stix_id]),
    )


def this_node() -> Lab:
    """The node's own row.

    Raises:
        NotReadyError: the node has not been set up.
    """
    node = Lab.objects.filter(is_self=True).first()
    if node is None or node.identity_id is None:
        raise NotReadyError("the node has no identity yet: run manage.py init_node", code="no-node")
    return node
