"""API roots as a principal sees them: the trust groups of TAXII 2.1 section 4.2, and the limits of their doors."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.services.collections import DEFAULT_ROOT, visible_everywhere
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


_NAMED = """
SELECT slug, title, description, max_content_bytes FROM api_root WHERE slug = ANY (%(slugs)s) ORDER BY slug
"""


def visible_roots(principal: Principal) -> list[RootView]:
    """Roots in which the principal may read or write something, and for members the default one. Two queries."""
    asker = (principal.lab_id, principal.kind, principal.scopes, str(principal.bounds.get("collections")))
    return recall(("roots", asker), lambda: _read_visible(principal))


def _read_visible(principal: Principal) -> list[RootView]:
    slugs = {view.api_root for view in visible_everywhere(principal)}
    slugs |= {DEFAULT_ROOT} if principal.is_member else set()
    return [RootView(*row) for row in execute(_NAMED, {"slugs": sorted(slugs)}).fetchall()]


def find_root(principal: Principal, slug: str) -> RootView:
    """The visible root of this name.

    Raises:
        NotFoundError: none, or not for this principal: the two look the same.
    """
    for root in visible_roots(principal):
        if root.slug == slug:
            return root
    raise NotFoundError("there is no such API root", code=ROOT_NOT_FOUND)
