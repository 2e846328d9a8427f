"""Sets a node up: its identity and keys, the default collections, and the objects that are the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from exchange.models import Collection, Lab, StixObject, Version
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.collections import DEFAULT_ROOT, create_default_collections
from exchange.services.database import writing
from exchange.services.fixed_objects import share_fixed_objects, store_fixed_objects
from exchange.services.held_keys import create_exchange_key, public_part
from exchange.services.keys import extend_chain, pin_key
from exchange.services.labs import log_membership
from exchange.services.principals import OPERATOR
from exchange.services.publishing.identities import take_keys
from exchange.services.sharing import audience_for
from exchange.services.storing import PreparedVersion, store_versions
from exchange.services.withdrawals import this_node
from exchange.stix.canonical import canonicalize
from exchange.stix.extensions import Keys
from exchange.stix.facets import facets_of
from exchange.stix.fixed import KEYS_EXTENSION
from exchange.stix.identifiers import create_id
from exchange.stix.keys import SigningKey, unix_seconds
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object
from exchange.stix.signature import SignedObject, open_signed, sign_identity
from exchange.stix.timestamps import format_stix, ordering_key


@dataclass(frozen=True, slots=True)
class NewNode:
    """The node and, on its first day only, the root key that the operator takes offline."""

    lab: Lab
    root_key: SigningKey | None


def init_node(*, name: str, title: str) -> NewNode:
    """Set the node up; a node that is set up already is answered without a root key.

    The root key signs the node's identity and is then in the caller's hands alone: it is stored nowhere here.
    """
    known = Lab.objects.filter(is_self=True).first()
    if known is not None and known.identity_id is not None:
        return NewNode(known, None)
    with writing():
        moment = now()
        create_default_collections(actor=OPERATOR)
        lab = Lab.objects.create(
            slug=name, name=title, kind=Lab.Kind.NODE, is_self=True, status_since=moment, created_at=moment
        )
        record_event(OPERATOR, "node-created", name)
        root = SigningKey.generate("root")
        signed = _make_identity(title, root, create_exchange_key(actor=OPERATOR, lab=lab), moment)
        pin_key(actor=OPERATOR, lab=lab, thumbprint=root.kid)
        _store_identity(lab, signed, moment)
        log_membership("lab-admitted", lab)
        home = Collection.objects.get(api_root__slug=DEFAULT_ROOT, alias="identities")
        store_fixed_objects(lab, home, moment)
        for collection in Collection.objects.filter(is_view=False):
            share_fixed_objects(collection.id)
    return NewNode(lab, root)


def renew_node_key(*, root_key: SigningKey) -> str:
    """Give the node another signing key, introduced by its root key; answers the new thumbprint.

    The old key stays in the chain: what it signed stays verifiable. The root key is used and not kept.

    Raises:
        NotReadyError: the node has not been set up. KeyChainError: not a root key of the node.
    """
    with writing():
        node = this_node()
        moment = now()
        stored = StixObject.objects.get(producer=node, stix_id=node.identity_id)
        body = bytes(Version.objects.get(pk=stored.newest_version_id or 0).body)
        members = read_object(body).members
        known = Keys.parse(members["extensions"][KEYS_EXTENSION], f"/extensions/{KEYS_EXTENSION}")
        key = create_exchange_key(actor=OPERATOR, lab=node)
        keys = replace(known, keys=(*known.keys, public_part(key, moment)))
        renewed = {
            **members,
            "modified": format_stix(moment),
            "extensions": {KEYS_EXTENSION: keys.to_extension()},
        }
        signed = sign_identity(renewed, [root_key, key], unix_seconds(moment))
        _store_identity(node, open_signed(read_object(canonicalize(signed))), moment)
        record_event(OPERATOR, "node-key-renewed", node.slug, kid=key.kid)
    return key.kid


def _make_identity(title: str, root: SigningKey, signing: SigningKey, moment: datetime) -> SignedObject:
    at = format_stix(moment)
    held = public_part(signing, moment)
    members = {
        "type": "identity",
        "spec_version": "2.1",
        "id": create_id("identity"),
        "created": at,
        "modified": at,
        "name": title,
        "identity_class": "system",
        "object_marking_refs": [Tlp.CLEAR.marking_id],
        "extensions": {KEYS_EXTENSION: Keys((root.public(nbf=held.nbf), held)).to_extension()},
    }
    signed = sign_identity(members, [root, signing], unix_seconds(moment))
    return open_signed(read_object(canonicalize(signed)))


def _store_identity(lab: Lab, signed: SignedObject, moment: datetime) -> None:
    state, verified = extend_chain(lab, signed, moment=moment)
    version = str(signed.members["modified"])
    store_versions(
        lab.id,
        [
            PreparedVersion(
                stix_id=signed.id,
                type="identity",
                collection_id=Collection.objects.get(api_root__slug=DEFAULT_ROOT, alias="identities").id,
                version_text=version,
                version_key=ordering_key(version),
                body=signed.raw,
                digest=bytes.fromhex(signed.payload_sha256),
                label=Tlp.CLEAR,
                audience=audience_for(Tlp.CLEAR, signed.id, None),
                distribution="",
                kid=verified.key.kid,
                created_text=str(signed.members["created"]),
                revoked=False,
                references=(),
                lab_identity=signed.id,
                received_at=moment,
                facets=facets_of(signed.members),
            )
        ],
    )
    take_keys(OPERATOR, lab, state, signed.payload_sha256, moment)
