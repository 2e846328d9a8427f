"""Rows for the benchmark of backtesting, and the plain aggregates that the eight samples need of them.

A month of one gateway: twenty thousand accounts, most traffic from few of them, account events in one row of fifty,
and campaigns in some hours, about one row of eighty. Each value follows from the number of its row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

DAYS: Final = 30

_ROWS: Final = """
COPY (
  WITH numbers AS (
    SELECT range AS i, hash(range) AS a, hash(range * 7 + 1) AS b, hash(range * 13 + 5) AS c,
      (hash(range + 17) % 1000000) / 1e6 AS u, (hash(range * 3 + 29) % 1000000) / 1e6 AS w
    FROM range({rows})
  ), events AS (
    SELECT *, CAST(pow(u, 2) * 20000 AS INTEGER) AS account, b % 1000 < 20 AS is_account,
      c % 10 < 2 AND (i * 24 * {days} // {rows}) % 96 < 6 AS is_campaign, (i * 24 * {days} // {rows}) // 96 AS campaign
    FROM numbers
  )
  SELECT
    make_timestamp(epoch_us(TIMESTAMP '2026-01-01') + i * (86400000000 * {days} // {rows})) AS "timestamp",
    CASE WHEN is_account THEN 'llm_account' ELSE 'llm_api' END AS "llmx.event.category",
    'account-' || CASE WHEN is_campaign THEN 30000 + a % 400 ELSE account END AS "user.id",
    'org-' || CASE WHEN is_campaign THEN 9000 + campaign ELSE account % 4000 END AS "llmx.org.id",
    CASE WHEN is_campaign THEN 'cluster-' || (9000 + campaign) WHEN account % 3 = 0 THEN 'cluster-' || account % 500 END
      AS "llmx.cluster.id",
    CASE WHEN is_account THEN NULL WHEN c % 10 < 8 THEN 'chat' ELSE 'embeddings' END AS "gen_ai.operation.name",
    CASE WHEN is_campaign THEN md5('campaign' || campaign)
      WHEN w < 0.85 THEN md5(CAST(CAST(pow(w, 3) * 200000 AS INTEGER) AS VARCHAR)) END AS "llmx.prompt.template_hash",
    CASE WHEN is_campaign THEN 'extract_' || campaign WHEN a % 100 < 40 THEN 'chat_' || (c % 50) END
      AS "llmx.prompt.template_family",
    CASE WHEN account % 50 = 0 THEN 'evaluation' WHEN account % 70 = 0 THEN 'interpretability_research'
      WHEN account % 3 = 0 THEN 'product' END AS "llmx.account.declared_use",
    c % 200 = 0 OR (is_campaign AND campaign % 2 = 0) AS "llmx.prompt.reasoning_request",
    c % 777 = 0 AS "llmx.thinking.replay",
    CASE WHEN a % 30 = 0 OR is_campaign THEN 'grading' WHEN a % 3 = 0 THEN 'coding' ELSE 'chat' END
      AS "llmx.prompt.task_class",
    a % 60 = 0 OR (is_campaign AND campaign % 2 = 1) AS "llmx.prompt.rubric_grading",
    CASE WHEN is_account THEN 'token-' || CASE WHEN is_campaign THEN campaign ELSE account % 15000 END END
      AS "llmx.payment.instrument_token",
    CASE WHEN is_account THEN CASE WHEN c % 4 < 2 THEN 'virtual' ELSE 'card' END END AS "llmx.payment.type",
    CASE WHEN is_account THEN CAST(c % 100000 AS DOUBLE) END AS "llmx.account.first_peak_latency_s",
    CASE WHEN is_account THEN CAST(b % 25 AS BIGINT) END AS "llmx.window.active_hours",
    CAST(b % 50 AS BIGINT) AS "llmx.window.requests",
    CAST(CASE WHEN is_campaign THEN c % 40 ELSE c % 5000 END AS DOUBLE) AS "llmx.model.hours_since_release",
    CASE WHEN c % 20000 = 0 OR (is_campaign AND c % 50 = 0) THEN CAST(b % 900 AS DOUBLE) END AS "llmx.block.failover_s",
    CASE WHEN is_account AND c % 100 < 2 THEN 'blocked' ELSE 'none' END AS "llmx.label.verdict",
    c % 15 = 0 AS "llmx.request.batch",
    CASE WHEN is_campaign THEN 'campaign-' || campaign END AS "llmx.label.campaign"
  FROM events
) TO '{path}' (FORMAT parquet)
"""


def write_rows(path: Path, rows: int, threads: int) -> None:
    """Write the rows as one Parquet file."""
    with duckdb.connect(":memory:", config={"threads": threads}) as connection:
        connection.execute(_ROWS.format(rows=rows, days=DAYS, path=path))


def _aggregate(group: str, span_s: int, measured: str, where: str) -> str:
    span = f'epoch_us("timestamp") // {span_s * 1_000_000}'
    return f'SELECT "{group}", {span} AS span, {measured} AS n FROM {{logs}} WHERE {where} GROUP BY ALL'


_API: Final = "\"llmx.event.category\" = 'llm_api'"
_ACCOUNT: Final = "\"llmx.event.category\" = 'llm_account'"
_TEMPLATE: Final = f'{_API} AND "llmx.prompt.template_hash" IS NOT NULL AND NOT "llmx.request.batch"'
_BLOCKED: Final = f"{_ACCOUNT} AND \"llmx.label.verdict\" = 'blocked'"
_AGAIN: Final = '"llmx.block.failover_s" <= 600'
_USE: Final = '"llmx.account.declared_use" IS DISTINCT FROM'

# What each correlation of the samples counts, by the clock instead of by sliding windows. One a correlation.
AGGREGATES: Final = (
    _aggregate(
        "llmx.prompt.template_family",
        86_400,
        'count(DISTINCT "user.id")',
        f"{_API} AND \"gen_ai.operation.name\" IN ('chat', 'generate_content') AND {_USE} 'evaluation' "
        "AND starts_with(\"llmx.prompt.template_family\", 'extract_')",
    ),
    _aggregate("llmx.prompt.template_hash", 300, "count(*)", _TEMPLATE),
    _aggregate("llmx.prompt.template_hash", 300, 'count(DISTINCT "user.id")', _TEMPLATE),
    _aggregate(
        "llmx.payment.instrument_token",
        30 * 86_400,
        'count(DISTINCT "user.id")',
        f"{_ACCOUNT} AND \"llmx.payment.type\" IN ('virtual', 'prepaid')",
    ),
    _aggregate(
        "user.id",
        3 * 86_400,
        "count(*)",
        f'{_ACCOUNT} AND "llmx.account.first_peak_latency_s" <= 3600 AND "llmx.window.active_hours" >= 23',
    ),
    _aggregate(
        "llmx.cluster.id",
        86_400,
        "count(*)",
        f'{_API} AND ("llmx.prompt.reasoning_request" OR "llmx.thinking.replay") '
        f"AND {_USE} 'interpretability_research'",
    ),
    _aggregate(
        "llmx.org.id",
        86_400,
        "count(*)",
        f"{_API} AND \"llmx.prompt.task_class\" = 'grading' AND \"llmx.prompt.rubric_grading\" AND {_USE} 'evaluation'",
    ),
    _aggregate(
        "llmx.cluster.id",
        86_400,
        'sum("llmx.window.requests")',
        f'{_API} AND "llmx.model.hours_since_release" <= 24 '
        "AND starts_with(\"llmx.prompt.template_family\", 'extract_')",
    ),
    _aggregate(
        "llmx.prompt.template_hash",
        600,
        f"count(*) FILTER ({_BLOCKED}), count(*) FILTER ({_AGAIN})",
        f"({_BLOCKED}) OR {_AGAIN}",
    ),
)
