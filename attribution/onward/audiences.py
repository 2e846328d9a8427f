"""Whether an audience has those whom a request is for: the one sharing rule, asked for a lab or a lab's clients."""

from __future__ import annotations

from exchange.services.principals import Principal, PrincipalKind
from exchange.services.sharing import AudienceRule, may_read


def has_lab(audience: AudienceRule, identity: str) -> bool:
    """Whether a lab itself reads it, by a token. Grants on the collection are a second condition, and operators'."""
    return may_read(Principal(PrincipalKind.TOKEN, lab_identity=identity), audience)


def has_clients(audience: AudienceRule, identity: str) -> bool:
    """Whether the clients of a lab read it."""
    return may_read(Principal(PrincipalKind.CLIENT, lab_identity=identity), audience)


def has_asked_for(audience: AudienceRule, *, asker: str, for_lab: str | None) -> bool:
    """Whether it has the lab asked for, or for None the asking lab's clients. asker, for_lab: identity ids."""
    return has_clients(audience, asker) if for_lab is None else has_lab(audience, for_lab)
