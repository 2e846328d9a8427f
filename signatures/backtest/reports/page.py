"""Results as one HTML page that needs nothing else: no script, no font, no address is loaded.

Titles, ids and values of logs are hostile; each passes `escape`, and the page forbids itself everything but its style.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from signatures.backtest.engine import printable
from signatures.backtest.reports.charts import days_chart, loads_chart, shares_chart
from signatures.backtest.reports.lines import share
from signatures.backtest.results import Outcome, Results
from signatures.intake import CURRENT

# Plots of more signatures than this say nothing.
_MAX_BARS: Final = 60
_STYLE: Final = """
body{font:15px/1.45 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-top:1px solid #d0d7de;padding-top:1rem}
table{border-collapse:collapse;margin:.6rem 0;font-size:.9rem}th,td{padding:.25rem .6rem;text-align:left;
border-bottom:1px solid #e4e8ec;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
code{font-size:.85rem;overflow-wrap:anywhere}.state{color:#9a3412;font-weight:600}.note{color:#57606a}
svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#57606a}svg line{stroke:#8c959f}
svg .bar{fill:#2f6f9f}.scroll{overflow-x:auto}
"""


def to_page(results: Results) -> bytes:
    """The page, in UTF-8."""
    return "".join(_parts(results)).encode("utf-8", "replace")


def _parts(results: Results) -> Iterator[str]:
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>Backtest of signatures</title><style>{_STYLE}</style></head><body><h1>Backtest of signatures</h1>"
    span = (
        f" from {results.first:%Y-%m-%d %H:%M} to {results.last:%Y-%m-%d %H:%M} UTC"
        if results.first and results.last
        else ""
    )
    yield f"<p>{results.rows:,} rows{span}, in {results.seconds:.1f} s.</p>"
    if results.label:
        yield (
            f"<p>Held against the campaigns in <code>{_text(results.label)}</code>. A hit is true if more than half of "
            "the events behind it bear a campaign; precision is the share of true hits. Recall is the share of "
            "campaigns with an event behind a true hit.</p>"
        )
    yield from (f'<p class="note">{_text(remark)}</p>' for remark in results.remarks)
    yield _overview(results)
    yield from _plots(results)
    for outcome in results.outcomes:
        yield from _section(results, outcome)
    yield "</body></html>\n"


def _overview(results: Results) -> str:
    heads = ("signature", "state", "level", "hits", "a day", "entities", "accounts", "precision", "recall")
    return _table(heads, (_row(results, outcome) for outcome in results.outcomes), first_number=3)


def _row(results: Results, outcome: Outcome) -> tuple[str, ...]:
    signature, judged = outcome.signature, outcome.judgement
    head = (signature.name, signature.state, signature.level or "-")
    if not outcome.is_tested:
        return (*head, "not tested", *["-"] * 5)
    return (
        *head,
        f"{outcome.hits:,}",
        f"{results.per_day(outcome):,.2f}",
        f"{outcome.entity_count:,}",
        f"{outcome.account_count:,}",
        share(judged.precision) if judged else "-",
        share(judged.recall) if judged else "-",
    )


def _plots(results: Results) -> Iterator[str]:
    tested = [outcome for outcome in results.outcomes if outcome.is_tested]
    if not 0 < len(tested) <= _MAX_BARS:
        return
    yield "<h2>Expected alerts a day</h2>"
    yield loads_chart([(printable(each.signature.name), results.per_day(each)) for each in tested])
    if results.label:
        judged = [(printable(each.signature.name), each.judgement) for each in tested]
        yield "<h2>Precision</h2>"
        yield shares_chart("Precision", [(name, each.precision if each else None) for name, each in judged])
        yield "<h2>Recall</h2>"
        yield shares_chart("Recall", [(name, each.recall if each else None) for name, each in judged])


def _section(results: Results, outcome: Outcome) -> Iterator[str]:
    signature = outcome.signature
    yield f"<h2>{_text(signature.name)}</h2><p><code>{_text(signature.id)}</code> "
    yield f'<span class="note">{_text(signature.origin)}</span>'
    yield f' <span class="state">{_text(signature.state)}</span></p>' if signature.state != CURRENT else "</p>"
    if signature.reason:
        yield f"<p>Not tested: {_text(signature.reason)}</p>"
    yield from (f'<p class="note">{_text(remark)}</p>' for remark in signature.remarks)
    yield _table(("carried", "as stated"), signature.carried, first_number=2)
    if not outcome.hits:
        return
    if results.first and results.last:
        yield days_chart(outcome.days, results.first.date(), results.last.date())
    yield f"<p>{outcome.entity_count:,} entities, {outcome.hits:,} hits, {outcome.events:,} events behind them.</p>"
    yield from _campaigns(outcome)
    yield "<details><summary>Entities</summary>"
    rows = (
        (
            _fields(each.fields),
            f"{each.hits:,}",
            f"{each.events:,}",
            f"{each.first:%Y-%m-%d %H:%M}",
            f"{each.last:%Y-%m-%d %H:%M}",
        )
        for each in outcome.entities
    )
    yield _table(("entity", "hits", "events", "first", "last"), rows, first_number=1)
    yield "</details><details><summary>Hits with the most events</summary>"
    yield _table(
        ("entity", "from", "to", "events", "labelled", "accounts", "some of them"), _windows(outcome), first_number=3
    )
    yield "</details>"


def _windows(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    for each in outcome.windows:
        yield (
            _fields(each.fields),
            f"{each.start:%Y-%m-%d %H:%M:%S}",
            f"{each.end:%Y-%m-%d %H:%M:%S}",
            f"{each.events:,}",
            "-" if each.events_labelled is None else f"{each.events_labelled:,}",
            f"{each.account_count:,}",
            ", ".join(each.accounts),
        )


def _campaigns(outcome: Outcome) -> Iterator[str]:
    if outcome.judgement is None or not outcome.judgement.campaigns:
        return
    rows = (
        (
            each.name,
            f"{each.events:,}",
            f"{each.events_found:,}",
            share(each.recall),
            f"{each.accounts_found:,} of {each.accounts:,}",
        )
        for each in outcome.judgement.campaigns
    )
    yield _table(("campaign", "events", "found", "share", "accounts"), rows, first_number=1)


def _fields(fields: object) -> str:
    return ", ".join(f"{name}={value}" for name, value in fields.items()) if isinstance(fields, dict) else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, first_number: int) -> str:
    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="n">{_text(value)}</{tag}>' if place >= first_number else f"<{tag}>{_text(value)}</{tag}>"
            for place, value in enumerate(values)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{cells("th", heads)}</tr>{body}</table></div>'


def _text(value: str) -> str:
    return escape(printable(value))
