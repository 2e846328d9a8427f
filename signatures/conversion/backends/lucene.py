"""Lucene query strings in the query DSL, for Elasticsearch and OpenSearch alike: pySigma's backend for conditions.

That backend writes terms, which heed case on the `keyword` fields that events have. So text that is not `cased` becomes
a regular expression with each letter in both cases. Comments have no place in JSON: what a conversion carries stands
in `_name`, which a search gives back with each hit.
"""

import json
from ipaddress import IPv4Network
from typing import ClassVar

from sigma.backends.elasticsearch.elasticsearch_lucene import LuceneBackend
from sigma.conversion.state import ConversionState
from sigma.types import SigmaCompareExpression, SigmaNumber, SigmaString

from signatures.conversion.backends.elastic import lucene_cidr, lucene_regex
from signatures.conversion.backends.exact import Comparison, ExactBackend, typed_cidr


class LuceneExactBackend(ExactBackend, LuceneBackend):
    """Fields are `keyword`, numbers and booleans as the vocabulary says. A body for `_search`."""

    field_escape: ClassVar[str] = "\\"

    def escape_and_quote_field(self, field: str) -> str:
        """Dots stay; a hyphen is escaped by the query string's rules."""
        return self.options.column(field).replace("-", "\\-")

    def text(self, field: str, value: SigmaString, *, is_cased: bool) -> str:
        """A regular expression for the whole keyword."""
        return f"{field}:/{lucene_regex(value, is_cased=is_cased)}/"

    def negation(self, expression: str) -> str:
        """Also true where the field is missing."""
        return f"(*:* AND NOT ({expression}))"

    def convert_condition_field_eq_val_num(self, cond: Comparison, state: ConversionState) -> str:
        """A number; a minus is escaped."""
        assert isinstance(cond.value, SigmaNumber)
        return f"{self.escape_and_quote_field(cond.field)}:{_escaped(cond.value)}"

    def convert_condition_field_compare_op_val(self, cond: Comparison, state: ConversionState) -> str:
        """A range with one end."""
        assert isinstance(cond.value, SigmaCompareExpression)
        operator = (self.compare_operators or {})[cond.value.op]
        return f"{self.escape_and_quote_field(cond.field)}:{operator}{_escaped(cond.value.number)}"

    def convert_condition_field_eq_val_cidr(self, cond: Comparison, state: ConversionState) -> str:
        """By a regular expression that takes addresses of the network and nothing else."""
        network = typed_cidr(cond).network
        assert isinstance(network, IPv4Network)
        return f"{self.escape_and_quote_field(cond.field)}:/{lucene_cidr(network)}/"

    def convert_condition_field_eq_val_null(self, cond: Comparison, state: ConversionState) -> str:
        """No such field in the event."""
        return self.negation(f"_exists_:{self.escape_and_quote_field(cond.field)}")

    def convert_condition_field_exists(self, cond: Comparison, state: ConversionState) -> str:
        """The event has the field."""
        return f"_exists_:{self.escape_and_quote_field(cond.field)}"

    def convert_condition_field_not_exists(self, cond: Comparison, state: ConversionState) -> str:
        """No such field in the event."""
        return self.convert_condition_field_eq_val_null(cond, state)

    def events(self, predicate: str) -> str:
        """A body for `_search`."""
        query = {"query_string": {"query": predicate, "analyze_wildcard": False}}
        return json.dumps({"query": query}, indent=2, ensure_ascii=False)


def _escaped(number: SigmaNumber) -> str:
    return str(number).replace("-", "\\-")
