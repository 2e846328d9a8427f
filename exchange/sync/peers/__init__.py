"""How this node talks to the TAXII 2.1 servers of peers: the transport, with everything around it that may go wrong.

It knows no model: who the peers are, how far each was read and what becomes of the objects is the caller's.
"""

from exchange.sync.peers.access import (
    Access,
    BasicCredentials,
    BearerCredentials,
    ClientCertificate,
    Credentials,
    NoCredentials,
    OwnAuthorities,
    PinnedCertificate,
    SystemTrust,
    Trust,
)
from exchange.sync.peers.errors import PeerError, PeerFault
from exchange.sync.peers.limits import Limits
from exchange.sync.peers.pages import ManifestRecord, RemoteManifest, RemotePage
from exchange.sync.peers.resources import RemoteCollectionInfo, RemoteStatus, RootInfo, StatusDetail
from exchange.sync.peers.root import RemoteRoot

__all__ = [
    "Access",
    "BasicCredentials",
    "BearerCredentials",
    "ClientCertificate",
    "Credentials",
    "Limits",
    "ManifestRecord",
    "NoCredentials",
    "OwnAuthorities",
    "PeerError",
    "PeerFault",
    "PinnedCertificate",
    "RemoteCollectionInfo",
    "RemoteManifest",
    "RemotePage",
    "RemoteRoot",
    "RemoteStatus",
    "RootInfo",
    "StatusDetail",
    "SystemTrust",
    "Trust",
]
