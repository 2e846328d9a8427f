"""A community for modules that only read: set up once, emptied by whoever comes next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from exchange.services.checking import check_exchange
from tests.support.database import close_connections, empty_tables
from tests.support.labs import Community, make_community


@pytest.fixture(scope="module")
def settled_community(_migrated: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Community]:
    """Like `community`, shared by the tests of a module; no module uses both."""
    with django_db_blocker.unblock():
        empty_tables()
        yield make_community()
        report = check_exchange()
        assert not report.faults, report.faults
        close_connections()
