"""Peers as readers: who lives at a peer, what may cross to it, and who it is to the rule (docs/sharing.md, "Peers")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from exchange.services.database import execute
from exchange.services.errors import NotFoundError
from exchange.services.principals import PeerTraits, Principal, PrincipalKind

# A thumbprint is a name here, and the pin or the chain says whose. A key that somebody else may hold names nobody: who
# named it means a node that it may not be. A lab that names one node twice means what it says less of.
_PEERS: Final = """
SELECT p.id, p.state = 'active' AND l.status = 'active', l.id, l.slug, coalesce(l.identity_id, ''), l.kind = 'node',
       p.community, p.highest_label, n.roots, h.residents, h.exclusive
FROM peer p
JOIN lab l ON l.id = p.lab_id
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(r.kid), '{}') AS roots
    FROM (SELECT thumbprint FROM pin WHERE lab_id = l.id
          UNION SELECT kid FROM signing_key WHERE lab_id = l.id AND use = 'root' AND nbf > 0
          EXCEPT SELECT kid FROM signing_key WHERE lab_id = l.id AND compromised_since IS NOT NULL) r (kid)
) n
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(m.identity_id), '{}') AS residents,
           coalesce(array_agg(m.identity_id) FILTER (WHERE m.exclusive), '{}') AS exclusive
    FROM (SELECT home_of.identity_id, bool_and(lab_home.exclusive) AS exclusive
          FROM lab_home JOIN lab home_of ON home_of.id = lab_home.lab_id
          WHERE lab_home.node_thumbprint = ANY (n.roots) AND home_of.identity_id IS NOT NULL
            AND home_of.kind = 'lab' AND home_of.status = 'active'
          GROUP BY home_of.identity_id) m
) h
"""
_OF_LAB: Final = _PEERS + "WHERE p.lab_id = %(lab)s"
_WITH_GRANTS: Final = f"""
SELECT known.*, ARRAY(SELECT g.collection_id FROM collection_grant g WHERE g.lab_id = known.lab_id AND g.can_read)
FROM ({_PEERS})
     AS known (id, is_active, lab_id, slug, identity, is_exchange, community, highest, roots, residents, exclusive)
ORDER BY known.id
"""  # noqa: S608 - put together from constants


@dataclass(frozen=True, slots=True)
class KnownPeer:
    """A peer as a reader without a token. is_active: neither it nor its lab's row is stopped. reads: ids of the
    collections that it has a grant for, where they were asked for."""

    principal: Principal
    is_active: bool
    reads: frozenset[int] = frozenset()

    @property
    def traits(self) -> PeerTraits:
        """What decides what may cross to it."""
        if self.principal.peer is None:
            raise AssertionError("a peer without traits")
        return self.principal.peer


def find_peer_reader(lab_id: int) -> KnownPeer | None:
    """The peer whose row among the labs this is; None if it is nobody's. One query."""
    row = execute(_OF_LAB, {"lab": lab_id}).fetchone()
    return None if row is None else _known(row)


def peer_principal(lab_id: int) -> Principal:
    """What the peer of this lab's row is to the rule now, for work that needs no token of it, such as a push to it.

    Raises:
        NotFoundError: there is no such peer, or it is paused or suspended.
    """
    found = find_peer_reader(lab_id)
    if found is None or not found.is_active:
        raise NotFoundError("there is no such peer, or it is stopped")
    return found.principal


def find_peers() -> list[KnownPeer]:
    """All peers, stopped ones too, with their grants. One query."""
    return [_known(row) for row in execute(_WITH_GRANTS, {}).fetchall()]


def homes_among_peers(identities: Iterable[str]) -> Mapping[str, frozenset[int]]:
    """Ids of the peers that each of these labs calls home (docs/wire-format.md, "Keys"). One query."""
    peers = [peer.traits for peer in find_peers()]
    return {each: frozenset(peer.id for peer in peers if each in peer.residents) for each in set(identities)}


def find_exchanges() -> list[KnownPeer]:
    """The peers among them that are exchanges and have an identity: those that can be told something."""
    return [peer for peer in find_peers() if peer.traits.is_exchange and peer.principal.lab_identity]


def _known(row: tuple[Any, ...]) -> KnownPeer:
    peer_id, is_active, lab_id, slug, identity, is_exchange, community, highest, roots, residents, exclusive = row[:11]
    traits = PeerTraits(
        id=peer_id,
        is_exchange=is_exchange,
        community=community,
        highest_label=highest,
        roots=frozenset(roots),
        residents=frozenset(residents) if is_exchange else frozenset(),
        exclusive=frozenset(exclusive) if is_exchange else frozenset(),
    )
    principal = Principal(
        kind=PrincipalKind.PEER,
        lab_id=lab_id,
        lab_slug=slug,
        lab_identity=identity,
        scopes=frozenset({"read"}),
        peer=traits,
    )
    return KnownPeer(principal, is_active, frozenset(row[11]) if len(row) > 11 else frozenset())
