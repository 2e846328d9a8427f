"""medallion and OpenTAXII, each started once for the run, and a collection of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.partners.medallion import Medallion
from tests.support.partners.opentaxii import OpenTaxii
from tests.support.partners.partner import Partner


def _running(made: Partner) -> Iterator[Partner]:
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def medallion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    yield from _running(Medallion(Path(tmp_path_factory.mktemp("medallion"))))


@pytest.fixture(scope="session")
def opentaxii(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    yield from _running(OpenTaxii(Path(tmp_path_factory.mktemp("opentaxii"))))


@pytest.fixture(params=["medallion", "opentaxii"])
def partner(request: pytest.FixtureRequest) -> Partner:
    """Each of the two in turn."""
    found: Partner = request.getfixturevalue(request.param)
    return found
