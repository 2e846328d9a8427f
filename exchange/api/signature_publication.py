"""A signature by REST: what the request wants, and making the indicator that carries it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

from exchange.api import drafting
from exchange.api.drafting import Making, outstanding, read_making, read_targets
from exchange.http.bodies import media_type_of, read_body
from exchange.http.errors import UnsupportedMediaTypeError
from exchange.http.parameters import Parameters, malformed
from exchange.services import clock
from exchange.services.errors import InvalidRequestError, NotFoundError
from exchange.services.idempotency import KeptAnswer
from exchange.services.own_objects import read_own
from exchange.services.principals import Principal
from exchange.stix.errors import ObjectInvalidError
from exchange.stix.reading import read_object
from signatures.atlas import TECHNIQUES
from signatures.authoring import (
    AuthoredPattern,
    Authorship,
    Statement,
    indicates,
    indicator,
    indicator_id,
    known_targets,
    read_sigma,
    read_stix,
    unchanged,
)
from signatures.sigma.limits import MAX_TEXT_BYTES

YAML: Final = "application/yaml"
TEXT: Final = "text/plain"
READERS: Final[Mapping[str, Callable[[str], AuthoredPattern]]] = {
    YAML: read_sigma,  # RFC 9512; the others are what was usual before it
    "application/x-yaml": read_sigma,
    "text/yaml": read_sigma,
    TEXT: read_stix,
}
NAMES: Final = drafting.NAMES | {
    "id",
    "name",
    "description",
    "indicator_types",
    "confidence",
    "phases",
    "techniques",
    "valid_from",
    "valid_until",
    "indicates",
}
_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TARGET: Final = re.compile(f"(?:attack-pattern|campaign|infrastructure|intrusion-set|threat-actor|tool)--{_UUID}")
_INDICATOR: Final = re.compile(f"indicator--{_UUID}")
_WORD: Final = re.compile("[a-z0-9-]{1,100}")
_TECHNIQUE: Final = re.compile(r"AML\.T[0-9]{4}(?:\.[0-9]{3})?")
_CONFIDENCE: Final = re.compile("[0-9]{1,3}")
_MAX_CONFIDENCE: Final = 100


@dataclass(frozen=True, slots=True)
class SignaturePublication:
    """One request to publish a signature. id: of the indicator that it is a version of, "" for that of the rule."""

    making: Making
    body: bytes
    read: Callable[[str], AuthoredPattern]
    statement: Statement
    id: str
    targets: tuple[str, ...]

    def run(self) -> KeptAnswer:
        """Check the pattern, make its objects, and publish them if they are to be signed here.

        Raises:
            StixError: the pattern is not valid; line and column stand in the message. ExchangeError: as publishing.
        """
        pattern = self.read(_text_of(self.body))
        if not (self.statement.name or pattern.name):
            raise InvalidRequestError("a STIX pattern has no title: give the parameter name", code="name-missing")
        made, earlier = self._indicator(pattern)
        targets = dict.fromkeys((*known_targets(pattern.techniques + self.statement.techniques), *self.targets))
        links = [indicates(made, target) for target in targets]
        facts = {"signature": _facts_of(pattern, earlier, made)}
        return self.making.answer([made, *outstanding(self.making.principal, links)], facts)

    def _indicator(self, pattern: AuthoredPattern) -> tuple[dict[str, Any], Mapping[str, Any] | None]:
        """The indicator, and the version before it. What says nothing new is the version that is there."""
        stix_id = self.id or indicator_id(self.making.producer, pattern.rule_id)
        body = read_own(self.making.principal, [stix_id]).get(stix_id)
        if self.id and body is None:
            raise NotFoundError("your lab has no indicator of this id", code="object-not-found")
        earlier = None if body is None else read_object(body).members
        made = indicator(
            pattern,
            self.statement,
            Authorship(
                producer=self.making.producer,
                markings=self.making.markings(pattern.label, "rule"),
                at=clock.now(),
                id=stix_id,
                earlier=earlier,
            ),
        )
        if earlier is not None and unchanged(made, earlier, keeps_expiry=not self.statement.valid_until):
            made = {name: earlier[name] for name in made if name in earlier}
        return made, earlier


def read_signature_publication(request: HttpRequest, principal: Principal) -> SignaturePublication:
    """What the request wants.

    Raises:
        ExchangeError: the principal may not, or the request is malformed, too large or of another media type.
    """
    parameters = Parameters(request.META.get("QUERY_STRING", ""))
    parameters.allow_only(NAMES)
    making = read_making(parameters, principal)
    stix_id = parameters.text("id") or ""
    if stix_id and _INDICATOR.fullmatch(stix_id) is None:
        raise malformed("id", "is the id of an indicator")
    return SignaturePublication(
        making=making,
        read=_reader_of(request),
        body=read_body(request, max_body_bytes=MAX_TEXT_BYTES),
        statement=_statement(parameters),
        id=stix_id,
        targets=read_targets(parameters, "indicates", _TARGET, "the id of an object that an indicator may indicate"),
    )


def _reader_of(request: HttpRequest) -> Callable[[str], AuthoredPattern]:
    media_type = media_type_of(request)
    if media_type not in READERS:
        raise UnsupportedMediaTypeError(f"a Sigma rule is sent as {YAML}, a STIX pattern as {TEXT}")
    return READERS[media_type]


def _statement(parameters: Parameters) -> Statement:
    for name in ("valid_from", "valid_until"):
        parameters.instant(name)
    return Statement(
        name=parameters.text("name") or "",
        description=parameters.text("description") or "",
        indicator_types=parameters.listed("indicator_types", _WORD, "a type of indicator"),
        confidence=_confidence(parameters),
        phases=parameters.listed("phases", _WORD, "a phase of the kill chain"),
        techniques=parameters.listed("techniques", _TECHNIQUE, "a technique of ATLAS"),
        valid_from=parameters.text("valid_from") or "",
        valid_until=parameters.text("valid_until") or "",
    )


def _confidence(parameters: Parameters) -> int | None:
    text = parameters.text("confidence")
    if text is None:
        return None
    if _CONFIDENCE.fullmatch(text) is None or int(text) > _MAX_CONFIDENCE:
        raise malformed("confidence", f"is a whole number from 0 to {_MAX_CONFIDENCE}")
    return int(text)


def _text_of(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise ObjectInvalidError("pattern-encoding", f"Line {line}, column {column}: the text is not UTF-8.") from None


def _facts_of(pattern: AuthoredPattern, earlier: Mapping[str, Any] | None, made: Mapping[str, Any]) -> dict[str, Any]:
    unknown = [each for each in pattern.techniques if each not in TECHNIQUES]
    warnings = [("pattern", text) for text in pattern.warnings]
    warnings += [("technique-unknown", f"{each} is no technique that is known here") for each in unknown]
    return {
        "pattern_type": pattern.type,
        "rule_id": pattern.rule_id or None,
        "label": None if pattern.label is None else pattern.label.label,
        "techniques": list(pattern.techniques),
        "replaces": None if earlier is None or earlier["modified"] == made["modified"] else earlier["modified"],
        "warnings": [{"code": code, "pointer": "/pattern", "detail": text} for code, text in warnings],
    }
