"""What the three languages of Elasticsearch and OpenSearch share: names with dots, and texts in double quotes."""

from ipaddress import IPv4Network
from typing import Final

from sigma.types import SigmaString

from signatures.conversion.values import both_cases, cidr_regex, pattern_of

# Lucene, "Regular expression syntax": every operator, the optional ones too.
_LUCENE_OPERATORS: Final = frozenset('.?+*|{}[]()"\\#@&<>~^$-/')


def quoted(text: str) -> str:
    """A text in double quotes with `\\` for escapes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def like_literal(character: str) -> str:
    """A character of a pattern with `*` and `?`."""
    return f"\\{character}" if character in "*?\\" else character


def lucene_regex(value: SigmaString, *, is_cased: bool) -> str:
    """A Lucene regular expression for a whole keyword: it has no flag for case, so each letter stands in both."""
    return pattern_of(value, _lucene_literal if is_cased else _folded_literal, ".*", ".")


def lucene_cidr(network: IPv4Network) -> str:
    """A Lucene regular expression for a whole keyword that is an address of the network."""
    return cidr_regex(network).replace("[.]", "\\.")


def _lucene_literal(character: str) -> str:
    return f"\\{character}" if character in _LUCENE_OPERATORS else character


def _folded_literal(character: str) -> str:
    cases = both_cases(character)
    return f"[{''.join(cases)}]" if len(cases) > 1 else _lucene_literal(character)
