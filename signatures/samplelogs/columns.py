"""Makes columns of rows: the vocabulary's names and types, and what is drawn for one request alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from signatures.samplelogs.accounts import Account, TemplateBook
from signatures.samplelogs.clusters import clusters_of
from signatures.samplelogs.draws import (
    Flags,
    Integers,
    Numbers,
    Words,
    below,
    drawn,
    exponential,
    fractions,
    key_of,
    mixed,
)
from signatures.samplelogs.names import ADDRESSES, addresses, hexadecimal
from signatures.samplelogs.rows import EVENTS, REQUEST, Rows
from signatures.samplelogs.span import Span
from signatures.samplelogs.units import MS_PER_DAY, MS_PER_HOUR, MS_PER_SECOND
from signatures.samplelogs.windows import Aggregates
from signatures.vocabulary import VOCABULARY, FieldType

LABELS: Final = ("llmx.label.campaign", "llmx.label.lookalike")
"""Columns that only evaluations may read: what is planted, and what benign events look like."""

ARROW_TYPES: Final = {
    FieldType.STRING: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.TIMESTAMP: pa.timestamp("ms", tz="UTC"),
}
"""Of columns, by the vocabulary's types."""
_OK: Final = 200
_SHUT_OUT: Final = 403
_TOO_MANY: Final = 429
_BROKEN: Final = 500
_BREAKS: Final = 0.002
_ERRORS: Final = {_OK: None, _SHUT_OUT: "account_blocked", _TOO_MANY: "quota_exceeded", _BROKEN: "server_error"}
_MAX_TOKENS: Final = np.array([1024, 2048, 4096, 8192, 16384])
_TEMPERATURES: Final = np.array([0.0, 0.2, 0.7, 1.0])
_HUNDREDTHS: Final = 100

# Text of an account by the name of its column.
_OF_ACCOUNT: Final[Mapping[str, Callable[[Account], Any]]] = {
    "user.id": lambda account: account.id,
    "llmx.org.id": lambda account: account.org,
    "llmx.account.plan": lambda account: account.plan.name,
    "llmx.account.kyc_level": lambda account: account.kyc,
    "llmx.account.declared_use": lambda account: account.use,
    "llmx.account.signup_channel": lambda account: account.channel,
    "llmx.account.email_domain": lambda account: account.email_domain,
    "llmx.account.email_disposable": lambda account: account.is_disposable,
    "llmx.payment.instrument_token": lambda account: account.instrument,
    "llmx.payment.type": lambda account: account.payment,
    "llmx.payment.country_mismatch": lambda account: account.is_foreign_card,
    "geo.country.iso_code": lambda account: account.country,
    "llmx.client.asn": lambda account: account.asn,
    "llmx.client.proxy_class": lambda account: account.network,
}
_OF_REQUEST_BY_ACCOUNT: Final[Mapping[str, Callable[[Account], Any]]] = {
    "llmx.key.id": lambda account: account.key,
    "llmx.client.tls_fp": lambda account: account.tls,
    "llmx.client.harness": lambda account: account.harness,
    "user_agent.original": lambda account: account.agent,
    "llmx.request.batch": lambda account: account.is_batch,
    "llmx.request.n_samples": lambda account: account.samples,
}
_OF_TEMPLATE: Final = ("llmx.prompt.template_family", "llmx.prompt.task_class", "llmx.prompt.injected_prefix_hash")


class Columns:
    """The columns of a log whose accounts, templates and span are known."""

    def __init__(self, accounts: Sequence[Account], book: TemplateBook, seed: int, span: Span) -> None:
        self._span, self._accounts = span, accounts
        self._template_key, self._prefix_key = key_of(seed, "template"), key_of(seed, "prefix")
        texts = {**_OF_ACCOUNT, **_OF_REQUEST_BY_ACCOUNT}
        self._account_texts = {name: _values([of(each) for each in accounts]) for name, of in texts.items()}
        self._account_texts["llmx.cluster.id"] = _values(clusters_of(accounts))
        self._labels = [pa.array([account.campaign for account in accounts]), pa.array([a.lookalike for a in accounts])]
        self.quotas = np.array([account.plan.quota for account in accounts])
        self.created = np.array([account.created_ms for account in accounts])
        self._pools = np.array([account.addresses for account in accounts])
        self._replay = np.array([account.replay for account in accounts])
        self._logprobs = np.array([account.logprobs for account in accounts])
        self._languages = _values([account.language for account in accounts])
        self._addresses = pa.array(addresses())
        self._models = pa.array([model.name for model in span.models])
        self._released = np.array([model.released_ms for model in span.models])
        self._read_templates(book)

    def _read_templates(self, book: TemplateBook) -> None:
        templates = book.templates
        families = sorted({template.family for template in templates} | {""})
        numbers = {family: number for number, family in enumerate(families)}
        self.families = len(families)
        self._family_of = np.array([numbers[template.family] for template in templates])
        prefixes = {name: f"{key_of(self._prefix_key, name):016x}" for name in {each.prefix for each in templates}}
        self._template_texts = dict(
            zip(
                _OF_TEMPLATE,
                (
                    _values([template.family for template in templates]),
                    _values([template.task for template in templates]),
                    _values([template.prefix and prefixes[template.prefix] for template in templates]),
                ),
                strict=True,
            )
        )
        self._asks = np.array([template.asks_reasoning for template in templates])
        self._grades = np.array([template.grades for template in templates])
        self._tokens = np.array([template.tokens for template in templates])

    def template_words(self, rows: Rows) -> Words:
        """The template's hash of each row: of its own where no template stands behind the prompt, 0 for none at all."""
        words = np.where(rows.is_loose, mixed(rows.word + np.uint64(11)), drawn(self._template_key, rows.template))
        return np.where(rows.template < 0, np.uint64(0), words)

    def family_of(self, rows: Rows) -> Integers:
        """The number of each row's family of templates."""
        return self._family_of[rows.template]

    def table(self, rows: Rows, words: Words, aggregates: Aggregates, failovers: Numbers) -> pa.Table:
        """All columns. words: as of `template_words`. aggregates: of each row, without meaning for account events."""
        asked = rows.event == REQUEST
        columns = self._of_events(rows, asked)
        columns |= self._of_requests(rows, asked, aggregates)
        columns |= self._of_prompts(rows, asked, words)
        columns |= _of_windows(asked, aggregates)
        columns["llmx.block.failover_s"] = _numbers(failovers, ~np.isnan(failovers))
        columns |= {name: labels.take(rows.account) for name, labels in zip(LABELS, self._labels, strict=True)}
        names = [name for name in VOCABULARY.fields if name in columns]
        return pa.table({name: columns[name].cast(ARROW_TYPES[VOCABULARY.fields[name].type]) for name in names})

    def _of_events(self, rows: Rows, asked: Flags) -> dict[str, pa.Array]:
        columns = {name: self._account_texts[name].take(rows.account) for name in [*_OF_ACCOUNT, "llmx.cluster.id"]}
        age = (rows.at - self.created[rows.account]) // (MS_PER_DAY // _HUNDREDTHS) / _HUNDREDTHS
        return columns | {
            "timestamp": pa.array(rows.at, type=ARROW_TYPES[FieldType.TIMESTAMP]),
            "llmx.event.category": _CATEGORIES.take(pa.array(asked.astype(np.int8))),
            "llmx.event.name": _EVENT_NAMES.take(rows.event),
            "llmx.account.age_days": pa.array(np.maximum(age, 0.0)),
        }

    def _of_requests(self, rows: Rows, asked: Flags, aggregates: Aggregates) -> dict[str, pa.Array]:
        account = rows.account
        columns = {name: _known(self._account_texts[name].take(account), asked) for name in _OF_REQUEST_BY_ACCOUNT}
        is_over = aggregates.requests > self.quotas[account]
        breaks = fractions(mixed(rows.word + np.uint64(12))) < _BREAKS
        status = np.select([rows.is_shut_out, is_over, breaks], [_SHUT_OUT, _TOO_MANY, _BROKEN], _OK)
        means = self._tokens[rows.template]
        sizes = [0.3 + 0.7 * exponential(mixed(rows.word + np.uint64(13 + which))) for which in range(3)]
        limits = _MAX_TOKENS[below(drawn(self._template_key, account), len(_MAX_TOKENS))]
        is_done = status == _OK
        output, reasoning = (
            np.where(is_done, np.minimum((means[:, which] * sizes[which]).astype(np.int64), limits), 0)
            for which in (1, 2)
        )
        pool = self._pools[account]
        client = (pool[:, 0] + below(mixed(rows.word + np.uint64(16)), pool[:, 1])) % ADDRESSES
        age_h = (rows.at - self._released[rows.model]) // (MS_PER_HOUR // _HUNDREDTHS) / _HUNDREDTHS
        return columns | {
            "gen_ai.operation.name": _CHAT.take(pa.array(np.zeros(len(rows), dtype=np.int8), mask=~asked)),
            "gen_ai.request.model": _known(self._models.take(rows.model), asked),
            "gen_ai.request.max_tokens": _numbers(limits, asked),
            "gen_ai.request.temperature": _numbers(_temperatures(rows), asked),
            "gen_ai.usage.input_tokens": _numbers((means[:, 0] * sizes[0]).astype(np.int64) + 1, asked),
            "gen_ai.usage.output_tokens": _numbers(output + reasoning, asked),
            "gen_ai.usage.reasoning.output_tokens": _numbers(reasoning, asked),
            "client.address": _known(self._addresses.take(client), asked),
            "http.response.status_code": _numbers(status, asked),
            "error.type": _known(_ERROR_NAMES.take(np.searchsorted(_STATUSES, status)), asked),
            "llmx.request.logprobs": _numbers(
                fractions(mixed(rows.word + np.uint64(17))) < self._logprobs[account], asked
            ),
            "llmx.request.count": _numbers(np.ones(len(rows), dtype=np.int64), asked),
            "llmx.model.hours_since_release": _numbers(age_h, asked),
        }

    def _of_prompts(self, rows: Rows, asked: Flags, words: Words) -> dict[str, pa.Array]:
        columns = {
            name: _known(values.take(np.maximum(rows.template, 0)), asked)
            for name, values in self._template_texts.items()
        }
        has_template = rows.template >= 0
        return columns | {
            "llmx.prompt.template_hash": _known(
                pa.array(hexadecimal(words)).cast(pa.string()) if len(rows) else pa.array([], pa.string()), has_template
            ),
            "llmx.prompt.lang": _known(self._languages.take(rows.account), asked),
            "llmx.prompt.reasoning_request": _numbers(
                fractions(mixed(rows.word + np.uint64(18))) < self._asks[rows.template], asked
            ),
            "llmx.prompt.rubric_grading": _numbers(
                fractions(mixed(rows.word + np.uint64(19))) < self._grades[rows.template], asked
            ),
            "llmx.thinking.replay": _numbers(
                fractions(mixed(rows.word + np.uint64(20))) < self._replay[rows.account], asked
            ),
        }


def _of_windows(asked: Flags, aggregates: Aggregates) -> dict[str, pa.Array]:
    idle, peak = aggregates.idle_max_ms, aggregates.first_peak_ms
    return {
        "llmx.window.requests": _numbers(aggregates.requests, asked),
        "llmx.window.quota_ratio": _numbers(aggregates.quota_ratio, asked),
        "llmx.window.active_hours": _numbers(aggregates.active_hours, asked),
        "llmx.window.idle_max_s": _numbers(idle / MS_PER_SECOND, asked & (idle >= 0)),
        "llmx.window.template_entropy": _numbers(aggregates.entropy, asked & ~np.isnan(aggregates.entropy)),
        "llmx.window.diversity": _numbers(aggregates.diversity, asked & ~np.isnan(aggregates.diversity)),
        "llmx.account.first_peak_latency_s": _numbers(peak / MS_PER_SECOND, asked & (peak >= 0)),
    }


def _values(values: Sequence[Any]) -> pa.Array:
    return pa.array([None if value == "" else value for value in values])


def _numbers(values: Any, known: Flags) -> pa.Array:
    return pa.array(values, mask=~known)


def _known(values: pa.Array, known: Flags) -> pa.Array:
    if known.all():
        return values
    return values.take(pa.array(np.arange(len(values)), mask=~known))


def _temperatures(rows: Rows) -> Numbers:
    """A template comes with its temperature; who writes freely leaves it as it is."""
    return np.where(rows.is_loose, 1.0, _TEMPERATURES[rows.template % len(_TEMPERATURES)])


_CATEGORIES: Final = pa.array(["llm_account", "llm_api"])
_CHAT: Final = pa.array(["chat"])
_EVENT_NAMES: Final = pa.array([name or None for name in EVENTS])
_STATUSES: Final = np.array(sorted(_ERRORS))
_ERROR_NAMES: Final = pa.array([_ERRORS[int(status)] for status in _STATUSES])
