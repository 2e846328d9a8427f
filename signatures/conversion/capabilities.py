"""What each target cannot express, and why: the one table that conversions are refused by.

Found by running pySigma's backends and reading what they make; each row is held by a test, and docs/conversion.md shows
it. What is not listed is converted exactly. A note is what somebody who runs the query has to know.
"""

from collections.abc import Mapping
from typing import Final

from signatures.conversion.constructs import Construct

Reasons = Mapping[Construct, str]

CORRELATIONS: Final = (
    Construct.EVENT_COUNT,
    Construct.VALUE_COUNT,
    Construct.VALUE_SUM,
    Construct.VALUE_AVG,
    Construct.TEMPORAL,
    Construct.ORDERED,
)

NOWHERE: Final[Reasons] = {
    Construct.KEYWORD: "an event is a set of fields, no text to search as a whole",
    Construct.TIME_PART: "the specification gives the parts of a time no time zone",
    Construct.PLACEHOLDER: "nobody has said what the placeholder stands for",
    Construct.REGEX_BEYOND: "engines differ in lookaround, inline flags, back references, named classes, other letters",
    Construct.FIELDREF_PART: "the specification compares whole fields alone",
    Construct.CONTROL_CHARACTER: "nobody can read a query with it, and languages differ in what it does there",
    Construct.FIELD_NAME: "a name has letters, digits, `_`, `.`, `@` and `-`",
    Construct.LOG_SOURCE: "the vocabulary knows the categories llm_api and llm_account of the product llm_gateway",
    Construct.VALUE_PERCENTILE: "the specification leaves open how a percentile is taken",
    Construct.COUNT_BELOW: "a group without events leaves nothing to count",
    Construct.TEMPORAL_NOT: "what has not happened leaves nothing to find",
    Construct.ORDERED_CONDITION: "the specification leaves open which order a part of the rules keeps",
    Construct.CHAINED_FIELD: "a group of the inner correlation has its group-by fields alone",
}

_LUCENE_REGEX: Final = "Lucene's regular expressions are another language"
_NO_EMPTY: Final = "the target does not tell an empty text from a missing one"
_CIDR_6: Final = "only addresses of IPv4 have one spelling to compare as text"
_NO_CORRELATION: Final = "a query string is about single events"
_LUCENE: Final[Reasons] = {
    Construct.REGEX: _LUCENE_REGEX,
    Construct.REGEX_FLAGS: _LUCENE_REGEX,
    Construct.FIELDREF: "a query string compares with values alone",
    Construct.EMPTY: "a query string has no term for an empty text",
    Construct.CIDR_6: _CIDR_6,
    **dict.fromkeys((*CORRELATIONS, Construct.CHAINED, Construct.SEVERAL_RULES, Construct.ALIASES), _NO_CORRELATION),
    **dict.fromkeys((Construct.TEMPORAL_CONDITION, Construct.ORDERED_LONG, Construct.GENERATE), _NO_CORRELATION),
}

REFUSED: Final[Mapping[str, Reasons]] = {
    "splunk": {
        Construct.WILDCARD_ONE: "a search knows `*` alone",
        Construct.LITERAL_WILDCARD: "a search takes every `*` for a wildcard",
        Construct.CASED: "a search ignores case",
        Construct.TEXT_BEYOND_ASCII: "Splunk does not say which of these letters it takes for the same",
        Construct.EMPTY: _NO_EMPTY,
        Construct.BACKTICK: "a backtick begins a macro",
        Construct.CHAINED: "a search inside another is cut off after some results",
    },
    "esql": {
        Construct.REGEX: _LUCENE_REGEX,
        Construct.REGEX_FLAGS: _LUCENE_REGEX,
        Construct.ALIASES: "all rules are told apart in one pass with one group",
        Construct.ORDERED_LONG: "aggregates know the first and the last event, none between",
        Construct.CHAINED: "there is no window within a window",
    },
    "eql": {
        Construct.TEXT_BEYOND_ASCII: "Elasticsearch ignores case of ASCII letters alone",
        Construct.LITERAL_WILDCARD: "every `*` and `?` is a wildcard",
        Construct.REGEX: _LUCENE_REGEX,
        Construct.REGEX_FLAGS: _LUCENE_REGEX,
        Construct.FIELDREF: "a condition compares with values alone",
        Construct.VALUE_COUNT: "a sequence counts no different values",
        Construct.VALUE_SUM: "a sequence adds nothing up",
        Construct.VALUE_AVG: "a sequence adds nothing up",
        Construct.TEMPORAL: "a sample has no time span, a sequence has an order",
        Construct.TEMPORAL_CONDITION: "a sample has no time span, a sequence has an order",
        Construct.CHAINED: "a sequence is made of events",
    },
    "lucene": _LUCENE,
    "opensearch": _LUCENE,
    "loki": {
        Construct.EMPTY: _NO_EMPTY,
        Construct.FIELDREF: "two labels are compared by a template, which has no place under `or` and `not`",
        Construct.CIDR_6: _CIDR_6,
        Construct.TEMPORAL_CONDITION: "metrics are joined all or not at all",
        Construct.ORDERED: "metrics have lost the order of their lines",
        Construct.ORDERED_LONG: "metrics have lost the order of their lines",
        Construct.CHAINED: "a range over a metric is no LogQL",
    },
    "kusto": {Construct.EMPTY: _NO_EMPTY},
    "spark": {Construct.CIDR_6: _CIDR_6},
    "sqlite": {
        Construct.REGEX: "SQLite has no regular expressions of its own",
        Construct.REGEX_FLAGS: "SQLite has no regular expressions of its own",
        Construct.CIDR_4: "SQLite has no type for addresses",
        Construct.CIDR_6: "SQLite has no type for addresses",
    },
    "duckdb": {},
}

_AT_RUN_TIME: Final = (
    "Answers for the one window that ends when it runs: schedule it much more often than the time span."
)
_WINDOW_LIMIT: Final = "streamstats sees at most max_stream_window events (limits.conf, 10,000 if nobody raised it)."
_COMMANDS: Final = "Splunk has it as a command: refused under `or` and `not`."

NOTES_EVERYWHERE: Final[Reasons] = {
    Construct.SERVICE: "The service of the log source selects nothing: the vocabulary has no field for it.",
}
NOTES: Final[Mapping[str, Reasons]] = {
    "splunk": {
        **dict.fromkeys(
            (
                Construct.EVENT_COUNT,
                Construct.VALUE_COUNT,
                Construct.VALUE_SUM,
                Construct.VALUE_AVG,
                Construct.TEMPORAL,
            ),
            _WINDOW_LIMIT,
        ),
        Construct.REGEX: _COMMANDS,
        Construct.FIELDREF: _COMMANDS,
    },
    "esql": dict.fromkeys(CORRELATIONS, _AT_RUN_TIME),
    "eql": {
        Construct.CIDR_4: "The field has the type ip.",
        Construct.CIDR_6: "The field has the type ip.",
        Construct.ORDERED: "Events of one millisecond are ordered by the tiebreaker field.",
        Construct.EVENT_COUNT: "A sequence answers with the events that complete it; 2 to 100 runs.",
    },
    "loki": {
        **dict.fromkeys(
            (
                Construct.EVENT_COUNT,
                Construct.VALUE_COUNT,
                Construct.VALUE_SUM,
                Construct.VALUE_AVG,
                Construct.TEMPORAL,
            ),
            _AT_RUN_TIME,
        ),
        Construct.NUMBER: "Only for fields that the vocabulary has as numbers.",
        Construct.COMPARISON: "Only for fields that the vocabulary has as numbers.",
        Construct.EXISTS: "A member with an empty text counts as missing.",
        Construct.NULL: "A member with an empty text counts as missing.",
    },
    "kusto": {
        Construct.EXISTS: "A column with an empty text counts as missing.",
        Construct.NULL: "A column with an empty text counts as missing.",
    },
    "sqlite": dict.fromkeys(CORRELATIONS, "Times are read to the millisecond."),
}


def reason_against(target: str, construct: Construct) -> str | None:
    """Why a target cannot express a construct; None if it can."""
    return NOWHERE.get(construct) or REFUSED.get(target, {}).get(construct)


def note_on(target: str, construct: Construct) -> str | None:
    """What is to be known of a construct at a target."""
    return NOTES.get(target, {}).get(construct) or NOTES_EVERYWHERE.get(construct)
