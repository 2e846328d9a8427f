"""What is kept: one noun per file. Tables and their reasons: docs/data-model.md."""

from exchange.models.audience import Audience
from exchange.models.audit import AuditEvent
from exchange.models.collection import ApiRoot, Collection, Grant
from exchange.models.delivery import Delivery
from exchange.models.entry import Entry
from exchange.models.facet import Facet, place_of
from exchange.models.home import LabHome
from exchange.models.idempotency import IdempotentRequest
from exchange.models.key import IdentityApproval, KeyUse, Pin, SigningKey
from exchange.models.lab import Lab
from exchange.models.leaf import Leaf
from exchange.models.peer import OverrideApproval, Peer, PeerChannel, PeerErrand, QuarantinedObject
from exchange.models.person import Person
from exchange.models.sequencer import Sequencer
from exchange.models.staged import StagedBatch, StagedEnvelope
from exchange.models.status import PublishingStatus, StatusPart
from exchange.models.stix_object import HeldVersion, Reference, StixObject, Tombstone
from exchange.models.token import Token
from exchange.models.version import Version, VersionKey
from exchange.models.webhook import AllowedHost, Webhook

__all__ = [
    "AllowedHost",
    "ApiRoot",
    "Audience",
    "AuditEvent",
    "Collection",
    "Delivery",
    "Entry",
    "Facet",
    "Grant",
    "HeldVersion",
    "IdempotentRequest",
    "IdentityApproval",
    "KeyUse",
    "Lab",
    "LabHome",
    "Leaf",
    "OverrideApproval",
    "Peer",
    "PeerChannel",
    "PeerErrand",
    "Person",
    "Pin",
    "PublishingStatus",
    "QuarantinedObject",
    "Reference",
    "Sequencer",
    "SigningKey",
    "StagedBatch",
    "StagedEnvelope",
    "StatusPart",
    "StixObject",
    "Token",
    "Tombstone",
    "Version",
    "VersionKey",
    "Webhook",
    "place_of",
]
