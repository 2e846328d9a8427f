"""From a peer's row to the way to it: its address, what this node shows there, and what it takes for the peer."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.models import Peer
from exchange.services.peers import Credentials, open_credentials
from exchange.sync.peers import (
    Access,
    BasicCredentials,
    BearerCredentials,
    ClientCertificate,
    NoCredentials,
    OwnAuthorities,
    PinnedCertificate,
    RemoteCollectionInfo,
    RemoteRoot,
    RootInfo,
    SystemTrust,
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a peer showed when it was tried."""

    root: RootInfo
    collections: list[RemoteCollectionInfo]


def access_of(peer: Peer, credentials: Credentials | None = None) -> Access:
    """How the peer is reached. credentials: those of a peer that is not stored yet, else they are opened.

    Raises:
        NotReadyError: the sealed credentials do not open. InvalidRequestError: they cannot be sent.
    """
    shown = open_credentials(peer) if credentials is None else credentials
    return Access(peer.url, _shown(shown), _trust(peer))


def try_peer(access: Access) -> Trial:
    """Ask a peer for its root and its collections, and store nothing.

    Raises:
        PeerError: it is not reached, or no TAXII server that lets this node in.
    """
    with RemoteRoot(access) as root:
        return Trial(root.describe(), root.collections())


def _shown(
    credentials: Credentials,
) -> NoCredentials | BasicCredentials | BearerCredentials | ClientCertificate:
    match credentials.kind:
        case Peer.Credentials.BASIC:
            return BasicCredentials(credentials.username, credentials.password)
        case Peer.Credentials.BEARER:
            return BearerCredentials(credentials.token)
        case Peer.Credentials.CERTIFICATE:
            return ClientCertificate(credentials.certificate.encode(), credentials.key.encode())
        case _:
            return NoCredentials()


def _trust(peer: Peer) -> SystemTrust | OwnAuthorities | PinnedCertificate:
    if peer.pinned_certificate:
        return PinnedCertificate(peer.pinned_certificate)
    return OwnAuthorities(peer.authorities) if peer.authorities else SystemTrust()
