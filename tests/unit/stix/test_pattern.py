"""STIX patterns: known ones, the published parser as reference, and what must not be accepted."""

import itertools
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2patterns.validator import run_validator

from exchange.stix.errors import ObjectInvalidError, StixError
from exchange.stix.limits import MAX_PATTERN_CHARS, MAX_PATTERN_DEPTH
from exchange.stix.pattern import check_pattern, read_pattern
from exchange.stix.pattern_nodes import Comparison, Joined

MD5 = "0123456789abcdef" * 2


def accepts(text: str) -> bool:
    try:
        check_pattern(text)
    except StixError:
        return False
    return True


def reference_accepts(text: str) -> bool:
    return not run_validator(text, "2.1")


@pytest.mark.parametrize(
    "text",
    [
        "[ipv4-addr:value = '198.51.100.3']",
        "[ipv4-addr:value ISSUBSET '203.0.113.0/24' OR ipv6-addr:value NOT ISSUBSET '2001:db8::/32']",
        f"[file:hashes.MD5 = '{MD5}' AND file:hashes.'SHA-256' = '{MD5}{MD5}']",
        "([a:b = 1] FOLLOWEDBY [a:c <> -2.5]) WITHIN 300 SECONDS WITHIN 5.5 SECONDS",
        "[a:b = 1] REPEATS 5 TIMES WITHIN 1800 SECONDS START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00.5Z'",
        "[network-traffic:dst_ref.value IN ('a', 1, true, h'00ff', b'AA==')]",
        "[NOT EXISTS a:b AND EXISTS a:c.'d e'[*][0]]",
        "[x-foo:a[1].b MATCHES '^\\\\d+\\'$' AND (a:b LIKE '%x' OR a:b NOT IN ())]",
        "[a:b=1]OR[a:c=t'2026-01-01T00:00:00Z'] // said\n/* twice */",
    ],
)
def test_patterns_of_every_kind_are_accepted(text: str) -> None:
    assert accepts(text)
    assert reference_accepts(text)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1),
        ("a:b = 1", 1),
        ("[]", 2),
        ("[a:b = ]", 8),
        ("[a:b = 1", 9),
        ("[a.b = 1]", 3),
        ("[a:b-c = 1]", 4),
        ("['a':b = 1]", 2),
        ("[AND:b = 1]", 2),
        ("[a:LAST = 1]", 4),
        ("[NOT a:b = 1]", 6),
        ("[a:b > true]", 8),
        ("[a:b LIKE 1]", 11),
        ("[a:b IN 1]", 9),
        ("[a:b IN (1,)]", 12),
        ("[a:b = 'x\\ny']", 8),
        ("[a:b = t'2026-13-01T00:00:00Z']", 8),
        ("[a:b = h'abc']", 8),
        ("[a:b = b'====']", 8),
        ("[a:b = 01]", 9),
        ("[a:b[-1] = 1]", 6),
        ("[a:b = 1] within 5 SECONDS", 11),
        ("[a:b = 1] WITHIN -5 SECONDS", 18),
        ("[a:b = 1] WITHIN 5 HOURS", 20),
        ("[a:b = 1] REPEATS 1.5 TIMES", 19),
        ("[a:b = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS", 28),
        ("[a:b = 1] AND", 14),
        ("[a:b = \x00]", 8),
        ("[file:hashes.'SHA-256' = 'f00']", 26),
    ],
)
def test_a_wrong_pattern_is_refused_at_its_column(text: str, column: int) -> None:
    with pytest.raises(ObjectInvalidError) as caught:
        check_pattern(text)
    assert (caught.value.code, caught.value.pointer) == ("pattern", "/pattern")
    assert caught.value.message.startswith(f"Line 1, column {column}: ")


def test_a_fault_further_down_is_told_with_its_line() -> None:
    with pytest.raises(ObjectInvalidError, match="Line 3, column 9: a value"):
        check_pattern("[\n  a:b = 1 AND\n  a:c = ]")


def test_nesting_and_length_are_bounded() -> None:
    for opening, inner, closing in (("(", "[a:b=1]", ")"), ("(", "a:b=1", ")")):
        frame = "{}" if inner.startswith("[") else "[{}]"
        spare = MAX_PATTERN_DEPTH - 2
        assert accepts(frame.format(opening * spare + inner + closing * spare))
        deep = frame.format(opening * 100_000 + inner + closing * 100_000)
        assert not accepts(deep[:MAX_PATTERN_CHARS])
    assert not accepts("[a:b = '" + "x" * MAX_PATTERN_CHARS + "']")


def test_hostile_text_is_cut_in_messages() -> None:
    with pytest.raises(ObjectInvalidError) as caught:
        check_pattern("[a:b = 1] \x1b[31m" + "x" * 1000)
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 200


names = st.sampled_from(["a", "value", "x_1", "extensions", "hashes"])
strings = st.sampled_from(["''", "'x'", "'it\\'s'", "'\\\\'", "'é [('", "'MD5'"])
values = st.one_of(
    strings,
    st.sampled_from(["0", "+1", "-7", "1.5", "-.5", "h'00'", "b'AAAA'", "t'2026-01-01T00:00:00.1Z'"]),
)
paths = st.builds(
    lambda kind, first, steps: f"{kind}:{first}{''.join(steps)}",
    st.sampled_from(["ipv4-addr", "file", "x-y_z"]),
    st.one_of(names, strings),
    st.lists(st.sampled_from([".b", ".'c d'", "[0]", "[*]", "[12]"]), max_size=3),
)
tests = st.one_of(
    st.builds(
        "{} {}{} {}".format, paths, st.sampled_from(["", "NOT "]), st.sampled_from(["=", "!=", "<=", ">"]), values
    ),
    st.builds("{} {} {}".format, paths, st.sampled_from(["LIKE", "MATCHES", "NOT ISSUBSET", "ISSUPERSET"]), strings),
    st.builds(lambda path, listed: f"{path} IN ({', '.join(listed)})", paths, st.lists(values, max_size=3)),
    st.builds("{} {}".format, st.sampled_from(["EXISTS", "NOT EXISTS"]), paths),
)
comparisons = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(["AND", "OR"]), inner), st.builds("({})".format, inner)
    ),
    max_leaves=4,
)
qualifiers = st.sampled_from(
    [
        "",
        " WITHIN 5 SECONDS",
        " REPEATS 2 TIMES",
        " START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'",
        " WITHIN 0.5 SECONDS REPEATS 3 TIMES",
    ]
)
patterns = st.recursive(
    st.builds("[{}]{}".format, comparisons, qualifiers),
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(["AND", "OR", "FOLLOWEDBY"]), inner),
        st.builds("({}){}{}".format, inner, qualifiers, qualifiers),
    ),
    max_leaves=4,
)


@given(patterns)
@settings(max_examples=60, deadline=None)
def test_every_generated_pattern_is_accepted_by_both_parsers(text: str) -> None:
    assert accepts(text)
    if "hashes" not in text:  # the reference applies its hash check to comparisons where none is meant
        assert reference_accepts(text)


PIECES = re.compile(r"\w'[^']*'|'(?:[^'\\]|\\.)*'|[\w-]+|\s+|.")


@given(patterns.filter(lambda text: "hashes" not in text), st.randoms(use_true_random=False))
@settings(max_examples=120, deadline=None)
def test_a_damaged_pattern_is_judged_as_the_reference_judges_it(text: str, chance: random.Random) -> None:
    pieces = PIECES.findall(text)
    at = chance.randrange(len(pieces))
    foreign = chance.choice(
        ["[", "]", "(", ")", "AND", "NOT", "'", "1", "-1", ".", ":", "=", "*", "LAST", "\\", "t", ","]
    )
    change = chance.randrange(4)
    if change == 0:
        del pieces[at]
    elif change == 1:
        pieces.insert(at, foreign)
    elif change == 2:
        pieces[at] = foreign
    else:
        other = chance.randrange(len(pieces))
        pieces[at], pieces[other] = pieces[other], pieces[at]
    damaged = "".join(pieces)
    if "[-" in damaged or not damaged.strip():  # the reference crashes on both; here they are refused
        assert not accepts(damaged)
    else:
        assert accepts(damaged) == reference_accepts(damaged)


@given(st.text(alphabet="[]()':=.ab1 \\ANDORIN-*,t\n/", max_size=25))
def test_arbitrary_text_raises_nothing_but_stix_errors(text: str) -> None:
    accepts(text)


def test_keywords_may_stand_without_spaces_as_in_the_reference() -> None:
    for left, right in itertools.product(["1", "'x'", "true"], ["OR ", "OR", "AND "]):
        text = f"[a:b={left}{right}a:c=1]"
        assert accepts(text) == reference_accepts(text), text


def test_what_is_compared_is_read_through_white_space_quotes_and_comments() -> None:
    reading = read_pattern("[ user-account\u3000: 'user_id' /*'*/ [0] . b = 'bob' ]")
    assert reading.comparisons == (Comparison("user-account", ("user_id", "b"), False),)
    assert reading.has_comment
    assert reading.longest_token_chars == len("user-account")
    assert not read_pattern("[a:b = '// no /* comment']").has_comment


def test_and_binds_closer_than_or_and_or_closer_than_followed_by() -> None:
    a, b, c = (Comparison("t", (name,), False) for name in "abc")
    either = Joined(False, (a, Joined(True, (b, c))))
    assert read_pattern("[t:a = 1 OR t:b = 1 AND t:c = 1]").root == either
    assert read_pattern("[t:a = 1] OR [t:b = 1] AND [t:c = 1]").root == either
    assert read_pattern("[t:a = 1] FOLLOWEDBY [t:b = 1] OR [t:c = 1]").root == Joined(True, (a, Joined(False, (b, c))))


@pytest.mark.parametrize(
    ("test", "is_negated"),
    [
        ("t:a != 1", True),
        ("t:a NOT = 1", True),
        ("t:a NOT <> 1", False),
        ("t:a NOT IN (1)", True),
        ("NOT EXISTS t:a", True),
        ("EXISTS t:a", False),
        ("t:a LIKE '!='", False),
    ],
)
def test_a_negated_comparison_is_told_apart(test: str, is_negated: bool) -> None:
    assert read_pattern(f"[{test}]").root == Comparison("t", ("a",), is_negated)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["0", "00.", "'", "b'AAAA", "h'00", "/*", "a-", "1.", "+0", ".", "t'2026", " "])
def test_a_quarter_of_a_megabyte_of_anything_is_cut_in_linear_time(piece: str) -> None:
    assert not accepts("[a:b = " + piece * (MAX_PATTERN_CHARS // len(piece) - 10))
