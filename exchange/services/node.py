"""Sets a node up: its identity and keys, the default collections, and the objects that are the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from exchange.models import Collection, Lab
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.collections import DEFAULT_ROOT, create_default_collections
from exchange.services.database import writing
from exchange.services.fixed_objects import share_fixed_objects, store_fixed_objects
from exchange.services.keys import create_exchange_key, extend_chain, pin_key
from exchange.services.labs import log_membership
from exchange.services.principals import OPERATOR
from exchange.services.publishing.identities import take_keys
from exchange.services.sharing import audience_for
from exchange.services.storing import PreparedVersion, store_versions
from exchange.stix.canonical import canonicalize
from exchange.stix.extensions import Keys
from exchange.stix.fixed import KEYS_EXTENSION
from exchange.stix.identifiers import create_id
from exchange.stix.keys import SigningKey, unix_seconds
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object
from exchange.stix.signature import SignedObject, open_signed, sign_identity
from exchange.stix.timestamps import format_stix, ordering_key

SIGNING_KEY_LIFETIME = timedelta(days=366)


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


def _make_identity(title: str, root: SigningKey, signing: SigningKey, moment: datetime) -> SignedObject:
    at, begins = format_stix(moment), unix_seconds(moment)
    ends = unix_seconds(moment + SIGNING_KEY_LIFETIME)
    keys = Keys((root.public(nbf=begins), signing.public(nbf=begins, exp=ends, custody="exchange")))
    members = {
        "type": "identity",
        "spec_version": "2.1",
        "id": create_id("identity"),
        "created": at,
        "modified": at,
        "name": title,
        "identity_class": "system",
        "object_marking_refs": [Tlp.CLEAR.marking_id],
        "extensions": {KEYS_EXTENSION: keys.to_extension()},
    }
    return open_signed(read_object(canonicalize(sign_identity(members, [root, signing], begins))))


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
                created_text=version,
                revoked=False,
                references=(),
                lab_identity=signed.id,
                received_at=moment,
            )
        ],
    )
    take_keys(OPERATOR, lab, state, signed.payload_sha256, moment)
