"""From a signature to queries: check, refuse or convert, and say where it came from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.rule import SigmaRule

from exchange.stix.errors import shown
from signatures.conversion.capabilities import note_on, reason_against
from signatures.conversion.carrying import header_of
from signatures.conversion.constructs import Construct, Use
from signatures.conversion.errors import Refusal, RefusedError
from signatures.conversion.header import Header, joined, listed
from signatures.conversion.options import Options
from signatures.conversion.plans import plan_of
from signatures.conversion.registry import Target
from signatures.conversion.uses import uses_in
from signatures.intake import EXPIRED, Signature, out_of_use
from signatures.sigma import SigmaInspection, inspect_rule
from signatures.sigma.yaml_reading import YamlDocument, read_documents


@dataclass(frozen=True, slots=True)
class Conversion:
    """One query for one rule of a signature. text: the query with what it carries; query: without."""

    target: str
    header: Header
    query: str
    text: str


def convert_signature(
    signature: Signature, target: Target, options: Options, *, include_revoked: bool = False
) -> tuple[Conversion, ...]:
    """The queries of a signature: of its outermost rules, and of those that `generate` asks for.

    Raises:
        ObjectInvalidError: the text is no Sigma; the message names document, line and column.
        RefusedError: the target cannot express it, or it is out of use or expired.
        UnknownTargetError: the target is not part of this installation.
    """
    inspected = inspect_rule(signature.text)
    documents = read_documents(signature.text)
    over = out_of_use(signature.states) or (EXPIRED if EXPIRED in signature.states else "")
    if over and not include_revoked:
        raise RefusedError(Refusal(over, "signature", "ask for it with --revoked"))
    uses = _uses(documents)
    _refuse(uses, target)
    _refuse_columns(uses, options)
    rules = [_rule(document) for document in documents]
    collection = SigmaCollection(rules)
    _refuse_plans(documents, rules, options)
    backend = target.load(options)
    try:
        queries = backend.convert(collection)
    except RefusedError as error:
        raise RefusedError(*(_placed(refusal, uses) for refusal in error.refusals)) from None
    except (SigmaError, NotImplementedError) as error:
        # The table has a gap: better no query than one that nobody has thought about.
        raise RefusedError(Refusal("unforeseen", documents[0].place(), shown(str(error)))) from None
    emitted = [rule for rule in collection.rules if rule._output and not isinstance(rule, SigmaFilter)]
    if len(emitted) != len(queries):
        reason = f"{len(queries)} queries for {len(emitted)} rules"
        raise RefusedError(Refusal("unforeseen", documents[0].place(), reason))
    notes = listed(note_on(target.name, use.construct) or "" for use in uses)
    return tuple(
        _conversion(signature, inspected, target, notes, rule, str(query))
        for rule, query in zip(emitted, queries, strict=True)
    )


def _uses(documents: Sequence[YamlDocument]) -> list[Use]:
    correlations = frozenset(
        document.value[key].lower() if key == "id" else document.value[key]
        for document in documents
        if "correlation" in document.value
        for key in ("id", "name")
        if key in document.value
    )
    return [use for document in documents for use in uses_in(document, correlations)]


def _refuse(uses: Sequence[Use], target: Target) -> None:
    refusals = [
        Refusal(_called(use), use.place, reason)
        for use in uses
        if (reason := reason_against(target.name, use.construct)) is not None
    ]
    if refusals:
        raise RefusedError(*dict.fromkeys(refusals))


def _refuse_columns(uses: Sequence[Use], options: Options) -> None:
    for use in uses:
        try:
            if use.field:
                options.column(use.field)
        except RefusedError as error:
            raise RefusedError(*(replace(each, place=use.place) for each in error.refusals)) from None


def _placed(refusal: Refusal, uses: Sequence[Use]) -> Refusal:
    """The refusal of a backend, which knows fields but no lines, with its place in the text."""
    alike = [use for use in uses if use.construct == refusal.construct]
    exact = [use for use in alike if use.field == refusal.place]
    place = next((use.place for use in (*exact, *alike)), refusal.place)
    return replace(refusal, place=place)


def _called(use: Use) -> str:
    return f"{use.construct} {use.detail}" if use.detail else str(use.construct)


def _refuse_plans(documents: Sequence[YamlDocument], rules: Sequence[Any], options: Options) -> None:
    for document, rule in zip(documents, rules, strict=True):
        if isinstance(rule, SigmaCorrelationRule):
            plan_of(rule, f"document {document.number}, {document.place(('correlation',))}")
        elif not options.knows_category(str(rule.logsource.category)):
            place = f"document {document.number}, {document.place(('logsource',))}"
            reason = f"{options.schema} has no class for {shown(rule.logsource.category)}"
            raise RefusedError(Refusal(Construct.LOG_SOURCE, place, reason))


def _rule(document: YamlDocument) -> SigmaRule | SigmaCorrelationRule | SigmaFilter:
    value = dict(document.value)
    if "correlation" in value:
        return SigmaCorrelationRule.from_dict(value)
    return SigmaFilter.from_dict(value) if "filter" in value else SigmaRule.from_dict(value)


def _conversion(
    signature: Signature, inspected: SigmaInspection, target: Target, notes: tuple[str, ...], rule: Any, query: str
) -> Conversion:
    header = header_of(signature, inspected, rule, notes)
    if target.comment is not None:
        return Conversion(target.name, header, query, joined(query, header.comment(target.comment), target.comment))
    body = json.loads(query)
    body["query"]["query_string"]["_name"] = header.field()
    return Conversion(target.name, header, query, json.dumps(body, indent=2, ensure_ascii=False))
