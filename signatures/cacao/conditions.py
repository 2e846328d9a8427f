"""Conditions of a playbook: the comparison grammar of STIX patterning (STIX 2.1 section 9.6) over variables.

`__score__:value > 80 AND NOT __verdict__:value IN ('benign', 'unknown')`. They are parsed, never evaluated.
"""

import re
from typing import Final

from signatures.cacao.limits import MAX_CONDITION_CHARS, MAX_CONDITION_NESTING

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<path>[A-Za-z_][A-Za-z0-9_-]*:[A-Za-z_][A-Za-z0-9_.'\[\]*-]*)
    | (?P<literal>'(?:[^'\\]|\\.)*'|[hbt]'(?:[^'\\]|\\.)*'|[-+]?[0-9]+(?:\.[0-9]+)?|true\b|false\b)
    | (?P<operator>!=|<>|<=|>=|==?|<|>|(?:LIKE|MATCHES|ISSUBSET|ISSUPERSET)\b)
    | (?P<word>(?:AND|OR|NOT|IN|EXISTS)\b|[(),])
    )""",
    re.VERBOSE,
)


class ConditionError(ValueError):
    """The condition does not follow the grammar; the message says where."""


def check_condition(text: str) -> None:
    """Check that `text` is a comparison expression.

    Raises: ConditionError.
    """
    if len(text) > MAX_CONDITION_CHARS:
        raise ConditionError(f"the condition has more than {MAX_CONDITION_CHARS} characters")
    _Parser(text).parse()


class _Parser:
    """Recursive descent; `_kind` and `_text` are the token ahead, "" at the end."""

    def __init__(self, text: str) -> None:
        self._source = text.rstrip()
        self._position = 0
        self._depth = 0
        self._advance()

    def parse(self) -> None:
        self._disjunction()
        if self._kind:
            raise self._unexpected()

    def _advance(self) -> None:
        self._start = self._position
        if self._position == len(self._source):
            self._kind, self._text = "", ""
            return
        match = _TOKEN.match(self._source, self._position)
        if match is None or match.lastgroup is None:
            raise self._unexpected()
        self._kind, self._text = match.lastgroup, match[match.lastgroup]
        self._position = match.end()

    def _unexpected(self) -> ConditionError:
        return ConditionError(f"the condition cannot be read at character {self._start + 1}")

    def _take(self, kind: str, text: str = "") -> None:
        if self._kind != kind or (text and self._text != text):
            raise self._unexpected()
        self._advance()

    def _is_word(self, text: str) -> bool:
        return self._kind == "word" and self._text == text

    def _disjunction(self) -> None:
        self._conjunction()
        while self._is_word("OR"):
            self._advance()
            self._conjunction()

    def _conjunction(self) -> None:
        self._test()
        while self._is_word("AND"):
            self._advance()
            self._test()

    def _test(self) -> None:
        if self._is_word("("):
            self._group()
        elif self._is_word("EXISTS"):
            self._advance()
            self._take("path")
        else:
            self._comparison()

    def _group(self) -> None:
        self._depth += 1
        if self._depth > MAX_CONDITION_NESTING:
            raise ConditionError("the condition is nested too deeply")
        self._advance()
        self._disjunction()
        self._take("word", ")")
        self._depth -= 1

    def _comparison(self) -> None:
        # Section 10.11 of CACAO allows NOT before a comparison, STIX after its left side.
        if self._is_word("NOT"):
            self._advance()
        self._take("path")
        if self._is_word("NOT"):
            self._advance()
        if self._is_word("IN"):
            self._advance()
            self._set()
            return
        self._take("operator")
        self._operand()

    def _operand(self) -> None:
        if self._kind not in {"literal", "path"}:
            raise self._unexpected()
        self._advance()

    def _set(self) -> None:
        self._take("word", "(")
        self._take("literal")
        while self._is_word(","):
            self._advance()
            self._take("literal")
        self._take("word", ")")
