"""Queries for engines that do not run here, as they were read and kept in tests/vectors/conversion/golden/."""

import pytest

from signatures.conversion import TARGETS
from tests.support.conversion_golden import GOLDEN, NOT_RUN_HERE, golden_page


@pytest.mark.parametrize("name", NOT_RUN_HERE)
def test_a_target_writes_what_was_read_and_kept(name: str) -> None:
    assert golden_page(TARGETS[name]) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
