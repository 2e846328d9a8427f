"""Who asks: the reader or publisher behind a request, as a value.

Built anew for each request by services/access.py; nothing about audiences is kept in it, so membership, grants
and suspension act at the next request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class PrincipalKind(StrEnum):
    """The rows of docs/sharing.md, "Principals"."""

    ANONYMOUS = "anonymous"
    PERSON = "person"
    TOKEN = "token"  # noqa: S105 - a kind of principal, not a secret
    CLIENT = "client"
    PEER = "peer"
    OPERATOR = "operator"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class PeerTraits:
    """What decides what may cross to a peer, beside its grants (docs/sharing.md, "Peers").

    id: of its row in `peer`. is_exchange: it has a node identity and members of its own; else it is a plain feed.
    community: it serves the same members as this node. highest_label: 0 CLEAR to 4 RED, the strictest that is sent to
    it. roots: thumbprints of its root keys, by which identities name it. residents: identity ids of the active labs
    whose newest identity names it as a home; exclusive: those of them that say that it serves them alone.
    """

    id: int
    is_exchange: bool = False
    community: bool = False
    highest_label: int = 0
    roots: frozenset[str] = frozenset()
    residents: frozenset[str] = frozenset()
    exclusive: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Principal:
    """`lab_id` is the row of the lab, `lab_identity` its STIX identity ("" until one is pinned and published).

    peer: of a peer alone, whose row among the labs is `lab_id` then.
    """

    kind: PrincipalKind
    lab_id: int | None = None
    lab_slug: str = ""
    lab_identity: str = ""
    person_id: int | None = None
    person_identity: str = ""
    token_id: int | None = None
    token_prefix: str = ""
    scopes: frozenset[str] = frozenset()
    bounds: Mapping[str, Any] = field(default_factory=dict)
    fresh_second_factor: bool = False
    peer: PeerTraits | None = None

    @property
    def is_member(self) -> bool:
        """Speaks for an active lab, itself or through a client."""
        return self.kind in {PrincipalKind.PERSON, PrincipalKind.TOKEN, PrincipalKind.CLIENT}

    @property
    def is_granted(self) -> bool:
        """Reads by the grants of its lab's row, and without one is anybody: members and peers."""
        return self.is_member or self.kind is PrincipalKind.PEER

    @property
    def is_client(self) -> bool:
        return self.kind is PrincipalKind.CLIENT

    def allows(self, scope: str) -> bool:
        """Persons act by role at their door; tokens by scope."""
        return self.kind is PrincipalKind.PERSON or scope in self.scopes

    def __str__(self) -> str:
        if self.token_prefix:
            return f"token:{self.token_prefix}"
        if self.person_id is not None:
            return f"person:{self.person_id}"
        if self.kind is PrincipalKind.PEER:
            return f"peer:{self.lab_slug}"
        return str(self.kind)


ANONYMOUS = Principal(PrincipalKind.ANONYMOUS)
NODE = Principal(PrincipalKind.NODE)
OPERATOR = Principal(PrincipalKind.OPERATOR)
