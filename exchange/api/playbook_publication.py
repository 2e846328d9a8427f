"""A playbook by REST: what the request wants, and making the objects that carry it.

All or nothing: the course-of-action and its relationships are checked together before any of them is stored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

from exchange.api.outcomes import answer_of, results_of
from exchange.api.problems import encoded
from exchange.api.publication import DOOR
from exchange.http.bodies import read_body
from exchange.http.errors import UnsupportedMediaTypeError
from exchange.http.parameters import Parameters, malformed
from exchange.services.access import require_publishing, require_scope
from exchange.services.errors import AccessDeniedError, PolicyError
from exchange.services.idempotency import KeptAnswer
from exchange.services.principals import Principal
from exchange.services.publishing import check_drafts, publish_objects
from exchange.stix.canonical import canonicalize
from exchange.stix.errors import MarkingError
from exchange.stix.markings import Tlp
from signatures.cacao import Finding, PlaybookInspection, check_safety, inspect_playbook, refuse_unsafe
from signatures.cacao.carrying import course_of_action, mitigates
from signatures.cacao.limits import MAX_PLAYBOOK_BYTES

JSON: Final = "application/json"
ABSTRACTIONS: Final = ("template", "executable")
MAX_TARGETS: Final = 32
"""A playbook against more techniques than this says nothing about any of them."""

NAMES: Final = frozenset({"marking", "distribution", "mitigates", "abstraction", "modified", "dry_run", "sign"})
_TARGET: Final = re.compile("(?:attack-pattern|indicator)--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DISTRIBUTION: Final = re.compile("marking-definition--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class PlaybookPublication:
    """One request to publish a playbook. label: None where the playbook's own marking counts."""

    principal: Principal
    body: bytes
    label: Tlp | None
    distributions: tuple[str, ...]
    targets: tuple[str, ...]
    abstraction: str
    modified: str
    dry_run: bool
    sign: bool

    def run(self) -> KeptAnswer:
        """Check the playbook, make its objects, and publish them if they are to be signed here.

        Raises:
            StixError: the playbook is not valid or not safe, with a pointer into it. ExchangeError: as publishing.
        """
        inspection = inspect_playbook(self.body)
        findings = check_safety(inspection.members)
        if not inspection.revoked:
            refuse_unsafe(findings)
        bodies = [canonicalize(each) for each in self._objects(inspection)]
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
        if all(outcome.error is not None for outcome in outcomes):
            return answer_of(outcomes)
        answered = answer_of(outcomes)
        facts = {"results": results_of(outcomes), "playbook": _facts_of(inspection, findings)}
        return KeptAnswer(answered.status, _with_objects(facts, [outcome.body for outcome in outcomes]))

    def _objects(self, inspection: PlaybookInspection) -> list[dict[str, Any]]:
        label = self.label if self.label is not None else inspection.label
        if label is None:
            raise PolicyError("neither the request nor the playbook has a TLP marking", code="unmarked")
        if not self.principal.lab_identity:
            raise AccessDeniedError("your lab has published no identity yet", code="no-identity")
        course = course_of_action(
            self.body,
            inspection,
            producer=self.principal.lab_identity,
            markings=[label.marking_id, *self.distributions],
            modified=self.modified,
            abstraction=self.abstraction,
        )
        return [course, *(mitigates(course, target) for target in self.targets)]


def read_playbook_publication(request: HttpRequest, principal: Principal) -> PlaybookPublication:
    """What the request wants.

    Raises:
        ExchangeError: the principal may not, or the request is malformed, too large or of another media type.
    """
    require_publishing(principal)
    parameters = Parameters(request.META.get("QUERY_STRING", ""))
    parameters.allow_only(NAMES)
    sign = parameters.flag("sign")
    if sign:
        require_scope(principal, "sign")
    targets = parameters.listed("mitigates", _TARGET, "the id of an attack-pattern or an indicator")
    if len(targets) > MAX_TARGETS or len(set(targets)) < len(targets):
        raise malformed("mitigates", f"names at most {MAX_TARGETS} objects, each once")
    abstraction = parameters.text("abstraction") or ABSTRACTIONS[0]
    if abstraction not in ABSTRACTIONS:
        raise malformed("abstraction", f"is one of {', '.join(ABSTRACTIONS)}")
    modified = parameters.text("modified") or ""
    parameters.instant("modified")
    return PlaybookPublication(
        principal=principal,
        body=_body_of(request),
        label=_label(parameters),
        distributions=parameters.listed("distribution", _DISTRIBUTION, "the id of a marking-definition"),
        targets=targets,
        abstraction=abstraction,
        modified=modified,
        dry_run=parameters.flag("dry_run"),
        sign=sign,
    )


def _body_of(request: HttpRequest) -> bytes:
    if request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != JSON:
        raise UnsupportedMediaTypeError(f"a playbook is sent as {JSON}")
    return read_body(request, max_body_bytes=MAX_PLAYBOOK_BYTES)


def _label(parameters: Parameters) -> Tlp | None:
    text = parameters.text("marking")
    try:
        return None if text is None else Tlp.parse(text)
    except MarkingError as error:
        raise malformed("marking", f"takes a TLP label; in a query + is %2B. {error.message}") from None


def _facts_of(inspection: PlaybookInspection, findings: Sequence[Finding]) -> dict[str, Any]:
    warnings = [(each.code, each.pointer, each.message) for each in findings]
    warnings += inspection.warnings
    return {
        "id": inspection.id,
        "modified": inspection.modified,
        "label": None if inspection.label is None else inspection.label.label,
        "signatures": [
            {
                "pointer": each.pointer,
                "signee": each.signee,
                "algorithm": each.algorithm,
                "standing": str(each.standing),
                "key_thumbprint": each.key_thumbprint,
            }
            for each in inspection.signatures
        ],
        "warnings": [{"code": code, "pointer": pointer, "detail": text} for code, pointer, text in warnings],
    }


def _with_objects(facts: dict[str, Any], bodies: Sequence[bytes]) -> bytes:
    """The facts, and the objects as they are, to the byte."""
    return encoded(facts)[:-1] + b',"objects":[' + b",".join(bodies) + b"]}"
