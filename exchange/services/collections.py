"""Collections as a reader or publisher sees them, and how operators make them.

A grant is one of the two conditions of every read; the other is the audience (services/sharing.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from typing import Any

from exchange.models import ApiRoot, Collection, Grant, Lab
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import execute, writing
from exchange.services.errors import ConflictError, InvalidRequestError, NotFoundError
from exchange.services.fixed_objects import share_fixed_objects
from exchange.services.late_grants import place_anew
from exchange.services.principals import Principal
from exchange.services.remembering import recall
from exchange.services.storing import retrying
from exchange.stix.markings import Tlp

DEFAULT_ROOT = "exchange"

HOME_COLLECTIONS = (
    ("signatures", "Detection signatures"),
    ("playbooks", "Blocking playbooks"),
    ("attribution", "Attribution"),
    ("feedback", "Feedback on all of these"),
    ("identities", "Identities, markings and extension definitions"),
)
FEEDBACK_COLLECTION = "feedback"
VIEW_OF_ALL = ("all", "Everything, as one read-only view")


@dataclass(frozen=True, slots=True)
class CollectionView:
    """A collection as one principal sees it.

    `sources` are the ids that a read goes over: the collection itself, or what a view shows to this principal.
    `open_sources` are those among them that a member reads without a grant, because they are public: there it is
    anybody, and finds what is for anybody. `without_origin` is the peer, if it is one, to which nothing returns that
    came from it. `granted_homes` are all collections of the node, in this root or not, that
    the principal reads as a member: what refers to something there must not be looser than it.
    """

    id: int
    public_id: uuid.UUID
    api_root: str
    alias: str
    title: str
    description: str
    scope: str
    floor: Tlp
    page_limit: int
    max_object_bytes: int
    is_view: bool
    can_read: bool
    can_write: bool
    sources: tuple[int, ...]
    open_sources: tuple[int, ...] = ()
    without_origin: int | None = None
    granted_homes: tuple[int, ...] = ()

    @property
    def bound_name(self) -> str:
        """What the bounds of a token call it."""
        return bound_name(self.api_root, self.alias)

    @property
    def granted_sources(self) -> tuple[int, ...]:
        """What the principal reads as a member."""
        return tuple(source for source in self.sources if source not in self.open_sources)


_VISIBLE = """
SELECT c.id, c.public_id, r.slug, c.alias, c.title, c.description, c.scope, c.floor, c.page_limit, c.is_view,
       c.public OR coalesce(g.can_read, false), coalesce(g.can_write, false), coalesce(g.can_read, false),
       c.max_object_bytes
FROM collection c
JOIN api_root r ON r.id = c.api_root_id
LEFT JOIN collection_grant g ON g.collection_id = c.id AND g.lab_id = %(lab)s
WHERE c.public OR c.is_view OR g.can_read OR g.can_write
ORDER BY c.public_id
"""


def visible_collections(principal: Principal, *, api_root: str = DEFAULT_ROOT) -> list[CollectionView]:
    """The root's collections that the principal may know of, by ascending id (TAXII 2.1 section 3.3). One query."""
    asker = (principal.lab_id, principal.kind, principal.scopes, str(principal.bounds.get("collections")))
    return recall(
        ("collections", api_root, asker),
        lambda: [view for view in visible_everywhere(principal) if view.api_root == api_root],
    )


def visible_everywhere(principal: Principal) -> list[CollectionView]:
    """The collections of all roots that the principal may know of, by ascending id. One query."""
    rows = execute(_VISIBLE, {"lab": principal.lab_id}).fetchall()
    bound = principal.bounds.get("collections")
    within = [row for row in rows if bound is None or row[9] or bound_name(row[2], row[3]) in bound]
    homes: dict[str, tuple[int, ...]] = {row[2]: () for row in within}
    for row in within:
        if row[10] and not row[9]:
            homes[row[2]] += (row[0],)
    ungranted = {row[0] for row in within if principal.is_granted and not row[12]}
    views = [_view(row, principal, homes[row[2]], ungranted) for row in within]
    readable = [home for of_root in homes.values() for home in of_root if home not in ungranted]
    granted = tuple(readable) if principal.allows("read") else ()
    views = [replace(view, granted_homes=granted) for view in views]
    return [view for view in views if view.sources or view.can_write]


def bound_name(api_root: str, alias: str) -> str:
    """A collection in the bounds of a token: its alias, in other roots than the default one `root/alias`.

    So a bound never reaches a collection of another community that happens to have the same alias.
    """
    return alias if api_root == DEFAULT_ROOT else f"{api_root}/{alias}"


def _view(
    row: tuple[Any, ...], principal: Principal, homes: tuple[int, ...], ungranted: Container[int]
) -> CollectionView:
    collection_id, public_id, root, alias, title, description, scope, floor, page_limit, is_view, reads, writes = row[
        :12
    ]
    sources = homes if is_view else (collection_id,) if reads else ()
    return CollectionView(
        id=collection_id,
        public_id=public_id,
        api_root=root,
        alias=alias,
        title=title,
        description=description,
        scope=scope,
        floor=Tlp(floor),
        page_limit=page_limit,
        max_object_bytes=row[13],
        is_view=is_view,
        can_read=bool(sources) and (principal.allows("read") or not principal.is_granted),
        can_write=writes and not is_view and _may_write(principal, alias),
        sources=sources,
        open_sources=tuple(source for source in sources if source in ungranted),
        without_origin=principal.peer.id if principal.peer is not None else None,
    )


def _may_write(principal: Principal, alias: str) -> bool:
    if principal.is_client:
        return False
    return principal.allows("publish") or (alias == FEEDBACK_COLLECTION and principal.allows("feedback"))


def home_view(collection: Collection) -> CollectionView:
    """A home collection as the node itself writes it, for nobody in particular: nothing is read through it."""
    return CollectionView(
        id=collection.id,
        public_id=collection.public_id,
        api_root=collection.api_root.slug,
        alias=collection.alias,
        title=collection.title,
        description=collection.description,
        scope=collection.scope,
        floor=Tlp(collection.floor),
        page_limit=collection.page_limit,
        max_object_bytes=collection.max_object_bytes,
        is_view=collection.is_view,
        can_read=False,
        can_write=not collection.is_view,
        sources=(),
    )


def find_collection(principal: Principal, name: str, *, api_root: str = DEFAULT_ROOT) -> CollectionView:
    """The visible collection with this id or alias.

    Raises:
        NotFoundError: none, or not for this principal: the two look the same.
    """
    for view in visible_collections(principal, api_root=api_root):
        if name in (view.alias, str(view.public_id)):
            return view
    raise NotFoundError("there is no such collection", code="collection-not-found")


def find_named(principal: Principal, name: str) -> CollectionView:
    """The visible collection of this id or alias in the default root, or `root/alias` in another.

    Raises:
        NotFoundError: as `find_collection`; a root that is not in sight looks the same.
    """
    root, slash, rest = name.partition("/")
    return find_collection(principal, rest, api_root=root) if slash else find_collection(principal, name)


def create_collection(
    *,
    actor: Principal,
    alias: str,
    title: str,
    api_root: str = DEFAULT_ROOT,
    scope: str = Collection.Scope.AGREEMENT,
    floor: Tlp = Tlp.CLEAR,
    public: bool = False,
    is_view: bool = False,
    readers: Iterable[Lab] = (),
    writers: Iterable[Lab] = (),
) -> Collection:
    """Create a collection with its grants.

    Raises:
        NotFoundError: no such root. ConflictError: the alias is taken in it.
        InvalidRequestError: a view that somebody may write.
    """
    reading, writing_labs = set(readers), set(writers)
    if is_view and writing_labs:
        raise InvalidRequestError("a view is read-only")
    with writing():
        root = ApiRoot.objects.filter(slug=api_root).first()
        if root is None:
            raise NotFoundError(f"there is no API root {api_root}", code="root-not-found")
        if Collection.objects.filter(api_root=root, alias=alias).exists():
            raise ConflictError(f"the alias {alias} is taken")
        collection = Collection.objects.create(
            api_root=root, alias=alias, title=title, scope=scope, floor=int(floor), public=public, is_view=is_view
        )
        for lab in sorted(reading | writing_labs, key=lambda each: each.slug):
            Grant.objects.create(collection=collection, lab=lab, can_read=lab in reading, can_write=lab in writing_labs)
        record_event(actor, "collection-created", alias, scope=str(scope), floor=floor.label, public=public)
        if not is_view:
            share_fixed_objects(collection.id)
    return collection


def grant_access(*, actor: Principal, collection: Collection, lab: Lab, can_read: bool, can_write: bool) -> None:
    """Set what a lab may do with a collection; acts at the next request.

    What the lab gets to read gets new places in the sequence, which may take a while in a large collection.
    """
    retrying(lambda: _grant(actor, collection, lab, can_read=can_read, can_write=can_write))


def _grant(actor: Principal, collection: Collection, lab: Lab, *, can_read: bool, can_write: bool) -> None:
    with writing():
        before = Grant.objects.select_for_update().filter(collection=collection, lab=lab).first()
        Grant.objects.update_or_create(
            collection=collection, lab=lab, defaults={"can_read": can_read, "can_write": can_write}
        )
        record_event(actor, "grant-set", collection.alias, lab=lab.slug, can_read=can_read, can_write=can_write)
        if can_read and not (before is not None and before.can_read):
            place_anew(collection, lab, now())


def create_default_collections(*, actor: Principal, api_root: str = DEFAULT_ROOT) -> None:
    """The default collections of a root, and the root itself on a new node; what exists is left as it is."""
    with writing():
        root, _ = ApiRoot.objects.get_or_create(
            slug=api_root, defaults={"title": "Intelligence about adversarial distillation"}
        )
        for alias, title in (*HOME_COLLECTIONS, VIEW_OF_ALL):
            _, made = Collection.objects.get_or_create(
                api_root=root, alias=alias, defaults={"title": title, "is_view": alias == VIEW_OF_ALL[0]}
            )
            if made:
                record_event(actor, "collection-created", alias)
