"""Tables of commands: columns line up, and hostile text stays in its cell."""

from exchange.management.tables import MAX_CELL_CHARS, table_lines


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert list(table_lines(("peer", "last_run"), [{"peer": "gazette", "last_run": 7}, {"peer": "a"}])) == [
        "peer     last run",
        "gazette  7",
        "a        -",
    ]


def test_long_and_unprintable_text_is_cut_and_replaced() -> None:
    line = list(table_lines(("detail",), [{"detail": "a\n\x1b[2J" + "b" * 200}]))[1]
    assert len(line) == MAX_CELL_CHARS
    assert line.startswith("a??[2Jb")
    assert line.endswith("...")


def test_no_rows_are_a_line_of_names() -> None:
    assert list(table_lines(("a", "b"), [])) == ["a  b"]
