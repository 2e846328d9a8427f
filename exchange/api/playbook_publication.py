"""A playbook by REST: what the request wants, and making the objects that carry it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

from exchange.api import drafting
from exchange.api.drafting import Making, outstanding, read_making, read_targets
from exchange.http.bodies import media_type_of, read_body
from exchange.http.errors import UnsupportedMediaTypeError
from exchange.http.parameters import Parameters, malformed
from exchange.services.idempotency import KeptAnswer
from exchange.services.principals import Principal
from signatures.cacao import Finding, PlaybookInspection, check_safety, inspect_playbook, refuse_unsafe
from signatures.cacao.carrying import course_of_action, mitigates
from signatures.cacao.limits import MAX_PLAYBOOK_BYTES

JSON: Final = "application/json"
ABSTRACTIONS: Final = ("template", "executable")

NAMES: Final = drafting.NAMES | {"mitigates", "abstraction", "modified"}
_TARGET: Final = re.compile("(?:attack-pattern|indicator)--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class PlaybookPublication:
    """One request to publish a playbook."""

    making: Making
    body: bytes
    targets: tuple[str, ...]
    abstraction: str
    modified: str

    def run(self) -> KeptAnswer:
        """Check the playbook, make its objects, and publish them if they are to be signed here.

        Raises:
            StixError: the playbook is not valid or not safe, with a pointer into it. ExchangeError: as publishing.
        """
        inspection = inspect_playbook(self.body)
        findings = check_safety(inspection.members)
        if not inspection.revoked:
            refuse_unsafe(findings)
        return self.making.answer(self._objects(inspection), {"playbook": _facts_of(inspection, findings)})

    def _objects(self, inspection: PlaybookInspection) -> list[dict[str, Any]]:
        course = course_of_action(
            self.body,
            inspection,
            producer=self.making.producer,
            markings=self.making.markings(inspection.label, "playbook"),
            modified=self.modified,
            abstraction=self.abstraction,
        )
        links = [mitigates(course, target) for target in self.targets]
        return [course, *outstanding(self.making.principal, links)]


def read_playbook_publication(request: HttpRequest, principal: Principal) -> PlaybookPublication:
    """What the request wants.

    Raises:
        ExchangeError: the principal may not, or the request is malformed, too large or of another media type.
    """
    parameters = Parameters(request.META.get("QUERY_STRING", ""))
    parameters.allow_only(NAMES)
    making = read_making(parameters, principal)
    abstraction = parameters.text("abstraction") or ABSTRACTIONS[0]
    if abstraction not in ABSTRACTIONS:
        raise malformed("abstraction", f"is one of {', '.join(ABSTRACTIONS)}")
    parameters.instant("modified")
    return PlaybookPublication(
        making=making,
        body=_body_of(request),
        targets=read_targets(parameters, "mitigates", _TARGET, "the id of an attack-pattern or an indicator"),
        abstraction=abstraction,
        modified=parameters.text("modified") or "",
    )


def _body_of(request: HttpRequest) -> bytes:
    if media_type_of(request) != JSON:
        raise UnsupportedMediaTypeError(f"a playbook is sent as {JSON}")
    return read_body(request, max_body_bytes=MAX_PLAYBOOK_BYTES)


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
