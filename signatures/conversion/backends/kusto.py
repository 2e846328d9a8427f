"""Kusto: pySigma's backend for conditions, joins over two buckets of time for sliding windows.

That backend writes a name with dots as a text, loses events without a field under `not`, tears a pattern with inner
wildcards into words, and knows no correlations. Operators that ignore case do so for ASCII alone, so other letters are
compared in lower case. A text column has no NULL: what is empty is missing.
"""

from ipaddress import IPv6Network
from typing import ClassVar

from sigma.backends.kusto import KustoBackend
from sigma.conversion.state import ConversionState
from sigma.types import SigmaString

from signatures.conversion.backends.elastic import quoted
from signatures.conversion.backends.exact import Comparison, regex_text, typed_cidr, typed_reference, typed_regex
from signatures.conversion.backends.kusto_correlations import KustoCorrelations
from signatures.conversion.values import MANY, has_wildcard, pattern_of, regex_of

# (first is *, last is *) with no other wildcard: the operator, and its twin that heeds case.
_PARTS = {
    (False, False): ("=~", "=="),
    (False, True): ("startswith", "startswith_cs"),
    (True, False): ("endswith", "endswith_cs"),
    (True, True): ("contains", "contains_cs"),
}


class KustoExactBackend(KustoCorrelations, KustoBackend):
    """Columns have the vocabulary's names and types."""

    text_function: ClassVar[str] = "tostring"
    field_null_expression: ClassVar[str | None] = "isempty({field})"

    def escape_and_quote_field(self, field: str) -> str:
        """In brackets."""
        return f"['{self.options.column(field)}']"

    def text(self, field: str, value: SigmaString, *, is_cased: bool) -> str:
        """An operator for a beginning, an end, a part; else a regular expression."""
        edges = (bool(value.s) and value.s[0] is MANY, bool(value.s) and value.s[-1] is MANY and len(value.s) > 1)
        inner = value.s[edges[0] : len(value.s) - edges[1]]
        is_ascii = all(not isinstance(part, str) or part.isascii() for part in value.s)
        if any(not isinstance(part, str) for part in inner) or (has_wildcard(value) and not (is_ascii or is_cased)):
            flags = "s" if is_cased else "is"
            return f"{field} matches regex {quoted(f'(?{flags}){regex_of(value)}')}"
        text = pattern_of(value, str, "", "")
        if not is_ascii and not is_cased:
            return f"tolower({field}) == {quoted(text.lower())}"
        return f"{field} {_PARTS[edges][is_cased]} {quoted(text)}"

    def negation(self, expression: str) -> str:
        """NULL counts as false."""
        return f"not(coalesce({expression}, false))"

    def convert_condition_field_eq_val_re(self, cond: Comparison, state: ConversionState) -> str:
        """Found anywhere in the text."""
        pattern, flags = regex_text(typed_regex(cond))
        return f"{self.as_text(cond.field)} matches regex {quoted(f'(?{flags}){pattern}' if flags else pattern)}"

    def convert_condition_field_eq_val_cidr(self, cond: Comparison, state: ConversionState) -> str:
        """What is no address is in no network."""
        network = typed_cidr(cond).network
        version = 6 if isinstance(network, IPv6Network) else 4
        return f"ipv{version}_is_in_range({self.escape_and_quote_field(cond.field)}, {quoted(str(network))})"

    def convert_condition_field_eq_field(self, cond: Comparison, state: ConversionState) -> str:
        """Both there, and the same."""
        left = self.escape_and_quote_field(cond.field)
        return f"(isnotempty({left}) and {left} == {self.escape_and_quote_field(typed_reference(cond).field)})"

    def events(self, predicate: str) -> str:
        """The rows themselves."""
        return f"{self.quoted_table()}\n| where {predicate}"
