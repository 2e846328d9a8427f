"""The constructs of Sigma, and how a document's use of one is told.

A construct is the smallest thing that a target can or cannot express (Sigma specification 2.1.0). Whether one can is
said by `capabilities.py`; `uses.py` finds them in a text.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Construct(StrEnum):
    """The value is how a refusal and the table in docs/conversion.md call it."""

    TEXT = "text"
    TEXT_BEYOND_ASCII = "letters with a case outside ASCII"
    EMPTY = "empty text"
    WILDCARD_MANY = "wildcard *"
    WILDCARD_ONE = "wildcard ?"
    LITERAL_WILDCARD = "literal * or ?"
    BACKTICK = "backtick in a value"
    CASED = "cased"
    NUMBER = "number"
    BOOLEAN = "boolean"
    COMPARISON = "lt, lte, gt, gte"
    NULL = "null"
    EXISTS = "exists"
    NOT = "not"
    REGEX = "re"
    REGEX_FLAGS = "re|i, re|m, re|s"
    REGEX_BEYOND = "re outside the common subset"
    CIDR_4 = "cidr, IPv4"
    CIDR_6 = "cidr, IPv6"
    FIELDREF = "fieldref"
    FIELDREF_PART = "fieldref with startswith, endswith or contains"
    TIME_PART = "minute, hour, day, week, month, year"
    PLACEHOLDER = "expand"
    KEYWORD = "keywords"
    CONTROL_CHARACTER = "invisible character in a value"
    FIELD_NAME = "field name"
    LOG_SOURCE = "another log source"
    SERVICE = "service of the log source"
    FILTER = "filter document"
    EVENT_COUNT = "event_count"
    VALUE_COUNT = "value_count"
    VALUE_SUM = "value_sum"
    VALUE_AVG = "value_avg"
    VALUE_PERCENTILE = "value_percentile"
    TEMPORAL = "temporal"
    TEMPORAL_CONDITION = "temporal with a condition"
    TEMPORAL_NOT = "not in a temporal condition"
    ORDERED = "temporal_ordered"
    ORDERED_LONG = "temporal_ordered with three rules or more"
    ORDERED_CONDITION = "temporal_ordered with a condition"
    COUNT_BELOW = "count with lt, lte, eq or neq"
    SEVERAL_RULES = "one count over several rules"
    ALIASES = "aliases"
    CHAINED = "correlation of correlations"
    CHAINED_FIELD = "chained correlation with a field that the inner one has not"
    GENERATE = "generate"


@dataclass(frozen=True, slots=True)
class Use:
    """A construct where it stands. detail: the name or value in question, escaped; "" if the construct says it all.

    field: that it is about, if any.
    """

    construct: Construct
    place: str
    detail: str = ""
    field: str = ""


# Letters that no query language gives a meaning, so that a hostile name cannot end what stands around it.
FIELD_NAME: Final = re.compile(r"[A-Za-z_@][A-Za-z0-9_.@-]{0,199}", re.ASCII)
CATEGORIES: Final = ("llm_api", "llm_account")
PRODUCT: Final = "llm_gateway"
