"""API roots as a principal sees them: the trust groups of TAXII 2.1 section 4.2, and the limits of their doors."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.services.database import execute
from exchange.services.errors import NotFoundError
from exchange.services.principals import Principal
from exchange.services.remembering import recall

ROOT_NOT_FOUND = "root-not-found"


@dataclass(frozen=True, slots=True)
class RootView:
    """One API root. `max_content_bytes` bounds request bodies."""

    slug: str
    title: str
    description: str
    max_content_bytes: int


_VISIBLE = """
SELECT r.slug, r.title, r.description, r.max_content_bytes FROM api_root r
WHERE %(member)s OR EXISTS (SELECT FROM collection c WHERE c.api_root_id = r.id AND c.public)
ORDER BY r.slug
"""


def visible_roots(principal: Principal) -> list[RootView]:
    """All roots for members; for everybody else those with something public. One query."""
    asker = {"member": principal.is_member}
    return recall(
        ("roots", principal.is_member), lambda: [RootView(*row) for row in execute(_VISIBLE, asker).fetchall()]
    )


def find_root(principal: Principal, slug: str) -> RootView:
    """The visible root of this name.

    Raises:
        NotFoundError: none, or not for this principal: the two look the same.
    """
    for root in visible_roots(principal):
        if root.slug == slug:
            return root
    raise NotFoundError("there is no such API root", code=ROOT_NOT_FOUND)
