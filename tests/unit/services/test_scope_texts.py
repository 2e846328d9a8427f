"""Looking at hostile texts: what tricks of writing hide, and that the work stays linear in the text."""

import re
import unicodedata
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from exchange.services import scope_texts
from exchange.services.scope_agreement import agreement
from exchange.services.scope_texts import find_hints, find_refusal, readable

# The only way to see the structure of an expression; no types describe it.
_constants, _parser = import_module("re._constants"), import_module("re._parser")

CHARS = 1_000_000


def rule_for(text: str) -> str | None:
    found = find_refusal(readable(text), agreement())
    return None if found is None else found[0]


@pytest.mark.parametrize(
    "text",
    [
        "bob\u200b@example.com",
        "bob@\u00adexample\u2060.com",
        "bob\ufe0f@example.com",
        "иван@пример.рф",
        "用户@例子。公司",
        "jane@example.xn--p1ai",
        '"jane roe"@example.com',
        "ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "a" * 500 + "@example.com",
        "0049 170 1234567",
        "004401234567890",
        "+٤٩ ١٧٠ ١٢٣٤٥٦٧",
        "4111.1111.1111.1111",
        "4111/1111/1111/1111",
        "card-number:4111111111111111-",
        ".4111111111111111",
        "４１１１ １１１１ １１１１ １１１１",
        "4111\u00a01111\u202f1111\u00a01111",
        "卡号4111111111111111",
    ],
)
def test_personal_data_is_found_however_it_is_written(text: str) -> None:
    assert rule_for(text) == "personal-data"


@pytest.mark.parametrize(
    "text",
    [
        "00123456-7890-4234-9234-123456789012",
        "3f2a1c9e-1234-4567-8901-412345678901",
        "at 10:00 12 345 678 901",
        "ratio 0.4111111111111111",
        "domains '@example.org' and *@example.com",
        "@例子.公司",
        "0x0012345678",
    ],
)
def test_what_only_resembles_it_passes(text: str) -> None:
    assert rule_for(text) is None


@pytest.mark.parametrize("text", ["bob [at] example.com", "Bob (AT) example.com"])
def test_an_address_taken_apart_is_a_hint(text: str) -> None:
    assert list(find_hints(readable(text), agreement())) == ["looks-like-address"]


def test_no_character_that_nobody_sees_is_left() -> None:
    unseen = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cf"]
    assert readable("a" + "".join(unseen) + "b") == "ab"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        "[domain-name:value = '" + "a" * CHARS + " @']",
        " " + "a " * 10 + "a" * 1999 + " @",
        "x@" + ("a-" * 30 + ".") * 20_000 + "1",
        ("x@" + "a" * 63) * 16_000,
        ("x@" + "a." * 20 + " ") * 20_000,
        "@" * CHARS,
        "+1" * (CHARS // 2),
        "+1 " * (CHARS // 3),
        "001 " * (CHARS // 4),
        "(123) " * (CHARS // 6),
        "4111 " * (CHARS // 5),
        "4111.1111" * (CHARS // 9),
        "data:a/" * (CHARS // 7),
        "data:a/" + "data" * (CHARS // 4),
        "http://" * (CHARS // 7),
        "\ufdfa" * (CHARS // 20),
        "٤" * CHARS,
        "\u200b" * CHARS,
    ],
    ids=range(18),
)
def test_a_megabyte_of_hostile_text_is_judged_in_linear_time(text: str) -> None:
    # Cut into words so that the check of long runs, which comes first, hides nothing.
    for judged in (text, " ".join(text[start : start + 1500] for start in range(0, len(text), 1500))):
        find_refusal(readable(judged), agreement())
        scope_texts._personal_data(judged)


def open_repeats(parsed: Any) -> Iterator[tuple[Any, ...]]:
    """Give the repeats without an upper bound in a parsed expression."""
    for operation, argument in parsed:
        if operation in {_constants.MAX_REPEAT, _constants.MIN_REPEAT}:
            if argument[1] is _constants.MAXREPEAT:
                yield argument
            yield from open_repeats(argument[2])
        elif operation is _constants.SUBPATTERN:
            yield from open_repeats(argument[3])
        elif operation is _constants.BRANCH:
            for branch in argument[1]:
                yield from open_repeats(branch)


def test_no_expression_repeats_without_a_bound() -> None:
    compiled = {name: value for name, value in vars(scope_texts).items() if isinstance(value, re.Pattern)}
    compiled |= {f"_PHONES {sign}": phone for sign, phone in scope_texts._PHONES}
    assert len(compiled) >= 8
    unbounded = {name for name, value in compiled.items() if list(open_repeats(_parser.parse(value.pattern)))}
    # `data:` and a slash stand before each of its repeats and are outside their characters.
    assert unbounded == {"_DATA_LINK"}
