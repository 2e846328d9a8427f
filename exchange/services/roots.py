"""API roots as a principal sees them: the trust groups of TAXII 2.1 section 4.2, and the limits of their doors."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.services.collections import DEFAULT_ROOT, FEEDBACK_COLLECTION
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
WHERE (%(member)s AND r.slug = %(default)s)
   OR EXISTS (SELECT FROM collection c LEFT JOIN collection_grant g ON g.collection_id = c.id AND g.lab_id = %(lab)s
              WHERE c.api_root_id = r.id AND NOT c.is_view
                AND (c.public OR g.can_read
                     OR g.can_write AND (%(publishes)s OR %(comments)s AND c.alias = %(feedback)s))
                AND (%(bound)s::text[] IS NULL OR c.alias = ANY (%(bound)s::text[])))
ORDER BY r.slug
"""


def visible_roots(principal: Principal) -> list[RootView]:
    """Roots in which the principal may read or write something, and for members the default one. One query."""
    bound = principal.bounds.get("collections")
    asker = {
        "member": principal.is_member,
        "default": DEFAULT_ROOT,
        "lab": principal.lab_id,
        "publishes": principal.allows("publish") and not principal.is_client,
        "comments": principal.allows("feedback") and not principal.is_client,
        "feedback": FEEDBACK_COLLECTION,
        "bound": None if bound is None else list(bound),
    }
    key = ("roots", *(str(value) for value in asker.values()))
    return recall(key, lambda: [RootView(*row) for row in execute(_VISIBLE, asker).fetchall()])


def find_root(principal: Principal, slug: str) -> RootView:
    """The visible root of this name.

    Raises:
        NotFoundError: none, or not for this principal: the two look the same.
    """
    for root in visible_roots(principal):
        if root.slug == slug:
            return root
    raise NotFoundError("there is no such API root", code=ROOT_NOT_FOUND)
