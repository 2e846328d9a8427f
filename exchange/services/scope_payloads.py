"""The scope guard inside payloads: what decoded Sigma rules and playbooks look at and say."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from exchange.services.errors import OutOfScopeError
from exchange.services.scope_agreement import Agreement
from exchange.services.scope_origin import rests_on_origin
from exchange.services.scope_texts import find_hints, find_refusal, readable
from exchange.stix.errors import shown
from exchange.stix.markings import Tlp

# How the location of a Sigma rule's description ends.
_DESCRIPTION: Final = "(description)"


@dataclass(frozen=True, slots=True)
class RuleFields:
    """One rule inside a payload. alternatives: the fields that must match in each way to satisfy it."""

    location: str
    alternatives: frozenset[frozenset[str]]


@dataclass(frozen=True, slots=True)
class Notice:
    """What whoever opened a payload found about it beyond its form. refuses: such content is not published."""

    code: str
    message: str
    refuses: bool


@dataclass(frozen=True, slots=True)
class Payload:
    """What an object carries inside one of its properties, decoded: a Sigma rule or a playbook.

    pointer: of the property. kind: "sigma" or "cacao". label: the strictest marking inside. texts: (location, text).
    remarks: (location, text) of comments, which are no part of the content.
    matches: (location, field) compared with a value written down. unlisted: (location, key) the format does not know.
    notices: what was found about it, in every collection.
    """

    pointer: str
    kind: str
    label: Tlp | None
    texts: tuple[tuple[str, str], ...]
    matches: tuple[tuple[str, str], ...] = ()
    fields: tuple[str, ...] = ()
    rules: tuple[RuleFields, ...] = ()
    unlisted: tuple[tuple[str, str], ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class ScopeWarning:
    """A hint that somebody should look; counted by rule."""

    rule: str
    pointer: str


def check_payload(payload: Payload, agreed: Agreement) -> list[ScopeWarning]:
    """Check one decoded payload against the agreement.

    Raises: OutOfScopeError with rule and the pointer of the payload.
    """
    for location, key in payload.unlisted:
        raise _refuse_inside(
            payload, "unlisted-property", location, f"The property {shown(key)} is not shared.", agreed
        )
    for location, field in payload.matches:
        broken = _match_refusal(field, agreed)
        if broken is not None:
            raise _refuse_inside(payload, broken, location, f"A value for {shown(field)}.", agreed)
    for field in payload.fields:
        if agreed.commercial_field.fullmatch(field):
            raise _refuse_inside(payload, "price-or-customer-data", "", f"The field {shown(field)}.", agreed)
    for rule in payload.rules:
        if any(rests_on_origin(alternative, agreed) for alternative in rule.alternatives):
            raise _refuse_inside(
                payload, "origin-alone", rule.location, "A way to satisfy the rule rests on origin alone.", agreed
            )
    return _check_payload_texts(payload, agreed)


def _match_refusal(field: str, agreed: Agreement) -> str | None:
    """Return the rule that a value written down for this field breaks."""
    if agreed.content_fields.fullmatch(field):
        return "prompt-or-completion"
    if agreed.account_fields.fullmatch(field):
        return "account-identifier"
    # A field that no log has is no feature, only a place to write something.
    return None if agreed.field_name.fullmatch(field) else "unlisted-property"


def _check_payload_texts(payload: Payload, agreed: Agreement) -> list[ScopeWarning]:
    """As `_check_prose`: all texts together first, then one by one only where that finds something."""
    texts = payload.texts
    warnings: list[ScopeWarning] = []
    _check_lengths(payload, agreed)
    if payload.kind == "cacao":
        texts = tuple(_without_appeal_addresses(payload, agreed))
    elif any(location.endswith("(author)") for location, _text in texts):
        warnings.append(ScopeWarning("names-an-author", payload.pointer))
    texts += payload.remarks
    together = readable("\n".join([text for _location, text in texts]))
    if find_refusal(together, agreed) is not None:
        for location, text in texts:
            found = find_refusal(readable(text), agreed)
            if found is not None:
                raise _refuse_inside(payload, found[0], location, found[1], agreed)
    is_rule = payload.kind == "sigma"
    if next(find_hints(together, agreed, may_run_on=is_rule), None) is not None:
        found_hints = (find_hints(readable(text), agreed, may_run_on=is_rule) for _location, text in texts)
        hints = {hint for each in found_hints for hint in each}
        warnings.extend(ScopeWarning(hint, payload.pointer) for hint in sorted(hints))
    return warnings


def _check_lengths(payload: Payload, agreed: Agreement) -> None:
    """Remarks are few, and a rule's texts other than its description are short."""
    remark_chars = 0
    for location, text in payload.remarks:
        remark_chars += len(text)
        if remark_chars > agreed.remark_chars:
            raise _refuse_inside(payload, "text-too-long", location, "The comments are too long.", agreed)
    if payload.kind == "sigma":
        for location, text in payload.texts:
            # A second bracket would stand in a key.
            is_description = location.endswith(_DESCRIPTION) and location.count("(") == 1
            if len(text) > (agreed.description_chars if is_description else agreed.literal_chars):
                raise _refuse_inside(payload, "text-too-long", location, "The text is too long.", agreed)


def _without_appeal_addresses(payload: Payload, agreed: Agreement) -> Iterator[tuple[str, str]]:
    for location, text in payload.texts:
        if agreed.refused_places.fullmatch(location):
            raise _refuse_inside(payload, "personal-data", location, "A playbook names no person.", agreed)
        if agreed.appeal_places.fullmatch(location):
            found = find_refusal(readable(text), agreed, may_hold_contact=True)
            if found is not None:
                raise _refuse_inside(payload, found[0], location, found[1], agreed)
        else:
            yield location, text


def _refuse_inside(payload: Payload, rule: str, location: str, detail: str, agreed: Agreement) -> OutOfScopeError:
    where = f" Place: {location}." if location else ""
    return OutOfScopeError(rule=rule, pointer=payload.pointer, detail=f"{detail}{where} Rule: {agreed.rules[rule]}")
