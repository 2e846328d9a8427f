"""Where the events are, what the fields are called, and which backend writes the query."""

import pytest

from signatures.conversion import (
    TARGETS,
    RefusedError,
    Schema,
    Signature,
    UnknownTargetError,
    convert_signature,
    find_target,
)
from signatures.conversion.registry import ALIASES

RULE = "title: T\nlogsource: {{category: {category}}}\ndetection: {{s: {{{field}: 5}}, condition: s}}\n"


def query(target: str, field: str = "user.id", category: str = "llm_api", **options: object) -> str:
    found = find_target(target)
    chosen = {"table": None, "timestamp": None, **options}
    text = RULE.format(category=category, field=field)
    return convert_signature(Signature(text), found, found.options(**chosen))[0].query  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "written"),
    [
        ("splunk", "index=llm_gateway (class_uid=6003 AND actor.user.uid=5)"),
        ("esql", "class_uid == 6003 AND actor.user.uid == 5"),
        ("kusto", "['class_uid'] == 6003 and ['actor.user.uid'] == 5"),
        ("spark", "try_cast(`actor`.`user`.`uid` AS DOUBLE) = 5"),
        ("sqlite", "`actor.user.uid` = CAST(5 AS NUMERIC)"),
    ],
)
def test_ocsf_names_come_from_the_vocabulary(target: str, written: str) -> None:
    assert written in query(target, schema=Schema.OCSF)


def test_a_field_without_a_path_in_ocsf_is_refused() -> None:
    with pytest.raises(
        RefusedError, match=r"document 1, line 3, column 34: field name: 'llmx\.cluster\.id' has no path in OCSF"
    ):
        query("spark", field="llmx.cluster.id", schema=Schema.OCSF)


def test_a_category_without_a_class_in_ocsf_is_refused_with_its_place() -> None:
    with pytest.raises(RefusedError, match=r"document 1, line 2, column 12: another log source: ocsf has no class"):
        query("spark", category="llm_account", schema=Schema.OCSF)


def test_table_and_time_can_be_named() -> None:
    assert "FROM logs-x-*" in query("esql", table="logs-x-*")
    assert "FROM `main`.`events`" in query("spark", table="main.events")


def test_an_option_that_a_query_cannot_hold_is_refused() -> None:
    with pytest.raises(UnknownTargetError, match="a query for eql names no table"):
        find_target("eql").options("x", None)
    with pytest.raises(UnknownTargetError, match="a query for splunk names no timestamp"):
        find_target("splunk").options(None, "when")


@pytest.mark.parametrize("name", ["", "a b", "x; DROP TABLE y", "`x`", 'a"b', "x\n", "{job}", "é"])
def test_what_is_no_name_of_a_table_or_field_is_refused(name: str) -> None:
    for target in TARGETS.values():
        with pytest.raises(UnknownTargetError):
            target.options(name or "-", None)
        with pytest.raises(UnknownTargetError):
            target.options(None, name or "-")


def test_targets_have_the_other_names_that_people_give_them() -> None:
    assert find_target("Databricks").name == "spark"
    assert {find_target(alias).name for alias in ALIASES} <= set(TARGETS)
    with pytest.raises(UnknownTargetError, match="there are splunk, esql"):
        find_target("oracle")


def test_a_target_whose_backend_is_not_installed_says_so() -> None:
    for target in TARGETS.values():
        if not target.is_available:
            with pytest.raises(UnknownTargetError, match="not part of this installation"):
                target.load(target.options(None, None))


def test_backends_have_the_interface_of_pysigma() -> None:
    for target in TARGETS.values():
        if target.is_available:
            assert callable(target.load(target.options(None, None)).convert)
