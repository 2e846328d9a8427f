"""Makes the other exchange of the demonstration a peer of this one. Every step finds what an earlier start has done.

What an operator has changed since stays: a peer that is paused, a channel that was removed, a grant that was taken. The
way to the peer, its address and a token, is new with every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from exchange.models import Collection, Lab, Peer, PeerChannel, Token
from exchange.services.administration import revoke_any_token
from exchange.services.clock import now
from exchange.services.collections import DEFAULT_ROOT, HOME_COLLECTIONS, grant_access
from exchange.services.database import writing
from exchange.services.errors import NotFoundError
from exchange.services.keys import pin_key
from exchange.services.labs import create_lab, find_lab
from exchange.services.outbound import allow_host
from exchange.services.peers import Credentials, add_channel, create_peer, find_peer, update_peer
from exchange.services.peers.claims import claim_channels
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token
from exchange.stix.markings import Tlp
from exchange.sync.pulling.pull import pull

HOST: Final = "localhost"
IDENTITIES: Final = "identities"
INTERVAL_S: Final = 5
"""As short as an interval may be: somebody is watching."""

TOKEN_LIFETIME: Final = timedelta(days=365)


def admit_peer(
    *, name: str, title: str, url: str, root: str, labs: Mapping[str, Mapping[str, str]], posts: bool
) -> dict[str, Any]:
    """Register an exchange of the same community and the labs that live there, and let it pull what may cross.

    url: of its API root. root: thumbprint of its node. labs: {slug: {"name", "root"}}. posts: it pushes to this node.
    Answers {"token": a new one}.

    Raises:
        ExchangeError: with one line.
    """
    with writing():
        # The node reaches nothing of this machine unless an operator allows it by name.
        allow_host(actor=OPERATOR, host=HOST)
        peer = _find_or_create(name, title, url, root, posts=posts)
        for slug, lab in labs.items():
            _admit_lab(slug, lab["name"], lab["root"])
        for token in Token.objects.filter(lab=peer.lab, revoked_at=None):
            revoke_any_token(actor=OPERATOR, prefix=token.prefix)
        expires_at = now() + TOKEN_LIFETIME
        scopes = ["read", "publish"] if posts else ["read"]
        issued = issue_token(actor=OPERATOR, lab=peer.lab, scopes=scopes, expires_at=expires_at)
    return {"token": issued.secret}


def reach_peer(*, name: str, url: str, token: str, pushes: bool) -> dict[str, Any]:
    """Keep where the peer is and what it knows this node by. The first time say what is exchanged: a node that pushes
    pulls everything and pushes everything, and the other one pulls its identities alone."""
    with writing():
        peer = find_peer(name)
        is_new = peer.credentials == Peer.Credentials.NONE and not peer.channels.exists()
        credentials = Credentials(kind=Peer.Credentials.BEARER, token=token)
        update_peer(actor=OPERATOR, slug=name, url=url, credentials=credentials)
        if is_new:
            homes = _home_collections()
            _add_channels(name, PeerChannel.Direction.PULL, homes if pushes else homes[:1])
            _add_channels(name, PeerChannel.Direction.PUSH, homes if pushes else [])
    return {}


def _add_channels(name: str, direction: PeerChannel.Direction, homes: list[Collection]) -> None:
    for collection in homes:
        add_channel(
            actor=OPERATOR,
            slug=name,
            direction=direction,
            remote_collection=collection.alias,
            collection=collection,
            interval_s=INTERVAL_S,
        )


def pull_identities(*, name: str) -> dict[str, Any]:
    """Take the identities of the peer's labs now, without the worker: {"failure": a code, "" if it went well}.

    They have to be here before something names one of them as a recipient: after that an identity that claims the id
    takes two operators. A peer that is paused is not asked.
    """
    channels = PeerChannel.objects.filter(
        peer__lab__slug=name, remote_collection=IDENTITIES, direction=PeerChannel.Direction.PULL
    )
    runs = [pull(claim) for claim in claim_channels([each.pk for each in channels])]
    return {"failure": next((run.failure for run in runs if run.failure), "")}


def _find_or_create(name: str, title: str, url: str, root: str, *, posts: bool) -> Peer:
    try:
        return find_peer(name)
    except NotFoundError:
        peer = create_peer(
            actor=OPERATOR,
            slug=name,
            name=title,
            url=url,
            root=root,
            community=True,
            highest_label=Tlp.AMBER_STRICT,
        )
    for collection in _home_collections():
        grant_access(actor=OPERATOR, collection=collection, lab=peer.lab, can_read=True, can_write=posts)
    return peer


def _admit_lab(slug: str, name: str, root: str) -> Lab:
    """A lab of elsewhere is known as every lab is: here without tokens and persons."""
    try:
        lab = find_lab(slug)
    except NotFoundError:
        lab = create_lab(actor=OPERATOR, slug=slug, name=name)
    pin_key(actor=OPERATOR, lab=lab, thumbprint=root)
    return lab


def _home_collections() -> list[Collection]:
    """In the order in which they are pulled: keys first, then what they signed."""
    homes = {each.alias: each for each in Collection.objects.filter(api_root__slug=DEFAULT_ROOT, is_view=False)}
    first = (IDENTITIES, *(alias for alias, _title in HOME_COLLECTIONS if alias != IDENTITIES))
    return [homes[alias] for alias in first]
