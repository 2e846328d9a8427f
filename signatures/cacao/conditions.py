"""Conditions of a playbook: the comparison grammar of STIX patterning (STIX 2.1 section 9.6) over variables.

`__score__:value > 80 AND NOT __verdict__:value IN ('benign', 'unknown')`. They are parsed, never evaluated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test of a variable.

    variable: its name. operator: as written, `IN`, or `EXISTS`, which has no values. values: literals as written, and
    variables as `__name__:value`. is_negated: by NOT, before or after the left side.
    """

    variable: str
    operator: str
    values: tuple[str, ...]
    is_negated: bool


@dataclass(frozen=True, slots=True)
class AllOf:
    """Parts joined by AND."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Parts joined by OR."""

    parts: tuple[Condition, ...]


Condition = Comparison | AllOf | AnyOf


def parse_condition(text: str) -> Condition:
    """Return what a comparison expression says.

    Raises: ConditionError.
    """
    if len(text) > MAX_CONDITION_CHARS:
        raise ConditionError(f"the condition has more than {MAX_CONDITION_CHARS} characters")
    return _Parser(text).parse()


class _Parser:
    """Recursive descent; `_kind` and `_text` are the token ahead, "" at the end."""

    def __init__(self, text: str) -> None:
        self._source = text.rstrip()
        self._position = 0
        self._depth = 0
        self._advance()

    def parse(self) -> Condition:
        found = self._disjunction()
        if self._kind:
            raise self._unexpected()
        return found

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

    def _take(self, *kinds: str, text: str = "") -> str:
        if self._kind not in kinds or (text and self._text != text):
            raise self._unexpected()
        taken = self._text
        self._advance()
        return taken

    def _takes(self, word: str) -> bool:
        """Whether this word was ahead; it is passed then."""
        if self._kind != "word" or self._text != word:
            return False
        self._advance()
        return True

    def _disjunction(self) -> Condition:
        parts = [self._conjunction()]
        while self._takes("OR"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _conjunction(self) -> Condition:
        parts = [self._test()]
        while self._takes("AND"):
            parts.append(self._test())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _test(self) -> Condition:
        if self._takes("("):
            return self._group()
        if self._takes("EXISTS"):
            return Comparison(_variable(self._take("path")), "EXISTS", (), is_negated=False)
        return self._comparison()

    def _group(self) -> Condition:
        self._depth += 1
        if self._depth > MAX_CONDITION_NESTING:
            raise ConditionError("the condition is nested too deeply")
        found = self._disjunction()
        self._take("word", text=")")
        self._depth -= 1
        return found

    def _comparison(self) -> Comparison:
        # Section 10.11 of CACAO allows NOT before a comparison, STIX after its left side.
        is_negated = self._takes("NOT")
        variable = _variable(self._take("path"))
        is_negated = self._takes("NOT") != is_negated
        if self._takes("IN"):
            return Comparison(variable, "IN", self._set(), is_negated)
        operator = self._take("operator")
        return Comparison(variable, operator, (self._take("literal", "path"),), is_negated)

    def _set(self) -> tuple[str, ...]:
        self._take("word", text="(")
        values = [self._take("literal")]
        while self._takes(","):
            values.append(self._take("literal"))
        self._take("word", text=")")
        return tuple(values)


def _variable(path: str) -> str:
    return path.partition(":")[0]
