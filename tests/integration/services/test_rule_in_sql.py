"""The rule in Python and the rule in SQL answer alike, for audiences and readers that nobody thought of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from exchange.services.principals import ANONYMOUS, NODE, OPERATOR, PeerTraits, Principal, PrincipalKind
from exchange.services.sharing import (
    AudienceRule,
    Recipients,
    audience_for,
    intern_audiences,
    load_audiences,
    may_read,
    readable_audiences,
)
from exchange.stix.markings import Tlp
from tests.support.database import close_connections, empty_tables

# Names that are not of the other kind, the empty name, and one that quoting could break.
NAMES = st.sampled_from(["identity--a", "identity--b", "identity--p", "identity--q", "{},\"'", ""])
SETS = st.frozensets(NAMES, max_size=3)

free_rules = st.builds(
    AudienceRule,
    st.sampled_from(Tlp),
    anonymous=st.booleans(),
    every_lab=st.booleans(),
    every_client=st.booleans(),
    labs=SETS,
    clients=SETS,
    persons=SETS,
    owner=NAMES,
)
real_rules = st.builds(audience_for, st.sampled_from(Tlp), NAMES.filter(bool), st.none() | st.builds(Recipients, SETS))
notes = st.builds(AudienceRule, st.just(Tlp.AMBER), labs=SETS, clients=SETS, persons=SETS)
peers = st.builds(
    Principal,
    st.just(PrincipalKind.PEER),
    lab_id=st.just(1),
    lab_identity=NAMES,
    peer=st.builds(
        PeerTraits,
        st.just(1),
        is_exchange=st.booleans(),
        community=st.booleans(),
        highest_label=st.integers(0, 4),
        residents=SETS,
        exclusive=SETS,
    ),
)
readers = st.sampled_from([ANONYMOUS, NODE, OPERATOR]) | st.builds(
    Principal,
    st.sampled_from(PrincipalKind),
    lab_id=st.just(1),
    lab_identity=NAMES,
    person_identity=NAMES,
    fresh_second_factor=st.booleans(),
)


@pytest.fixture(scope="module")
def empty_database(_migrated: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        empty_tables()
        yield
        close_connections()


@settings(max_examples=200, deadline=None)
@given(
    rules=st.lists(free_rules | real_rules | notes, min_size=1, max_size=4),
    asking=st.lists(readers | peers, min_size=1, max_size=4),
)
def test_sql_and_python_agree_on_who_reads(
    empty_database: None, rules: list[AudienceRule], asking: list[Principal]
) -> None:
    with transaction.atomic():
        interned = intern_audiences(rules)
        assert load_audiences(interned.values()) == {interned[rule.digest]: rule for rule in rules}
        for reader in asking:
            allowed = set(readable_audiences(reader))
            assert {interned[rule.digest] for rule in rules if may_read(reader, rule)} == allowed & set(
                interned.values()
            )
        transaction.set_rollback(True)


def test_interning_twice_gives_the_same_number(empty_database: None) -> None:
    rule = audience_for(Tlp.AMBER, "identity--a", Recipients(frozenset({"identity--b"})))
    assert intern_audiences([rule, rule]) == intern_audiences([rule])
    assert intern_audiences([]) == {}
