"""Several documents in one text: filters, `generate`, shared correlations, and what a backend finds too late."""

import sqlite3

import pytest

from signatures.conversion import TARGETS, RefusedError, Signature, convert_signature
from tests.support.conversion_logs import Event, make_events, open_sqlite

RULE = "title: R\nname: r\nlogsource: {category: llm_api}\ndetection: {s: {user.id: u1}, condition: s}\n"
FILTER = (
    "title: F\nlogsource: {category: llm_api}\nfilter: {rules: [r], away: {llmx.org.id: o1}, condition: not away}\n"
)
COUNT = (
    "title: C\ncorrelation: {type: event_count, rules: [r], group-by: [user.id], timespan: 1h, generate: true, "
    "condition: {gte: 2}}\n"
)


def queries(text: str, target: str = "sqlite") -> dict[str, str]:
    found = TARGETS[target]
    conversions = convert_signature(Signature(text), found, found.options(None, None))
    return {each.header.title: each.query for each in conversions}


def refusal(text: str, target: str) -> str:
    with pytest.raises(RefusedError) as caught:
        queries(text, target)
    return str(caught.value)


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return make_events()


@pytest.fixture(scope="module")
def sqlite(events: list[Event]) -> sqlite3.Connection:
    return open_sqlite(events)


def test_a_filter_takes_away_from_the_rules_that_it_names(sqlite: sqlite3.Connection, events: list[Event]) -> None:
    rows = [row[0] for row in sqlite.execute(queries(f"{RULE}---\n{FILTER}")["R"])]

    ours = [each for each in events if each["user.id"] == "u1" and each["llmx.event.category"] == "llm_api"]
    assert rows == [each["row"] for each in ours if each["llmx.org.id"] != "o1"]
    assert 0 < len(rows) < len(ours)


def test_generate_gives_the_rule_a_query_of_its_own(sqlite: sqlite3.Connection) -> None:
    made = queries(f"{RULE}---\n{COUNT}")

    assert list(made) == ["R", "C"]
    assert made["R"] == queries(RULE)["R"]
    assert all(sqlite.execute(query).fetchall() for query in made.values())
    assert list(queries(f"{RULE}---\n{COUNT.replace('generate: true, ', '')}")) == ["C"]


@pytest.mark.parametrize("target", ["sqlite", "spark", "kusto"])
def test_correlations_that_share_what_they_refer_to_do_not_double_a_query(target: str) -> None:
    def correlation(name: str, kind: str, rules: str) -> str:
        body = f"{kind}, rules: [{rules}], group-by: [user.id], timespan: 1h"
        return f"title: {name}\nname: {name}\ncorrelation: {{{body}}}\n"

    documents, below = [RULE], "r"
    for level in range(20):
        kind = "type: temporal" if level else "type: event_count, condition: {gte: 2}"
        documents += [correlation(f"{name}{level}", kind, below) for name in "ab"]
        below = f"a{level}, b{level}"
    documents.append(correlation("T", "type: temporal", below))

    assert len(queries("---\n".join(documents), target)["T"]) < 100_000


def test_a_long_list_of_values_runs_in_sqlite(sqlite: sqlite3.Connection) -> None:
    values = ", ".join(f"'v{number}*'" for number in range(1200))
    text = RULE.replace("user.id: u1", f"user.id: [{values}, u1]")

    assert sqlite.execute(queries(text)["R"]).fetchall()


def test_what_a_backend_refuses_has_its_place_too() -> None:
    number = RULE.replace("user.id: u1", "user.id: u1, llmx.org.id: 5")
    regex = RULE.replace("{s: {user.id: u1}", "{s: {user.id: u1}, t: {user.id|re: x}").replace(
        "condition: s", "condition: s or t"
    )
    runs = f"{RULE}---\n{COUNT.replace('gte: 2', 'gte: 200')}"

    assert refusal(number, "loki").startswith("document 1, line 4, column ")
    assert "llmx.org.id is no number in the vocabulary" in refusal(number, "loki")
    assert refusal(regex, "splunk").startswith("document 1, line 4, column ")
    assert refusal(runs, "eql") == ("document 2, line 7, column 21: event_count: a sequence has 2 to 100 runs, not 200")
