"""Results as lines for a terminal: a table of signatures, then what has to be known of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from signatures.backtest.engine import printable
from signatures.backtest.results import Outcome, Results

_NAME_CHARS: Final = 44
_HEADS: Final = ("signature", "state", "hits", "per day", "entities", "accounts", "precision", "recall")
_SHOWN_ENTITIES: Final = 5


def to_lines(results: Results) -> Iterator[str]:
    """The lines of a report; nothing in them can move a cursor."""
    span = (
        f", {results.first:%Y-%m-%d %H:%M} to {results.last:%Y-%m-%d %H:%M} UTC"
        if results.first and results.last
        else ""
    )
    yield f"{results.rows:,} rows{span}, {results.seconds:.1f} s"
    yield _line(_HEADS)
    for outcome in results.outcomes:
        yield _line(_cells(results, outcome))
    for remark in results.remarks:
        yield f"note: {printable(remark)}"
    for outcome in results.outcomes:
        yield from _details(outcome)


def _cells(results: Results, outcome: Outcome) -> tuple[str, ...]:
    signature = outcome.signature
    name = printable(signature.name)
    name = name if len(name) <= _NAME_CHARS else name[: _NAME_CHARS - 3] + "..."
    if not outcome.is_tested:
        return (name, signature.state, "not tested", *[""] * 5)
    judged = outcome.judgement
    return (
        name,
        signature.state,
        f"{outcome.hits:,}",
        f"{results.per_day(outcome):,.2f}",
        f"{outcome.entity_count:,}",
        f"{outcome.account_count:,}",
        share(judged.precision) if judged else "-",
        share(judged.recall) if judged else "-",
    )


def share(value: float | None) -> str:
    """A share in per cent, or a dash."""
    return "-" if value is None else f"{value:.1%}"


def _line(cells: tuple[str, ...]) -> str:
    name, state, *numbers = cells
    return f"{name:<{_NAME_CHARS}}  {state:<10}" + "".join(f"{each:>12}" for each in numbers).rstrip()


def _details(outcome: Outcome) -> Iterator[str]:
    signature = outcome.signature
    yield ""
    yield f"{printable(signature.name)}  {printable(signature.id)}"
    if signature.reason:
        yield f"  not tested: {printable(signature.reason)} ({printable(signature.origin)})"
    yield from (f"  {name}: {printable(text)}" for name, text in signature.carried)
    for remark in signature.remarks:
        yield f"  note: {printable(remark)}"
    for entity in outcome.entities[:_SHOWN_ENTITIES]:
        fields = ", ".join(f"{name}={value}" for name, value in entity.fields.items())
        when = f"{entity.first:%Y-%m-%d %H:%M} to {entity.last:%Y-%m-%d %H:%M}"
        yield f"  {printable(fields)}: {entity.hits:,} hits, {entity.events:,} events, {when}"
    if outcome.entity_count > _SHOWN_ENTITIES:
        yield f"  and {outcome.entity_count - _SHOWN_ENTITIES:,} more entities"
