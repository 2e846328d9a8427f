"""What a request makes objects of: checks them as drafts, has the node sign them where it may, and answers.

All or nothing: the object and its relationships are checked together before any of them is stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exchange.api.outcomes import answer_of, results_of
from exchange.api.problems import encoded
from exchange.api.publication import DOOR
from exchange.http.parameters import Parameters, malformed
from exchange.services import clock
from exchange.services.access import require_publishing, require_scope
from exchange.services.errors import AccessDeniedError, PolicyError
from exchange.services.idempotency import KeptAnswer
from exchange.services.own_objects import read_own
from exchange.services.principals import Principal
from exchange.services.publishing import check_drafts, publish_objects
from exchange.stix.canonical import canonicalize
from exchange.stix.errors import MarkingError
from exchange.stix.markings import Tlp
from exchange.stix.next_version import later_than
from exchange.stix.reading import read_object

Members = dict[str, Any]

NAMES: Final = frozenset({"marking", "distribution", "dry_run", "sign"})
"""Parameters of every request that makes objects."""

MAX_TARGETS: Final = 32
"""What is about more objects than this says nothing about any of them."""

_DISTRIBUTION: Final = re.compile("marking-definition--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Making:
    """Whose objects a request makes, how they are marked, and what becomes of them. label: None if nobody said."""

    principal: Principal
    label: Tlp | None
    distributions: tuple[str, ...]
    dry_run: bool
    sign: bool

    @property
    def producer(self) -> str:
        """The identity that makes them. Raises: AccessDeniedError: the lab has none yet."""
        if not self.principal.lab_identity:
            raise AccessDeniedError("your lab has published no identity yet", code="no-identity")
        return self.principal.lab_identity

    def markings(self, own: Tlp | None, what: str) -> tuple[str, ...]:
        """Ids of the markings. own: the label of what is carried, which counts where the request names none.

        Raises: PolicyError: neither of them has one.
        """
        label = self.label if self.label is not None else own
        if label is None:
            raise PolicyError(f"neither the request nor the {what} has a TLP marking", code="unmarked")
        return (label.marking_id, *self.distributions)

    def answer(self, objects: Sequence[Members], facts: Mapping[str, Any]) -> KeptAnswer:
        """Check the objects and publish them if they are to be signed here. facts: what else the answer says.

        Raises: ExchangeError: as publishing.
        """
        bodies = [canonicalize(each) for each in objects]
        outcomes = check_drafts(principal=self.principal, bodies=bodies)
        if any(outcome.error is not None for outcome in outcomes):
            return answer_of([outcome for outcome in outcomes if outcome.error is not None])
        if self.sign:
            outcomes = publish_objects(
                principal=self.principal,
                bodies=bodies,
                collection=None,
                door=DOOR,
                dry_run=self.dry_run,
                sign=True,
            )
        answered = answer_of(outcomes)
        if all(outcome.error is not None for outcome in outcomes):
            return answered
        said = {"results": results_of(outcomes), **facts}
        return KeptAnswer(answered.status, _with_objects(said, [outcome.body for outcome in outcomes]))


def read_making(parameters: Parameters, principal: Principal) -> Making:
    """What the parameters of every such request say.

    Raises: ExchangeError: the principal may not, or a parameter is malformed.
    """
    require_publishing(principal)
    sign = parameters.flag("sign")
    if sign:
        require_scope(principal, "sign")
    return Making(
        principal=principal,
        label=_label(parameters),
        distributions=parameters.listed("distribution", _DISTRIBUTION, "the id of a marking-definition"),
        dry_run=parameters.flag("dry_run"),
        sign=sign,
    )


def read_targets(parameters: Parameters, name: str, form: re.Pattern[str], what: str) -> tuple[str, ...]:
    """The ids of what an object is about. Raises: InvalidRequestError."""
    targets = parameters.listed(name, form, what)
    if len(targets) > MAX_TARGETS or len(set(targets)) < len(targets):
        raise malformed(name, f"names at most {MAX_TARGETS} objects, each once")
    return targets


def outstanding(principal: Principal, links: Sequence[Members]) -> list[Members]:
    """The relationships that are not there yet, or have to be there under other markings, as their next versions."""
    known = read_own(principal, [each["id"] for each in links])
    return [_next_version(each, known.get(each["id"])) for each in links if not _is_there(each, known)]


def _is_there(link: Members, known: Mapping[str, bytes]) -> bool:
    earlier = known.get(link["id"])
    if earlier is None:
        return False
    return set(read_object(earlier).members["object_marking_refs"]) == set(link["object_marking_refs"])


def _next_version(link: Members, earlier: bytes | None) -> Members:
    if earlier is None:
        return link
    members = read_object(earlier).members
    return link | {"created": members["created"], "modified": later_than(members["modified"], clock.now())}


def _label(parameters: Parameters) -> Tlp | None:
    text = parameters.text("marking")
    try:
        return None if text is None else Tlp.parse(text)
    except MarkingError as error:
        raise malformed("marking", f"takes a TLP label; in a query + is %2B. {error.message}") from None


def _with_objects(facts: Mapping[str, Any], bodies: Sequence[bytes]) -> bytes:
    """The facts, and the objects as they are, to the byte."""
    return encoded(facts)[:-1] + b',"objects":[' + b",".join(bodies) + b"]}"
