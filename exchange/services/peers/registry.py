"""Makes, changes and lists peers. Every peer is a row among the signers, too: of an exchange a node, else a feed."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any, Final

from exchange.models import Lab, Peer
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import ConflictError, InvalidRequestError, NotFoundError
from exchange.services.keys import pin_key
from exchange.services.late_crossings import placing_for_peers
from exchange.services.outbound import check_target
from exchange.services.peers.credentials import Credentials, check_authorities, seal_credentials
from exchange.services.principals import Principal
from exchange.stix.markings import Tlp

HIGHEST: Final = {Lab.Kind.NODE: Tlp.AMBER_STRICT, Lab.Kind.FEED: Tlp.GREEN}
"""docs/sharing.md: nothing stricter than GREEN goes to a plain feed, and RED leaves no node."""

_FINGERPRINT: Final = re.compile("[0-9a-f]{64}")


def create_peer(
    *,
    actor: Principal,
    slug: str,
    name: str,
    url: str,
    root: str = "",
    credentials: Credentials | None = None,
    authorities: str = "",
    pinned_certificate: str = "",
    community: bool = False,
    accepts_unsigned: bool = False,
    default_label: Tlp = Tlp.AMBER,
    highest_label: Tlp = Tlp.GREEN,
    trial: Callable[[Peer, Credentials], object] | None = None,
) -> Peer:
    """Register a peer; nothing is exchanged before it has channels.

    url: of its API root. root: thumbprint of the root key of an exchange's node, compared over another channel; "" for
    a plain feed. default_label: of what a feed sends unmarked. highest_label: the strictest that is exchanged. trial:
    tries the peer before it is stored; if it raises, nothing is.

    Raises:
        ConflictError: the name or the thumbprint is taken. InvalidRequestError: a URL that the node does not reach
            (TargetRefusedError), or values that do not go together.
    """
    kind = Lab.Kind.NODE if root else Lab.Kind.FEED
    shown = credentials or Credentials()
    peer = Peer(
        url=url if url.endswith("/") else f"{url}/",
        credentials=shown.kind,
        authorities=authorities,
        pinned_certificate=_fingerprint(pinned_certificate),
        community=community,
        accepts_unsigned=accepts_unsigned,
        default_label=int(default_label),
        highest_label=int(highest_label),
    )
    shown.check()
    _check(peer, kind)
    if trial is not None:
        trial(peer, shown)
    with writing():
        if Lab.objects.filter(slug=slug).exists():
            raise ConflictError(f"there is a lab or peer {slug} already")
        moment = now()
        # A feed has an id of the node's making, so that notes about what it vouched for can name it.
        identity = f"identity--{uuid.uuid4()}" if kind == Lab.Kind.FEED else None
        peer.lab = Lab.objects.create(
            slug=slug, name=name, kind=kind, identity_id=identity, status_since=moment, created_at=moment
        )
        peer.sealed = seal_credentials(shown, slug=slug)
        peer.created_at = moment
        peer.save()
        record_event(actor, "peer-created", slug, **_facts(peer))
        if root:
            pin_key(actor=actor, lab=peer.lab, thumbprint=root)
    return peer


def update_peer(
    *,
    actor: Principal,
    slug: str,
    url: str | None = None,
    credentials: Credentials | None = None,
    authorities: str | None = None,
    pinned_certificate: str | None = None,
    community: bool | None = None,
    accepts_unsigned: bool | None = None,
    default_label: Tlp | None = None,
    highest_label: Tlp | None = None,
) -> Peer:
    """Change what is not None; acts at the next page. What was received keeps the label that it was stored with, and
    what begins to cross gets a new place, so that a peer that follows meets it.

    Raises:
        NotFoundError: there is no such peer. InvalidRequestError: as `create_peer`, or nothing is to change.
    """
    changes: dict[str, Any] = {
        "url": url if url is None or url.endswith("/") else f"{url}/",
        "authorities": authorities,
        "pinned_certificate": None if pinned_certificate is None else _fingerprint(pinned_certificate),
        "community": community,
        "accepts_unsigned": accepts_unsigned,
        "default_label": None if default_label is None else int(default_label),
        "highest_label": None if highest_label is None else int(highest_label),
    }
    if credentials is not None:
        credentials.check()
        changes |= {"credentials": credentials.kind}
    given = {field: value for field, value in changes.items() if value is not None}
    if not given:
        raise InvalidRequestError("nothing is to change")
    with writing(), placing_for_peers():
        peer = find_peer(slug, lock=True)
        for field, value in given.items():
            setattr(peer, field, value)
        if credentials is not None:
            peer.sealed = seal_credentials(credentials, slug=slug)
        _check(peer, Lab.Kind(peer.lab.kind))
        peer.save()
        record_event(actor, "peer-changed", slug, fields=sorted(given))
    return peer


def set_state(*, actor: Principal, slug: str, state: Peer.State) -> Peer:
    """Pause a peer, or resume it: a paused one is neither asked nor sent anything.

    Raises:
        NotFoundError: there is no such peer.
    """
    with writing():
        peer = find_peer(slug, lock=True)
        if peer.state != state:
            peer.state = state
            peer.save(update_fields=["state"])
            record_event(actor, f"peer-{state}", slug)
    return peer


def find_peer(slug: str, *, lock: bool = False) -> Peer:
    """The peer of this name, with its lab.

    Raises:
        NotFoundError: there is none.
    """
    peers = Peer.objects.select_related("lab").filter(lab__slug=slug)
    peer = (peers.select_for_update(of=("self",)) if lock else peers).first()
    if peer is None:
        raise NotFoundError(f"there is no peer {slug}", code="peer-not-found")
    return peer


def list_peers() -> list[Peer]:
    """All peers by name, with their labs, channels and the channels' collections. Three queries."""
    return list(Peer.objects.select_related("lab").prefetch_related("channels__collection").order_by("lab__slug"))


def _check(peer: Peer, kind: Lab.Kind) -> None:
    check_target(peer.url)
    if peer.highest_label > HIGHEST[kind]:
        raise InvalidRequestError(
            f"at most {HIGHEST[kind].label} is exchanged with {'an exchange' if kind == Lab.Kind.NODE else 'a feed'}",
            pointer="/highest_label",
        )
    if peer.default_label > Tlp.AMBER_STRICT:
        raise InvalidRequestError("what a feed leaves unmarked is never TLP:RED", pointer="/default_label")
    if peer.accepts_unsigned and kind != Lab.Kind.FEED:
        raise InvalidRequestError("an exchange sends what somebody signed", pointer="/accepts_unsigned")
    if peer.authorities:
        check_authorities(peer.authorities)


def _fingerprint(text: str) -> str:
    """SHA-256 in lower-case hex, with or without the colons of other tools."""
    plain = text.replace(":", "").lower()
    if plain and not _FINGERPRINT.fullmatch(plain):
        raise InvalidRequestError("a certificate is pinned by its SHA-256, in hex", pointer="/pinned_certificate")
    return plain


def _facts(peer: Peer) -> dict[str, Any]:
    """What the audit log says of a new peer: no address, which may hold a secret, and nothing of its credentials."""
    return {
        "kind": str(peer.lab.kind),
        "credentials": str(peer.credentials),
        "community": peer.community,
        "accepts_unsigned": peer.accepts_unsigned,
        "default_label": Tlp(peer.default_label).label,
        "highest_label": Tlp(peer.highest_label).label,
    }
