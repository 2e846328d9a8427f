"""What is to be tested: the rules of Sigma files, and of STIX indicators as `commonwatch pull` files them.

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
from signatures.conversion.signatures import CURRENT
from signatures.duckdb_backend.plans import Leaf, Plan, plan_of
from signatures.duckdb_backend.refusals import RefusedError
from signatures.sigma import ParsedDocument, named_fields, read_rules

MAX_NAME_CHARS = 200
# What one gateway's log holds; a rule for another product is about other events.
PRODUCTS = frozenset({"llm_gateway"})


@dataclass(slots=True)
class Signature:
    """One thing to be tested.

    id: of the indicator, else of the rule, else its name or title. origin: the file. state: current, or why it is not
    in force. test: the rule or the correlation, None if it cannot be tested, for the reason given.
    is_invalid: whether the reason is a fault of the text. fields: what its documents name.
    """

    id: str
    name: str
    origin: str
    state: str = CURRENT
    level: str = ""
    test: Leaf | Plan | None = None
    reason: str = ""
    is_invalid: bool = False
    remarks: list[str] = field(default_factory=list)
    fields: frozenset[str] = frozenset()
    has_keywords: bool = False
    names: tuple[tuple[str, str], ...] = ()

    def refuse(self, reason: str) -> None:
        """Say that it cannot be tested after all."""
        self.test, self.reason = None, reason


def signatures_of(text: str, origin: str, *, id: str = "", name: str = "", state: str = CURRENT) -> list[Signature]:
    """The signatures of one Sigma text; id, name and state are those of the indicator that carries it, if one does.

    Raises: ObjectInvalidError with line and column.
    """
    documents, _referenced = read_rules(text)
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
        signature.origin, signature.fields, signature.names = origin, fields, names
        signature.has_keywords = any(_has_keywords(condition) for each in documents for condition in each.conditions)
        signature.state = state if state != CURRENT else signature.state
        if id:
            signature.id = id if len(outer) == 1 else f"{id} ({signature.id})"
            signature.name = name if name and len(outer) == 1 else signature.name
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


def unusable(origin: str, error: ObjectInvalidError | str, *, id: str = "", name: str = "") -> Signature:
    """What stands for a text that is no rule."""
    message = error.message if isinstance(error, ObjectInvalidError) else error
    signature = Signature(id=id or origin, name=printable(name or origin)[:MAX_NAME_CHARS], origin=origin)
    signature.refuse(message)
    signature.is_invalid, signature.state = True, "invalid"
    return signature
