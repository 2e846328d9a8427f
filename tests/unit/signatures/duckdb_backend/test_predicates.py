"""Rules as SQL against the evaluator in Python, over random rules and rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sigma.collection import SigmaCollection
from sigma.rule import SigmaRule

from signatures.duckdb_backend import DuckDbBackend, RefusedError
from signatures.duckdb_backend.backend import predicate_of
from signatures.duckdb_backend.columns import NamedColumns
from tests.support import sigma_evaluator

TEXT, OTHER, COUNT, NUMBER, FLAG, ADDRESS, MOMENT = (
    "user.id",
    "llmx.org.id",
    "gen_ai.usage.output_tokens",
    "gen_ai.request.temperature",
    "gen_ai.request.stream",
    "client.address",
    "timestamp",
)
COLUMNS = {
    TEXT: "VARCHAR",
    OTHER: "VARCHAR",
    COUNT: "BIGINT",
    NUMBER: "DOUBLE",
    FLAG: "BOOLEAN",
    ADDRESS: "VARCHAR",
    MOMENT: "TIMESTAMPTZ",
}
PIECES = [
    "a",
    "A",
    "b",
    "é",
    "É",
    "ς",
    "Σ",
    "\u212a",
    "k",
    "İ",
    "%",
    "_",
    "\\",
    "*",
    "?",
    "'",
    '"',
    "\n",
    "\0",
    "-",
    "x y",
]
ADDRESSES = [
    "10.1.2.3",
    "10.1.20.3",
    "10.01.2.3",
    "10.1.2",
    "2001:db8::1",
    "2001:DB8:0:0::1",
    "::ffff:10.1.2.3",
    "::",
    "x",
]
ROW_COUNT = 150


def _rows() -> list[dict[str, Any]]:
    chance = random.Random(7)

    def maybe(value: Any) -> Any:
        return value if chance.random() > 0.15 else None

    def text() -> str:
        return "".join(chance.choice(PIECES) for _ in range(chance.randrange(5)))

    return [
        {
            TEXT: maybe(text()),
            OTHER: maybe(chance.choice([text(), text(), "5", "5.0", " 7", "1e3", ".5", "5_0", "inf", "nan", "0x5"])),
            COUNT: maybe(chance.randrange(-3, 9)),
            NUMBER: maybe(chance.choice([0.0, 0.1, 0.5, 1.0, 2.0, -1.5])),
            FLAG: maybe(chance.random() > 0.5),
            ADDRESS: maybe(chance.choice(ADDRESSES)),
            MOMENT: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=chance.randrange(3000), minutes=7),
        }
        for _ in range(ROW_COUNT)
    ]


ROWS = _rows()


@pytest.fixture(scope="module")
def logs() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        listed = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        connection.execute(f"CREATE TABLE logs (place INTEGER, {listed})")
        marks = ", ".join("?" * (len(COLUMNS) + 1))
        connection.executemany(
            f"INSERT INTO logs VALUES ({marks})", [[place, *row.values()] for place, row in enumerate(ROWS)]
        )
        yield connection


def rule_of(detection: dict[str, Any]) -> SigmaRule:
    return SigmaRule.from_dict({"title": "T", "logsource": {"product": "llm_gateway"}, "detection": detection})


def found(logs: duckdb.DuckDBPyConnection, rule: SigmaRule) -> list[int]:
    predicate = predicate_of(rule, NamedColumns([TEXT, OTHER]))
    flag = f"coalesce({predicate}, FALSE)"
    return [row[0] for row in logs.execute(f"SELECT place FROM logs WHERE {flag} ORDER BY place").fetchall()]


def expected(rule: SigmaRule) -> list[int]:
    return [place for place, row in enumerate(ROWS) if sigma_evaluator.matches(rule, row, [TEXT, OTHER])]


patterns = st.lists(st.sampled_from([*PIECES, "*", "?", "\\*", "\\?", "\\\\"]), max_size=5).map("".join)
text_key = st.sampled_from([TEXT, OTHER]).flatmap(
    lambda field: st.sampled_from(
        ["", "|contains", "|startswith", "|endswith", "|cased", "|cased|contains", "|neq"]
    ).map(lambda modifiers: field + modifiers)
)
items = st.one_of(
    st.tuples(text_key, st.one_of(patterns, st.lists(patterns, min_size=1, max_size=4))),
    st.tuples(st.just(f"{TEXT}|contains|all"), st.lists(patterns, min_size=1, max_size=3)),
    st.tuples(st.just(f"{TEXT}|windash|contains"), patterns),
    st.tuples(
        st.sampled_from([COUNT, f"{COUNT}|lt", f"{COUNT}|lte", f"{COUNT}|gt", f"{COUNT}|gte", f"{NUMBER}|gt", NUMBER]),
        st.sampled_from([-2, 0, 1, 3, 0.1, 0.5, 2.5]),
    ),
    st.tuples(st.sampled_from([OTHER, f"{OTHER}|gt", f"{OTHER}|lte"]), st.sampled_from([5, 0.5])),
    st.tuples(st.just(FLAG), st.booleans()),
    st.tuples(st.sampled_from([f"{TEXT}|exists", f"{COUNT}|exists", f"{FLAG}|exists"]), st.booleans()),
    st.tuples(st.sampled_from([TEXT, COUNT, NUMBER, FLAG]), st.none()),
    st.tuples(
        st.just(f"{ADDRESS}|cidr"),
        st.sampled_from(["10.1.0.0/16", "10.1.16.0/20", "0.0.0.0/0", "2001:db8::/32", "::/0", "::ffff:0:0/96"]),
    ),
    st.tuples(
        st.sampled_from([f"{TEXT}|re", f"{TEXT}|re|i", f"{TEXT}|re|m", f"{TEXT}|re|s", f"{OTHER}|re|i|s"]),
        st.sampled_from(["a", "^a.b", "a|b$", "[a-b]{2,}", "a.*k", "^[^a]*$", "(?:é|x) ?y", r"\\", r"\x00"]),
    ),
    st.tuples(
        st.sampled_from([f"{TEXT}|fieldref", f"{TEXT}|fieldref|startswith", f"{TEXT}|fieldref|contains"]),
        st.just(OTHER),
    ),
    st.tuples(st.just(f"{COUNT}|fieldref"), st.just(NUMBER)),
    st.tuples(
        st.sampled_from(
            [f"{MOMENT}|{part}" for part in ("minute", "hour", "hour|gte", "day", "week", "month", "year")]
        ),
        st.sampled_from([1, 2, 7, 12, 2026]),
    ),
)
selections = st.one_of(
    st.lists(items, min_size=1, max_size=3).map(dict),
    st.lists(st.lists(items, min_size=1, max_size=2).map(dict), min_size=1, max_size=3),
    st.lists(patterns.filter(bool), min_size=1, max_size=3),
)
conditions = st.sampled_from(
    [
        "s1",
        "not s1",
        "s1 and not s2",
        "s1 or s2 and s3",
        "not (s1 or s2) and not s3",
        "1 of s*",
        "all of s*",
        "not 1 of s*",
        "not (not s1 and s2)",
    ]
)


@settings(max_examples=40, deadline=None)
@given(selection=st.tuples(selections, selections, selections), condition=conditions)
def test_a_rule_matches_what_the_evaluator_says(
    logs: duckdb.DuckDBPyConnection, selection: tuple[Any, Any, Any], condition: str
) -> None:
    names = dict(zip(("s1", "s2", "s3"), selection, strict=True))
    used = {name: value for name, value in names.items() if name in condition or "*" in condition}
    rule = rule_of({**used, "condition": condition})
    assert found(logs, rule) == expected(rule)


@settings(max_examples=50, deadline=None)
@given(field=st.text(min_size=1), value=st.text(), modifier=st.sampled_from(["", "|contains", "|re", "|cased"]))
def test_no_name_and_no_value_of_a_rule_is_read_as_sql(
    logs: duckdb.DuckDBPyConnection, field: str, value: str, modifier: str
) -> None:
    """A hostile name is a column that is not there, a hostile value matches itself; anything else is refused."""
    if "|" in field or field.lower() == "place":
        return
    try:
        rule = rule_of({"s": {field + modifier: value}, "condition": "s"})
        (query,) = DuckDbBackend(category_field=None).convert(SigmaCollection([rule]))
    except (RefusedError, ValueError):
        return
    statements = logs.extract_statements(query)
    assert len(statements) == 1
    assert statements[0].type == duckdb.StatementType.SELECT
    with pytest.raises(duckdb.BinderException, match="not found in FROM"):
        logs.execute(query)


@settings(max_examples=50, deadline=None)
@given(value=st.text(), begin=st.sampled_from(["", "' OR 1=1 --", '"; DROP TABLE logs; --', "\\'", "\0", "\n"]))
def test_a_value_without_wildcards_matches_itself_alone(
    logs: duckdb.DuckDBPyConnection, value: str, begin: str
) -> None:
    written = (begin + value).replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    try:
        predicate = predicate_of(rule_of({"s": {f"{TEXT}|cased": written}, "condition": "s"}), NamedColumns())
    except RefusedError:
        return
    rows = logs.execute(f'SELECT count(*) FROM (SELECT ? AS "{TEXT}") WHERE {predicate}', [begin + value]).fetchone()
    assert rows == (1,)


@pytest.mark.parametrize(
    ("detection", "named"),
    [
        ({"s": {f"{TEXT}|re": "a(?=b)"}}, "invalid perl operator: (?="),
        ({"s": {f"{TEXT}|re": r"(a)\1"}}, r"invalid escape sequence: \1"),
        ({"s": {f"{TEXT}|re": "a{2000}"}}, "invalid repetition size"),
        ({"s": {f"{TEXT}|expand": "%names%"}}, "placeholder %names%"),
        ({"s": {f"{FLAG}|gt": 3}}, "comparison with a number"),
        ({"s": {f"{MOMENT}|gte": 3}}, "comparison with a number"),
        ({"s": {COUNT: "many"}}, "comparison with text"),
        ({"s": {f"{COUNT}|cidr": "10.0.0.0/8"}}, "comparison with a network"),
        ({"s": {f"{TEXT}|base64": r"a\*"}}, "base64 of an escaped wildcard"),
        ({"s": {f"{TEXT}|base64offset|contains": "é"}}, "base64offset beyond ASCII"),
        ({"s": {f"{TEXT}|utf16|base64": "a"}}, "utf16 before base64"),
        ({"s": ["word"]}, "a keyword"),
        ({"s": {"a\0b": "x"}}, "a field name"),
        ({"s": {TEXT: "\ud800"}}, "a lone surrogate"),
    ],
)
def test_what_cannot_be_expressed_is_refused_by_its_name(detection: dict[str, Any], named: str) -> None:
    rule = rule_of({**detection, "condition": "s"})
    with pytest.raises(RefusedError) as refused:
        DuckDbBackend().convert(SigmaCollection([rule]))
    assert named in str(refused.value)
    assert "Rule 'T'" in str(refused.value)


def test_encoded_values_are_found(logs: duckdb.DuckDBPyConnection) -> None:
    cases = {
        "base64": ("Zm9v", "foo"),
        "base64offset|contains": ("xxZvbyB", "foo"),
        "wide": ("f\0o\0o\0", "foo"),
        "wide|base64": ("ZgBvAG8A", "foo"),
    }
    for modifiers, (stored, value) in cases.items():
        predicate = predicate_of(rule_of({"s": {f"{TEXT}|{modifiers}": value}, "condition": "s"}), NamedColumns())
        assert logs.execute(f'SELECT {predicate} FROM (SELECT ? AS "{TEXT}")', [stored]).fetchone() == (True,), (
            modifiers
        )


def test_errors_of_several_rules_are_collected() -> None:
    good = rule_of({"s": {TEXT: "x"}, "condition": "s"})
    bad = rule_of({"s": {f"{TEXT}|re": "(?=a)"}, "condition": "s"})
    backend = DuckDbBackend(collect_errors=True)
    assert len(backend.convert(SigmaCollection([good, bad]))) == 1
    assert [rule for rule, _error in backend.errors] == [bad]


def test_not_a_number_is_no_number() -> None:
    predicate = predicate_of(rule_of({"s": {f"{NUMBER}|gt": 1}, "condition": "s"}), NamedColumns())
    with duckdb.connect(":memory:") as connection:
        query = f"""SELECT coalesce({predicate}, FALSE) FROM (SELECT CAST('nan' AS DOUBLE) AS "{NUMBER}")"""
        assert connection.execute(query).fetchone() == (False,)


def test_the_category_of_the_log_source_selects_rows() -> None:
    rule = SigmaRule.from_dict(
        {"title": "T", "logsource": {"category": "llm_api"}, "detection": {"s": {TEXT: "x"}, "condition": "s"}}
    )
    assert "\"llmx.event.category\" = 'llm_api'" in DuckDbBackend().convert(SigmaCollection([rule]))[0]
    assert "category" not in DuckDbBackend(category_field=None).convert(SigmaCollection([rule]))[0]
