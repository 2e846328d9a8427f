"""What is to be tested: the rules of Sigma files and of STIX indicators.

A text may hold several rules; each that no correlation uses, or that one says to generate as well, is a signature.
What cannot be tested is a signature too, with the reason: nothing is skipped silently.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sigma.filters import SigmaFilter
from sigma.rule import SigmaRule

from exchange.stix.errors import ObjectInvalidError
from signatures.backtest.engine import printable
from signatures.conversion.carrying import header_of
from signatures.conversion.header import Header
from signatures.duckdb_backend.plans import Leaf, Plan, plan_of
from signatures.duckdb_backend.refusals import RefusedError
from signatures.intake import CURRENT
from signatures.intake import Signature as Given
from signatures.sigma import ParsedDocument, inspect_rule, named_fields, read_rules

MAX_NAME_CHARS = 200
INVALID = "invalid"
"""The state of a text that is no rule."""

# What one gateway's log holds; a rule for another product is about other events.
PRODUCTS = frozenset({"llm_gateway"})

_ELSEWHERE = frozenset({"title", "id"})


@dataclass(slots=True)
class Signature:
    """One thing to be tested.

    id: of the indicator, else of the rule, else its name or title. origin: the file. state: current, or why it is not
    in force. header: what a report carries of it. test: the rule or the correlation, None if it cannot be tested, for
    the reason given. is_invalid: whether the reason is a fault of the text. is_aside: whether it is out of use.
    fields: what its documents name.
    """

    id: str
    name: str
    origin: str
    state: str = CURRENT
    level: str = ""
    header: Header | None = None
    test: Leaf | Plan | None = None
    reason: str = ""
    is_invalid: bool = False
    is_aside: bool = False
    remarks: list[str] = field(default_factory=list)
    fields: frozenset[str] = frozenset()
    has_keywords: bool = False
    names: tuple[tuple[str, str], ...] = ()

    @property
    def carried(self) -> list[tuple[str, str]]:
        """(name, text) of all that its producer and others said of it; title and id stand elsewhere in a report."""
        return [item for item in self.header.items() if item[0] not in _ELSEWHERE] if self.header else []

    def refuse(self, reason: str) -> None:
        """Say that it cannot be tested after all."""
        self.test, self.reason = None, reason

    def put_aside(self, reason: str) -> None:
        """Say that it is out of use, and not tested for that."""
        self.refuse(reason)
        self.is_aside = True


def signatures_in(given: Given) -> list[Signature]:
    """The signatures of one Sigma text, alone or carried by an indicator.

    Raises: ObjectInvalidError with line and column.
    """
    inspected = inspect_rule(given.text)
    documents, _referenced = read_rules(given.text)
    fields = frozenset(each for item in documents for each in named_fields(item))
    names = tuple(
        (key, str(item.document.value[key]).lower() if key == "id" else item.document.value[key])
        for item in documents
        for key in ("id", "name")
        if key in item.document.value
    )
    found = []
    outer = [item for item in documents if not isinstance(item.rule, SigmaFilter) and item.rule._output]
    for item in outer:
        signature = _signature(item)
        signature.origin, signature.fields, signature.names = given.origin, fields, names
        signature.has_keywords = any(_has_keywords(condition) for each in documents for condition in each.conditions)
        signature.header = header_of(given, inspected, item.rule)
        signature.state = signature.header.state if given.states else signature.state
        if given.id:
            signature.id = given.id if len(outer) == 1 else f"{given.id} ({signature.id})"
            signature.name = given.name if given.name and len(outer) == 1 else signature.name
        signature.name = printable(signature.name)[:MAX_NAME_CHARS]
        found.append(signature)
    return found


def _signature(item: ParsedDocument) -> Signature:
    rule = item.rule
    if isinstance(rule, SigmaFilter):
        raise TypeError("a filter is no signature")
    title = str(rule.title)
    status = str(rule.status).lower() if rule.status is not None else ""
    signature = Signature(
        id=str(rule.id or rule.name or title),
        name=title,
        origin="",
        state=status if status in {"deprecated", "unsupported"} else CURRENT,
        level=str(rule.level).lower() if rule.level is not None else "",
    )
    if isinstance(rule, SigmaRule):
        signature.test = Leaf(rule)
        _check_log_sources(signature, [rule])
        return signature
    try:
        signature.test = plan = plan_of(rule)
    except RefusedError as error:
        signature.refuse(f"{error} ({place_of(error, item)})")
        return signature
    _check_log_sources(signature, [below.leaf.rule for below in plan.leaves])
    return signature


def _check_log_sources(signature: Signature, rules: list[SigmaRule]) -> None:
    for rule in rules:
        source = rule.logsource
        if source.product is not None and source.product not in PRODUCTS:
            signature.refuse(
                f"its log source is of the product {source.product!a:.60}, and these are logs of a gateway"
            )
        elif source.service is not None:
            remark = f"no column tells the service {source.service!a:.60} of its log source, so it leaves nothing out"
            signature.remarks.extend([remark] if remark not in signature.remarks else [])


def place_of(error: RefusedError, item: ParsedDocument) -> str:
    """The line and column of what was refused: the key of its field, else the document."""
    for path, text, is_key, place in item.document.texts():
        names_it = text.partition("|")[0] == error.field if is_key else text == error.field
        if error.field and names_it and path[:1] in (("detection",), ("correlation",), ("filter",)):
            return place
    return item.document.place(("correlation",) if "correlation" in item.document.value else ("detection",))


def _has_keywords(condition: Any) -> bool:
    stack = [condition]
    while stack:
        item = stack.pop()
        if hasattr(item, "args"):
            stack.extend(item.args)
        elif not hasattr(item, "field"):
            return True
    return False


def unusable(given: Given, reason: ObjectInvalidError | str, *, is_invalid: bool = True) -> Signature:
    """What stands for a text that is no rule, or none that can be tested (is_invalid False)."""
    signature = Signature(
        id=given.id or given.origin,
        name=printable(given.name or given.id or given.origin)[:MAX_NAME_CHARS],
        origin=given.origin,
        header=header_of(given, None),
    )
    signature.refuse(reason.message if isinstance(reason, ObjectInvalidError) else reason)
    signature.is_invalid = is_invalid
    signature.state = INVALID if is_invalid else ", ".join(given.states) or CURRENT
    return signature
