"""Reads STIX patterns (STIX 2.1 section 9): checks their grammar and says what they compare; it evaluates none.

A recursive descent over tokens, some twenty times faster than the generated parser of stix2-patterns, which
is the reference in the tests. Stricter than that grammar: no negative list positions (section 9.7.3).
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NoReturn

from exchange.stix.errors import ObjectInvalidError, shown
from exchange.stix.limits import MAX_PATTERN_CHARS, MAX_PATTERN_DEPTH
from exchange.stix.pattern_nodes import Comparison, Joined, Node, PatternReading
from exchange.stix.pattern_tokens import Kind, Token, fault_at, tokenize

# One lab publishes the same pattern in many versions, and a page of distinct ones fits as well. Long patterns
# are not remembered: together they could fill the memory.
_CACHED_PATTERNS: Final = 4096
_MAX_CACHED_CHARS: Final = 2048
# What a pattern compares is asked for right after the pattern is checked, and weighs more than the pattern.
_CACHED_READINGS: Final = 64

_EQUALITIES: Final = frozenset({"=", "==", "!=", "<>"})
_INEQUALITIES: Final = frozenset({"!=", "<>"})
_ORDERS: Final = frozenset({"<", "<=", ">", ">="})
_TEXT_TESTS: Final = frozenset({"LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"})
_ORDERABLE: Final = frozenset({Kind.INTEGER, Kind.FLOAT, Kind.HEX, Kind.BINARY, Kind.STRING, Kind.TIMESTAMP})
_PRIMITIVE: Final = _ORDERABLE | {Kind.BOOLEAN}
_PATH_NAMES: Final = frozenset({Kind.NAME, Kind.STRING})
_TYPE_NAMES: Final = frozenset({Kind.NAME, Kind.HYPHENATED})
_DIGITS_OF_HASH: Final = {
    "MD5": 32,
    "SHA1": 40,
    "SHA224": 56,
    "SHA256": 64,
    "SHA384": 96,
    "SHA512": 128,
    "SHA3224": 56,
    "SHA3256": 64,
    "SHA3384": 96,
    "SHA3512": 128,
}
_HEX_TEXT: Final = re.compile("[0-9a-fA-F]*")


def check_length(text: str) -> None:
    """Refuse a pattern of more than `MAX_PATTERN_CHARS` characters. Raises: ObjectInvalidError (`pattern`)."""
    if len(text) > MAX_PATTERN_CHARS:
        message = f"The pattern has more than {MAX_PATTERN_CHARS} characters."
        raise ObjectInvalidError("pattern", message, "/pattern")


def check_pattern(text: str) -> None:
    """Accept a pattern of the STIX patterning language, version 2.1.

    Raises: ObjectInvalidError (`pattern`, pointer `/pattern`) with the line and column of the first fault.
    """
    check_length(text)
    if len(text) > _MAX_CACHED_CHARS:
        _read(text)
    else:
        check_short_pattern(text)


@lru_cache(maxsize=_CACHED_PATTERNS)
def check_short_pattern(text: str) -> None:
    """Do as `check_pattern`, and remember the patterns that are accepted."""
    _read_short(text)


def read_pattern(text: str) -> PatternReading:
    """Return what a pattern compares. Cheap for a short one that was checked just before.

    Raises: as `check_pattern`.
    """
    if len(text) <= _MAX_CACHED_CHARS:
        return _read_short(text)
    check_length(text)
    return _read(text)


def _read(text: str) -> PatternReading:
    tokens, has_comment = tokenize(text)
    parser = _Parser(text, tokens)
    root = parser.parse()
    longest = max([len(token.text) for token in tokens])
    return PatternReading(root, tuple(parser.comparisons), has_comment, longest)


_read_short = lru_cache(maxsize=_CACHED_READINGS)(_read)


def _joined(is_all: bool, parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Joined(is_all, tuple(parts))


class _Parser:
    """Walks the tokens once; each method takes what its rule of the grammar allows."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self.comparisons: list[Comparison] = []

    def parse(self) -> Node:
        root = self._observations()
        if self._now.kind is not Kind.END:
            self._fail("AND, OR, FOLLOWEDBY, a qualifier or the end")
        return root

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _fail(self, expected: str) -> NoReturn:
        found = shown(self._now.text) if self._now.text else "the end"
        raise fault_at(self._text, self._now.position, f"{expected} is expected, {found} is found.")

    def _accept(self, *words: str) -> bool:
        """Step over a keyword or operator if it is one of `words`."""
        if self._now.kind is Kind.WORD and self._now.text in words:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            self._fail(word)

    def _take(self, kinds: frozenset[Kind], expected: str) -> Token:
        token = self._now
        if token.kind not in kinds:
            self._fail(expected)
        self._at += 1
        return token

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_PATTERN_DEPTH:
            raise fault_at(self._text, self._now.position, f"more than {MAX_PATTERN_DEPTH} nested brackets.")

    def _observations(self) -> Node:
        """AND binds closer than OR, and OR closer than FOLLOWEDBY."""
        self._enter()
        steps = [self._either(self._observation)]
        while self._accept("FOLLOWEDBY"):
            steps.append(self._either(self._observation))
        self._depth -= 1
        return _joined(True, steps)

    def _either(self, part: Callable[[], Node]) -> Node:
        """Take parts joined by OR, each made of parts joined by AND."""
        alternatives: list[Node] = []
        while True:
            parts = [part()]
            while self._accept("AND"):
                parts.append(part())
            alternatives.append(_joined(True, parts))
            if not self._accept("OR"):
                return _joined(False, alternatives)

    def _observation(self) -> Node:
        if self._accept("["):
            node = self._comparisons()
            self._expect("]")
            self._qualifiers(once=True)
        elif self._accept("("):
            node = self._observations()
            self._expect(")")
            self._qualifiers(once=False)
        else:
            self._fail("[ or (")
        return node

    def _qualifiers(self, *, once: bool) -> None:
        """Take qualifiers; `once` forbids a second one of the same kind on a single observation."""
        seen: set[str] = set()
        while self._now.kind is Kind.WORD and self._now.text in ("WITHIN", "REPEATS", "START"):
            kind = self._now.text
            if once and kind in seen:
                self._fail(f"no second {kind}")
            seen.add(kind)
            self._at += 1
            if kind == "WITHIN":
                self._positive(frozenset({Kind.INTEGER, Kind.FLOAT}))
                self._expect("SECONDS")
            elif kind == "REPEATS":
                self._positive(frozenset({Kind.INTEGER}))
                self._expect("TIMES")
            else:
                self._take(frozenset({Kind.TIMESTAMP}), "a timestamp such as t'2026-01-31T00:00:00Z'")
                self._expect("STOP")
                self._take(frozenset({Kind.TIMESTAMP}), "a timestamp such as t'2026-01-31T00:00:00Z'")

    def _positive(self, kinds: frozenset[Kind]) -> None:
        if self._now.text.startswith("-"):
            self._fail("a positive number")
        self._take(kinds, "a positive number")

    def _comparisons(self) -> Node:
        self._enter()
        node = self._either(self._comparison)
        self._depth -= 1
        return node

    def _comparison(self) -> Node:
        if self._accept("("):
            node = self._comparisons()
            self._expect(")")
            return node
        if self._accept("NOT"):
            self._expect("EXISTS")
            comparison = Comparison(*self._object_path(), True)
        elif self._accept("EXISTS"):
            comparison = Comparison(*self._object_path(), False)
        else:
            kind, names = self._object_path()
            comparison = Comparison(kind, names, self._test(names))
        self.comparisons.append(comparison)
        return comparison

    def _test(self, names: tuple[str, ...]) -> bool:
        """Take the test of a comparison; tell whether it is negated."""
        is_negated = self._accept("NOT")
        if self._now.text in _EQUALITIES and self._now.kind is Kind.WORD:
            is_negated ^= self._now.text in _INEQUALITIES
            self._at += 1
            self._hash_value(names, self._take(_PRIMITIVE, "a value"))
        elif self._accept(*_ORDERS):
            self._take(_ORDERABLE, "a value that has an order")
        elif self._accept(*_TEXT_TESTS):
            self._take(frozenset({Kind.STRING}), "a string")
        elif self._accept("IN"):
            self._set()
        else:
            self._fail("a comparison operator")
        return is_negated

    def _set(self) -> None:
        self._expect("(")
        if self._accept(")"):
            return
        self._take(_PRIMITIVE, "a value")
        while self._accept(","):
            self._take(_PRIMITIVE, "a value")
        self._expect(")")

    def _object_path(self) -> tuple[str, tuple[str, ...]]:
        """Take `type:name.name[0]` and return the type and the names, strings without quotation marks."""
        kind = self._take(_TYPE_NAMES, "an object path such as ipv4-addr:value").text
        self._expect(":")
        names = [self._take(_PATH_NAMES, "a property name").text.strip("'")]
        while True:
            if self._accept("."):
                names.append(self._take(_PATH_NAMES, "a property name").text.strip("'"))
            elif self._accept("["):
                if not self._accept("*"):
                    self._positive(frozenset({Kind.INTEGER}))
                self._expect("]")
            else:
                return kind, tuple(names)

    def _hash_value(self, path: tuple[str, ...], value: Token) -> None:
        """Refuse a hash that can never match because it has the wrong length or foreign characters."""
        digits = _DIGITS_OF_HASH.get(path[-1].upper().replace("-", ""))
        if digits is None or "hashes" not in path[:-1] or value.kind is not Kind.STRING:
            return
        text = value.text[1:-1]
        if len(text) != digits or _HEX_TEXT.fullmatch(text) is None:
            message = f"a {shown(path[-1])} hash has {digits} hexadecimal digits."
            raise fault_at(self._text, value.position, message)
