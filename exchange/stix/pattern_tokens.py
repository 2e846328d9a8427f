"""Cuts a STIX pattern (STIX 2.1 section 9) into tokens. Their order is the grammar's business: `pattern.py`."""

import re
from enum import Enum
from typing import Final, NamedTuple

from exchange.stix.errors import ObjectInvalidError, shown


class Kind(Enum):
    """What a token is; keywords and operators are all `WORD` and told apart by their text."""

    TIMESTAMP = "a timestamp"
    HEX = "a hex literal"
    BINARY = "a binary literal"
    STRING = "a string"
    FLOAT = "a number with a fraction"
    INTEGER = "a number"
    BOOLEAN = "true or false"
    NAME = "a name"
    HYPHENATED = "a name with a hyphen"
    WORD = "a keyword or operator"
    END = "the end"


class Token(NamedTuple):
    """A token and where it begins: an index into the pattern."""

    kind: Kind
    text: str
    position: int


class Tokens(NamedTuple):
    """The tokens of a pattern without white space and comments, closed by one of kind `END`."""

    tokens: list[Token]
    has_comment: bool


_OPERATOR_WORDS: Final = "AND OR NOT FOLLOWEDBY LIKE MATCHES ISSUPERSET ISSUBSET EXISTS LAST IN"
_QUALIFIER_WORDS: Final = "START STOP SECONDS WITHIN REPEATS TIMES"
KEYWORDS: Final = frozenset(f"{_OPERATOR_WORDS} {_QUALIFIER_WORDS}".split())

# Longest first where one token may begin another, as in the published grammar. Each alternative is linear.
_TOKEN: Final = re.compile(
    r"""
      (?P<TIMESTAMP> t'[0-9]{4}-(?:0[1-9]|1[012])-(?:0[1-9]|[12][0-9]|3[01])
                     T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?Z')
    | (?P<HEX>       h'(?:[0-9a-fA-F]{2})*')
    | (?P<BINARY>    b'(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)')
    | (?P<STRING>    '(?:[^'\\]|\\['\\])*')
    | (?P<NAME>      [a-zA-Z_][a-zA-Z0-9_]*(?![a-zA-Z0-9_-]))
    | (?P<HYPHENATED>[a-zA-Z_][a-zA-Z0-9_-]*)
    # Digits are counted from their first only: at each zero of a thousand, the rest would be read again.
    | (?P<FLOAT>     [+-]?(?:(?<![0-9])[0-9]+)?\.[0-9]+)
    | (?P<INTEGER>   [+-]?(?:0|[1-9][0-9]*))
    | (?P<SPACE>     [ \t\r\n\v\f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+)
    | (?P<COMMENT>   /\*(?s:.*?)\*/ | //[^\r\n]*)
    | (?P<WORD>      == | = | != | <> | <= | < | >= | > | [:.,()\[\]*])
    """,
    re.VERBOSE,
)


def tokenize(text: str) -> Tokens:
    """Cut a pattern into its tokens.

    Raises: ObjectInvalidError (`pattern`) with the line and column of what is no token.
    """
    tokens = []
    has_comment = False
    position = 0
    while position < len(text):
        matched = _TOKEN.match(text, position)
        if matched is None:
            message = f"{shown(text[position : position + 20])} is no part of a STIX pattern."
            raise fault_at(text, position, message)
        name = str(matched.lastgroup)
        if name == "COMMENT":
            has_comment = True
        elif name != "SPACE":
            tokens.append(_token(name, matched[0], position))
        position = matched.end()
    tokens.append(Token(Kind.END, "", len(text)))
    return Tokens(tokens, has_comment)


def fault_at(text: str, position: int, message: str) -> ObjectInvalidError:
    """The error about what stands at an index of a pattern, with its line and column."""
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return ObjectInvalidError("pattern", f"Line {line}, column {column}: {message}", "/pattern")


def _token(name: str, text: str, position: int) -> Token:
    if name == "NAME":
        if text in KEYWORDS:
            return Token(Kind.WORD, text, position)
        if text in ("true", "false"):
            return Token(Kind.BOOLEAN, text, position)
    return Token(Kind[name], text, position)
