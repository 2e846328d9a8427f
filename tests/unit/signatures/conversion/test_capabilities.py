"""The capability table, cell by cell: what is listed is refused with its place, and all else is converted."""

import re
from pathlib import Path

import pytest

from signatures.conversion import TARGETS, RefusedError, Signature, Target, convert_signature
from signatures.conversion.capabilities import NOTES, NOWHERE, REFUSED, note_on, reason_against
from signatures.conversion.constructs import Construct
from signatures.conversion.document import tables
from signatures.conversion.uses import uses_in
from signatures.sigma.yaml_reading import read_documents
from tests.support.conversion_examples import EXAMPLES

PAGE = Path(__file__).parents[4] / "docs" / "conversion.md"
PLACE = re.compile(r"document \d+, line \d+, column \d+")
# Refused for what the plan of a correlation lacks, found after the table.
BY_PLAN = {Construct.CHAINED_FIELD}
AVAILABLE = [target for target in TARGETS.values() if target.is_available]


def test_every_construct_has_an_example_that_uses_it() -> None:
    for construct in set(Construct) - BY_PLAN:
        used = {
            use.construct
            for document in read_documents(EXAMPLES[construct])
            for use in uses_in(document, frozenset("i"))
        }
        assert construct in used, construct


@pytest.mark.parametrize("target", AVAILABLE, ids=lambda target: target.name)
def test_what_the_table_lists_is_refused_by_name_and_place_and_the_rest_is_converted(target: Target) -> None:
    for construct, text in EXAMPLES.items():
        used = [use.construct for document in read_documents(text) for use in uses_in(document, frozenset("i"))]
        reasons = {each: reason_against(target.name, each) for each in [*used, *(BY_PLAN & {construct})]}
        if not any(reasons.values()):
            assert convert_signature(Signature(text), target, target.options(None, None)), construct
            continue
        with pytest.raises(RefusedError) as caught:
            convert_signature(Signature(text), target, target.options(None, None))
        for refusal in caught.value.refusals:
            named = next(
                each for each in sorted(Construct, key=len, reverse=True) if refusal.construct.startswith(each)
            )
            assert refusal.reason == reasons[named] or named in BY_PLAN
            assert PLACE.fullmatch(refusal.place), construct


def test_a_target_refuses_nothing_that_another_table_row_calls_possible() -> None:
    assert set(REFUSED) == set(TARGETS)
    for target, reasons in REFUSED.items():
        assert not reasons.keys() & NOWHERE.keys()
        assert not reasons.keys() & NOTES.get(target, {}).keys()


def test_what_is_to_be_known_stands_beside_the_query() -> None:
    target = TARGETS["esql"]
    (conversion,) = convert_signature(Signature(EXAMPLES[Construct.EVENT_COUNT]), target, target.options(None, None))

    assert f"// note: {note_on('esql', Construct.EVENT_COUNT)}" in conversion.text


def test_the_page_shows_the_table() -> None:
    assert tables() in PAGE.read_text(encoding="utf-8"), (
        "run `python -m signatures.conversion` and put it into the page"
    )
