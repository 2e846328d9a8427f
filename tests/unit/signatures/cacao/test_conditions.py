"""The grammar of conditions."""

import pytest

from signatures.cacao.conditions import ConditionError, parse_condition


@pytest.mark.parametrize(
    "text",
    [
        "__verdict__:value = 'malicious'",
        "__a__:value > 80 AND __b__:value != 'x' OR __c__:value <= -1.5",
        "(__a__:value = true)",
        "__a__:value NOT IN ('one', 'two')",
        "NOT __a__:value = 'it\\'s'",
        "__a__:value LIKE '%x%' AND (__b__:value MATCHES '^a' OR __c__:value ISSUBSET '203.0.113.0/24')",
        "ipv4-addr:value = __address__:value",
        "EXISTS __a__:value",
    ],
)
def test_a_comparison_expression_is_accepted(text: str) -> None:
    parse_condition(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "score > 80",
        "__a__:value >",
        "__a__:value = 'open",
        "__a__:value = 1 AND",
        "__a__:value = 1 __b__:value = 2",
        "(__a__:value = 1",
        "__a__:value IN ()",
        "__import__('os')",
        "(" * 40 + "__a__:value = 1" + ")" * 40,
        "__a__:value = 1 OR " * 400 + "__a__:value = 1",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        parse_condition(text)
