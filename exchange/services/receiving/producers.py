"""Whose objects they are: labs that signed, whoever relayed them; and the peer itself for what nobody signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from exchange.models import Grant, Lab
from exchange.services.database import execute
from exchange.services.principals import Principal, PrincipalKind
from exchange.services.receiving.source import Source


@dataclass(frozen=True, slots=True)
class Producer:
    """A producer, and the rights that it has at this node.

    acting: the node on the producer's behalf; who the audit log names. reading, granted: as what, and where, the
    producer reads here. Of what it can read, the rules of publishing hold for what peers relay, too.
    """

    lab: Lab
    acting: Principal
    reading: Principal
    granted: tuple[int, ...]

    @property
    def lab_id(self) -> int:
        return self.lab.pk

    @property
    def identity(self) -> str:
        return self.lab.identity_id or ""

    @property
    def is_feed(self) -> bool:
        return self.lab.kind == Lab.Kind.FEED


def load_producers(lab_ids: Iterable[int]) -> Mapping[int, Producer]:
    """Producers by row id. Two queries."""
    labs = Lab.objects.in_bulk(sorted(set(lab_ids)))
    granted: dict[int, tuple[int, ...]] = {}
    rows = Grant.objects.filter(lab__in=list(labs), can_read=True).order_by("collection_id")
    for lab_id, collection_id in rows.values_list("lab_id", "collection_id"):
        granted[lab_id] = (*granted.get(lab_id, ()), collection_id)
    return {lab_id: _producer(lab, granted.get(lab_id, ())) for lab_id, lab in labs.items()}


_LOCK_LABS: Final = """
SELECT id FROM lab WHERE id IN (SELECT lab_id FROM signing_key WHERE kid = ANY (%(kids)s)) ORDER BY id FOR SHARE
"""


def lock_labs(kids: Iterable[str]) -> None:
    """Until the transaction ends, the labs of these keys are what they are: no identity of theirs is taken, and nobody
    suspends them. So what is judged of keys and labs afterwards still holds when it is stored."""
    wanted = sorted({kid for kid in kids if "\0" not in kid})
    if wanted:
        execute(_LOCK_LABS, {"kids": wanted}, prepare=False)


def feed_producer(source: Source) -> Producer:
    """The peer as the producer of what it vouches for."""
    return load_producers([source.lab_id])[source.lab_id]


def acting_for(lab: Lab) -> Principal:
    """The node, doing on a lab's behalf what the lab signed elsewhere."""
    return Principal(PrincipalKind.NODE, lab_id=lab.pk, lab_slug=lab.slug, lab_identity=lab.identity_id or "")


def _producer(lab: Lab, granted: tuple[int, ...]) -> Producer:
    is_member = lab.kind == Lab.Kind.LAB and lab.is_active
    reading = Principal(
        PrincipalKind.TOKEN if is_member else PrincipalKind.NODE,
        lab_id=lab.pk,
        lab_slug=lab.slug,
        lab_identity=lab.identity_id or "",
    )
    return Producer(lab, acting_for(lab), reading, granted if is_member else ())
