"""The targets: one entry each, with the backend that writes its language.

A backend is loaded when it is asked for, so that listing the targets costs nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module, util
from typing import Any, Final

from signatures.conversion.errors import UnknownTargetError
from signatures.conversion.header import CommentStyle
from signatures.conversion.options import Options, Schema

SLIDING: Final = "sliding, one for each event"
AT_RUN_TIME: Final = "one, ending when the query runs"
SINGLE_EVENTS: Final = "no correlations"


@dataclass(frozen=True, slots=True)
class Target:
    """backend: "module:class". windows: of correlations. comment: None for a language without comments.

    table, timestamp: what is meant if the lab says nothing; table_is: what it is called there. fixed: which of the two
    is no part of a query.
    """

    name: str
    title: str
    language: str
    backend: str
    windows: str
    comment: CommentStyle | None
    table: str
    timestamp: str
    table_is: str = "table"
    fixed: frozenset[str] = frozenset()

    @property
    def is_available(self) -> bool:
        """Whether its backend is part of this installation."""
        module = self.backend.partition(":")[0]
        try:
            return util.find_spec(module) is not None
        except ModuleNotFoundError:
            return False

    def options(self, table: str | None, timestamp: str | None, schema: Schema = Schema.VOCABULARY) -> Options:
        """What the lab said, and defaults for the rest. Raises: UnknownTargetError."""
        for name, value in (("table", table), ("timestamp", timestamp)):
            if value is not None and name in self.fixed:
                raise UnknownTargetError(f"a query for {self.name} names no {name}")
        return Options(table or self.table, timestamp or self.timestamp, schema)

    def load(self, options: Options) -> Any:
        """A new backend with pySigma's `convert(collection)`. Raises: UnknownTargetError."""
        if not self.is_available:
            raise UnknownTargetError(f"{self.name} is not part of this installation")
        module, _, name = self.backend.partition(":")
        return getattr(import_module(module), name)(options)


_BACKENDS: Final = "signatures.conversion.backends"
_SLASHES: Final = CommentStyle("//")
_DASHES: Final = CommentStyle("--")

_ALL: Final = (
    Target(
        "splunk",
        "Splunk",
        "SPL",
        f"{_BACKENDS}.splunk:SplunkExactBackend",
        SLIDING,
        CommentStyle("```", " ```", special="`", is_last=True),
        "llm_gateway",
        "_time",
        "index",
        frozenset({"timestamp"}),
    ),
    Target(
        "esql",
        "Elasticsearch",
        "ES|QL",
        f"{_BACKENDS}.esql:EsqlExactBackend",
        AT_RUN_TIME,
        _SLASHES,
        "llm-gateway-*",
        "@timestamp",
        "index",
    ),
    Target(
        "eql",
        "Elasticsearch",
        "EQL",
        f"{_BACKENDS}.eql:EqlExactBackend",
        SLIDING,
        _SLASHES,
        "llm-gateway-*",
        "@timestamp",
        "index",
        frozenset({"table", "timestamp"}),
    ),
    Target(
        "lucene",
        "Elasticsearch",
        "query DSL with a Lucene query string",
        f"{_BACKENDS}.lucene:LuceneExactBackend",
        SINGLE_EVENTS,
        None,
        "llm-gateway-*",
        "@timestamp",
        "index",
        frozenset({"table", "timestamp"}),
    ),
    Target(
        "opensearch",
        "OpenSearch",
        "query DSL with a Lucene query string",
        f"{_BACKENDS}.lucene:LuceneExactBackend",
        SINGLE_EVENTS,
        None,
        "llm-gateway-*",
        "@timestamp",
        "index",
        frozenset({"table", "timestamp"}),
    ),
    Target(
        "loki",
        "Grafana Loki",
        "LogQL",
        f"{_BACKENDS}.loki:LokiExactBackend",
        AT_RUN_TIME,
        CommentStyle("#"),
        "llm_gateway",
        "timestamp",
        "label job",
        frozenset({"timestamp"}),
    ),
    Target(
        "kusto",
        "Microsoft Sentinel, Azure Data Explorer",
        "KQL",
        f"{_BACKENDS}.kusto:KustoExactBackend",
        SLIDING,
        _SLASHES,
        "LlmGateway",
        "TimeGenerated",
    ),
    Target(
        "spark",
        "Apache Spark, Databricks",
        "Spark SQL",
        f"{_BACKENDS}.spark:SparkBackend",
        SLIDING,
        CommentStyle("--", special="${"),
        "llm_gateway",
        "timestamp",
    ),
    Target(
        "sqlite",
        "SQLite",
        "SQL",
        f"{_BACKENDS}.sqlite:SqliteBackend",
        SLIDING,
        _DASHES,
        "llm_gateway",
        "timestamp",
    ),
    Target(
        "duckdb",
        "DuckDB",
        "SQL",
        f"{_BACKENDS}.duckdb:DuckDbTarget",
        SLIDING,
        _DASHES,
        "llm_gateway",
        "timestamp",
    ),
)
TARGETS: Final[Mapping[str, Target]] = {target.name: target for target in _ALL}
# Other words for the same.
ALIASES: Final[Mapping[str, str]] = {
    "databricks": "spark",
    "elasticsearch": "esql",
    "elasticsearch-esql": "esql",
    "elasticsearch-eql": "eql",
    "elasticsearch-lucene": "lucene",
    "sentinel": "kusto",
    "spl": "splunk",
    "logql": "loki",
    "kql": "kusto",
}


def find_target(name: str) -> Target:
    """The target of that name, or of another word for it. Raises: UnknownTargetError."""
    lowered = name.strip().lower()
    target = TARGETS.get(ALIASES.get(lowered, lowered))
    if target is None:
        raise UnknownTargetError(f"there is no target {name[:40]!a}; there are {', '.join(TARGETS)}")
    return target
